"""Panel: Play on a page; the page is drawn anew when a film begins and ends, and never for one of its states."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.core.text import counted
from explorer.jobs.job import Job
from explorer.networks.units import none_removed
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.choosing.steps import attempt
from explorer.ui.components.play.play import PictureInView, Progress, Reel, Shot, Whole, Wishes, player
from explorer.ui.elements import wording
from explorer.ui.elements.boundary import boundary
from explorer.ui.play.film import CHANCE, PICTURES, Film, answers_of, film_key, widths_and_flops
from explorer.ui.play.playing import begin, film_in_view, preview
from explorer.ui.work.changes import jump
from explorer.ui.work.progress import explain_end, redraw
from explorer.ui.work.results import measured_before
from explorer.ui.work.run_jobs import why_busy
from explorer.ui.work.session import View
from explorer.ui.work.stills import stills
from explorer.ui.work.workspace import Workspace

REFUSED = "play-refused"
FEED_SECONDS = 0.3  # seconds between two looks at what has been measured
NO_IMAGES = (
    "No images: structure and costs are played. With images, accuracy, loss, chance beside them and the images that "
    "turn wrong would be here."
)


def play_panel(view: View, chosen: RankingChoice, *, key: str, moves: bool = False) -> None:
    """Play from the state in view to the last unit, by a ranking.

    moves: a run without a step is measured before anybody presses Play, and plays once by itself. Nothing of that is
    kept in the run until Play or one of its states is asked for.
    """
    early = moves and len(view.timeline.states) == 1
    job, film = _film(view, chosen, early)
    active = bool(job and job.active)

    @st.fragment(run_every=FEED_SECONDS if active else None)
    @boundary()
    def box() -> None:
        now, shown = _film(view, chosen, early)
        reel, progress = _reel(view, chosen, shown, moves), _progress(view, now, shown)
        asked = player(reel, progress, _wishes(view, chosen, now), key=key)
        if asked or active != bool(now and now.active):
            redraw()

    box()
    if job and film and film.numbers and job.state in ("cancelled", "failed"):
        explain_end(job, f"{counted(len(film.shots), 'measured state')} are kept", "Dismiss")


def _film(view: View, chosen: RankingChoice, early: bool) -> tuple[Job | None, Film | None]:
    """The run's own film and its job; before there is one, that which is measured for everybody."""
    job, film = film_in_view(view, chosen)
    if job or not early:
        return job, film
    job = preview(view, chosen)
    return job, job.live


def _wishes(view: View, chosen: RankingChoice, job: Job | None) -> Wishes:
    film = job.live if job else None
    numbers = list(film.numbers) if isinstance(film, Film) else []

    def go(place: int) -> None:
        if numbers:
            jump(view, numbers[place])
        else:
            begin(view, chosen, place)

    def play() -> None:
        attempt(begin, view, chosen)
        st.session_state[REFUSED] = st.session_state.get(REFUSED, 0) + int("problem" in st.session_state)

    return Wishes(
        play=play,
        cancel=job.cancel if job else lambda: None,
        go=partial(attempt, go),
    )


def _progress(view: View, job: Job | None, film: Film | None) -> Progress:
    busy, refused = why_busy(view.run), int(st.session_state.get(REFUSED, 0))
    if job is None or film is None:
        return Progress("idle", "", 0, busy, refused)
    done = len(film.shots)
    if not job.active:
        status = "early" if film.early else "ended" if job.state == "done" else "stopped"
        return Progress(status, f"{counted(done, 'state')} measured", done, busy, refused)
    left = f", about {wording.duration(job.seconds_left)} left" if job.seconds_left is not None else f", {job.where}"
    status = "early" if film.early else "measuring"
    return Progress(status, f"Measured {done} of {film.expected} states{left}", film.expected, busy, refused)


def _reel(view: View, chosen: RankingChoice, film: Film | None, moves: bool) -> Reel:
    loaded, numbers = view.loaded, film.numbers if film else []
    units = loaded.network.units
    whole = Shot(view.timeline.root.metrics, *widths_and_flops(loaded, none_removed(units)))
    return Reel(
        name=f"{view.run} {film.name if film else film_key(view, chosen)}",
        whole=Whole(tuple(layer.name for layer in units.layers), whole, loaded.network.classes),
        shots=list(film.shots) if film and film.shots else [_now(view)],
        current=numbers.index(view.timeline.current) if view.timeline.current in numbers else 0,
        pictures=_pictures(loaded) if loaded.given else (),
        criterion=chosen.criterion,
        title=chosen.title,
        rival=CHANCE if chosen.criterion != CHANCE else "",
        missing="" if loaded.given else NO_IMAGES,
        moves=moves,
    )


def _now(view: View) -> Shot:
    """The state in view, as far as it is known without measuring anything."""
    known = measured_before(view.workspace, view.removed) if view.loaded.given else None
    answers = answers_of(known) if known else ()
    return Shot(view.timeline.state.metrics, *widths_and_flops(view.loaded, view.removed), answers)


def _pictures(loaded: Workspace) -> list[PictureInView]:
    count = min(PICTURES, len(loaded.validation))
    found, _ = stills(loaded.key, tuple(range(count)), loaded)
    labels = loaded.validation.images.labels[loaded.validation.indices[:count]].tolist()
    return [PictureInView(source, label, small) for (source, small), label in zip(found, labels, strict=True)]
