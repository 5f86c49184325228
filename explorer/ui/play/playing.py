"""Playing: the jobs that measure a film, and how its states are kept in the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.evaluation.metrics import Metrics
from explorer.jobs.job import BESIDE, Job
from explorer.networks.units import Label
from explorer.runs import timeline as timelines
from explorer.runs.timeline import State, Timeline
from explorer.ui.choosing.controls import RankingChoice, selectors_offered
from explorer.ui.components.play.play import Shot
from explorer.ui.play.film import Film, film_key, film_of, shots
from explorer.ui.work.changes import check_ready
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.run_jobs import PLAY, key_of, latest_job
from explorer.ui.work.session import View, grow_run

LABEL = "Play to the end"


def usual_choice(view: View) -> RankingChoice:
    """The ranking where nothing was chosen: the paper's, or without images one of weights."""
    offered = selectors_offered(view)
    return RankingChoice("taylor" if "taylor" in offered else "weight", "l2", 0.0, False)


def begin(view: View, chosen: RankingChoice, go_to: int | None = None) -> Job:
    """The job that measures the film and keeps each state in the run, as a branch from the state in view.

    Nobody is moved by it; go_to: except, at its end, to the state at this place. Raises BadInput if the run is
    not ready, or no unit can go.
    """
    check_ready(view)
    film = film_of(view, chosen)
    if film.expected == 1:
        raise BadInput(f"There is nothing to play: no unit can go, every layer is down to {chosen.limits}.")

    def work(job: Job) -> Film:
        for plan, shot in _reported(view, film, job):
            number, timeline = _kept(view, film, plan, shot.metrics)
            film.numbers.append(number)
            film.shots.append(replace(shot, metrics=timeline.states[number].metrics))
        if go_to is not None:
            grow_run(view, lambda timeline: timelines.jump(timeline, film.numbers[go_to]))
        return film

    job = JOBS.submit(key_of(PLAY, view.run), LABEL, work, BESIDE)
    job.live = film  # at once: the page is drawn with it
    return job


def preview(view: View, chosen: RankingChoice) -> Job:
    """The job that measures the same film before anybody asks for it, once for all who look at such a run."""
    film = film_of(view, chosen, early=True)

    def work(job: Job) -> Film:
        film.shots.extend(shot for _, shot in _reported(view, film, job))
        return film

    job = JOBS.ensure(film_key(view, chosen), "Measuring what Play will show", work, BESIDE)
    job.live = job.live or film
    return job


def _reported(view: View, film: Film, job: Job) -> Iterator[tuple[Tensor, Shot]]:
    def report(done: int, total: int, note: str = "") -> None:
        job.report(len(film.shots), film.expected, note)

    return shots(view, film.chosen, report)


def _kept(view: View, film: Film, plan: Tensor, metrics: Metrics) -> tuple[int, Timeline]:
    """The number of the run's state that this is, and the run: one that is there already, or a new one."""
    if not film.numbers:
        return film.start, view.timeline
    parent, units = film.numbers[-1], view.loaded.network.units
    how = {**asdict(film.chosen), "seed": view.loaded.source.seed}

    def grow(timeline: Timeline) -> Timeline:
        taken = timelines.units_taken(timeline, parent, units, plan)
        if _same_child(timeline, parent, taken) is not None:
            return timeline
        said = f"{counted(len(taken), 'unit')} by {film.chosen.title}"
        return timelines.step(timeline, State(parent, taken, said, metrics, settings=how), follow=False)

    grown = grow_run(view, grow)
    number = _same_child(grown, parent, timelines.units_taken(grown, parent, units, plan))
    assert number is not None, "it has just been kept"
    return number, grown


def _same_child(timeline: Timeline, parent: int, taken: tuple[Label, ...]) -> int | None:
    """The state that was made from `parent` without these units, and not fine-tuned."""
    for number, state in timeline.states.items():
        if state.parent == parent and not state.updates and set(state.removed) == set(taken):
            return number
    return None


def film_in_view(view: View, chosen: RankingChoice) -> tuple[Job | None, Film | None]:
    """The film of this ranking that the state in view is part of, and the job that measured it, if there is one."""
    job = latest_job(view.run, PLAY)
    film = job.live if job else None
    if job is None or not isinstance(film, Film):
        return job, None
    here = view.timeline.current in (film.numbers or [film.start])
    made, states = view.timeline.made, view.timeline.states
    deleted = any(number < made and number not in states for number in film.numbers)  # those since are not in view yet
    return job, film if film.chosen == chosen and here and not deleted else None
