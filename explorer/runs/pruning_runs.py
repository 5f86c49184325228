"""Pruning runs: started, grown step by step, stopped and gone on with; each step is on disk before the next begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.progress import Report, silent
from explorer.core.text import counted
from explorer.data import Splits
from explorer.networks.costs import Costs
from explorer.networks.graph.safetensors_file import to_bytes
from explorer.networks.load import RUN_NETWORK
from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.pruning import procedure
from explorer.pruning.procedure import PruningStep
from explorer.pruning.settings import UPDATES, Settings
from explorer.pruning.stop_rules import ending
from explorer.runs import timeline
from explorer.runs.run_folders import Change, change_own_run, change_run, described, grow, held_run
from explorer.runs.store import Run, digests, drop_unnamed, pruned_at, read_saliency, write_run, write_weights
from explorer.runs.timeline import State, Timeline


def pruning_run(
    network: Network, splits: Splits, settings: Settings, *, network_from: str, images_from: str | None
) -> Run:
    """The run before its first step: all that decides what becomes of it."""
    return described(network, splits, asdict(settings), network_from=network_from, images_from=images_from)


@dataclass(frozen=True, eq=False)
class Pruning:
    """The network to prune, the images, and the settings."""

    network: Network
    splits: Splits
    settings: Settings


def kept_run(
    pruning: Pruning,
    asked: Run,
    folder: Path,
    remedy: str,
    *,
    last_weights: bool = False,
    report: Report = silent,
) -> Iterator[Run]:
    """The run as the folder holds it at first, after each step, and when it is finished and its network is written.

    It starts with the network as given, or goes on after the last step that the folder holds of the run that was
    `asked` for, and ends as it would have ended without the stop; one that is finished stays as it is. The caller has
    the folder alone. BadInput, with the remedy, where the folder holds another run.
    last_weights: of the fine-tuned steps only the last one within all budgets keeps its weights.
    """
    held = held_run(folder, asked, remedy)
    if held:
        drop_unnamed(folder, held.states)
    if held and held.finished:
        yield held
        return
    start = replace(asked, timeline=held.timeline if held else None, name=held.name if held else "", finished=False)
    ended = held and _is_beyond_a_budget(held.states)
    for found in [start] if ended else grown_run(pruning, start, folder, change_own_run, report=report):
        run = _with_last_weights(found, folder) if last_weights else found
        yield run
    yield _finish(pruning.network, run, folder)


def grown_run(
    pruning: Pruning,
    run: Run,
    folder: Path,
    change: Change = change_run,
    *,
    report: Report = silent,
    on_loss: Callable[[float], None] | None = None,
) -> Iterator[Run]:
    """The run, on disk, as it is at first, and with one state more after each step from the state that it is at.

    Others may change the run meanwhile: they are not moved, unless they stand where the step was taken. The first state
    beyond a budget is the last, and no tab is moved there. Raises BadInput as `procedure.iterate` does.
    """
    network, settings = pruning.network, pruning.settings
    start = step_at(network, run.timeline, folder, settings) if run.timeline else None
    steps = procedure.iterate(network, pruning.splits, settings, report, start, on_loss)
    if start is None:
        run = replace(run, timeline=timeline.start(next(steps).metrics))
        write_run(folder, run)
    yield run
    number = run.states.current
    for step in steps:
        weights = write_weights(folder, step.network, step.saliency) if settings.updates else None
        state = _state(run.states, number, network.units, step, settings, weights)
        follow = settings.spent(step.metrics) is None
        run = grow(folder, run, partial(timeline.step, state=state, follow=follow), change)
        number = newest_state(run.states)
        yield run


def step_at(network: Network, states: Timeline, folder: Path, settings: Settings) -> PruningStep:
    """The step that the procedure goes on from: a run's current state, with the network as it was then.

    The evidence of its updates comes with it where the same criterion was estimated from them.
    """
    removed, updates = timeline.removed_at(states, network.units), timeline.updates_at(states)
    pruned, state, chosen = pruned_at(network, states, folder), states.state, ("criterion", "evidence")
    same = settings.evidence == UPDATES and all(state.settings.get(n) == getattr(settings, n) for n in chosen)
    saliency = read_saliency(folder / state.weights) if state.weights and same else None
    return PruningStep(states.current, pruned, removed, state.metrics, state.pruned, updates, saliency)


def newest_state(states: Timeline) -> int:
    """The number of the state that was added last."""
    return states.made - 1


def why_ended(costs: Costs, states: Timeline, number: int, settings: Settings) -> str:
    """One sentence on why the steps ended with this state."""
    return ending(costs, timeline.removed_at(states, costs.units, number), states.states[number].metrics, settings)


def _state(
    states: Timeline, parent: int, units: Units, step: PruningStep, settings: Settings, weights: str | None
) -> State:
    """The state that a step of the procedure makes."""
    taken = timeline.units_taken(states, parent, units, step.removed)
    how = f"{counted(len(taken), 'unit')} by {settings.by}"
    return State(parent, taken, how, step.metrics, step.pruned, settings.updates, weights, asdict(settings))


def _is_beyond_a_budget(states: Timeline) -> bool:
    """Whether the last step spent a budget, so that none follows."""
    return max(states.states) != states.current


def _with_last_weights(run: Run, folder: Path) -> Run:
    """The run, on disk, without the weights of all states but the current one."""
    found = replace(run, timeline=timeline.forget_weights(run.states, run.states.current))
    write_run(folder, found)
    drop_unnamed(folder, found.states)
    return found


def _finish(network: Network, run: Run, folder: Path) -> Run:
    """The network is written before the run is called finished; one that can't be exported is cut anew on opening."""
    metrics = {"before": asdict(run.states.root.metrics), "after": asdict(run.states.state.metrics)}
    provenance = {"network": run.network, "data": run.data, "settings": run.settings}
    try:
        content = to_bytes(pruned_at(network, run.states, folder), metrics=metrics, provenance=provenance)
    except BadInput:
        files = {}
    else:
        files = digests(write_whole(folder / RUN_NETWORK, content))
    finished = replace(run, finished=True, files=files)
    write_run(folder, finished)
    return finished
