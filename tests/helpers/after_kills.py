"""What a run must still say after its process was killed: all that a page had shown, and figures that come back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer import open_network
from explorer.data import open_images
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.load import batches_for
from explorer.networks.surgery import prune
from explorer.runs.store import at_state, pruned_at, read_run
from explorer.runs.timeline import Timeline, path, removed_at

PLACE = re.compile(r"state (\d+) of \d+: (.*)")


@dataclass(frozen=True)
class Asked:
    """Something that changes the run, said before it is done."""

    what: str
    number: int  # the state that it is about
    gone: frozenset[int] = frozenset()  # states that it deletes
    then: int | None = None  # the state where one is after that


@dataclass(frozen=True)
class Seen:
    """A state as the page showed it."""

    number: int
    label: str  # its name, or how it was made
    facts: tuple[str, ...]  # units, parameters, FLOPs, loss, accuracy


Event = Asked | Seen


def seen(place: str, facts: Sequence[str]) -> Seen:
    """What the page's state bar says; it calls the place "state 1 of 2: 10 units by Taylor"."""
    found = PLACE.fullmatch(place)
    assert found, place
    return Seen(int(found[1]), found[2], tuple(facts))


def deletion(folder: Path, number: int) -> Asked:
    """Deleting a state, with all that was made from it so far."""
    timeline = read_run(folder).timeline
    assert timeline
    gone = frozenset(other for other in timeline.states if number in path(timeline, other))
    return Asked("delete", number, gone, timeline.states[number].parent)


def await_writing(folder: Path, patience: float = 5.0) -> None:
    """Return as soon as a file of the run is half written, or when that does not happen."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and not any(folder.rglob(".*.tmp")):
        time.sleep(0.0005)


def held(timeline: Timeline) -> list[Event]:
    """What a page would show of every state."""
    return [Seen(n, state.name or state.how, shown(state.metrics)) for n, state in timeline.states.items()]


def lost(timeline: Timeline, events: Sequence[Event]) -> Iterator[str]:
    """What a page had shown as done, and the run on disk does not say."""
    for place, event in enumerate(events):
        after = events[place + 1 :]
        if isinstance(event, Seen):
            yield from _changed(timeline, event, after)
        elif any(isinstance(other, Seen) and other.number == event.then for other in after):
            yield from (f"state {number} was deleted and is back" for number in event.gone & timeline.states.keys())


def _changed(timeline: Timeline, event: Seen, after: Sequence[Event]) -> Iterator[str]:
    """What is other than it was seen, and not because somebody asked for it later."""
    asked = [other for other in after if isinstance(other, Asked)]
    if any(event.number in other.gone for other in asked):
        return
    state = timeline.states.get(event.number)
    if state is None:
        yield f"state {event.number} is lost"
        return
    if (found := shown(state.metrics)) != event.facts:
        yield f"state {event.number} has {found}, not {event.facts}"
    if (state.name or state.how) != event.label and Asked("rename", event.number) not in asked:
        yield f"state {event.number} is called {state.name or state.how!r}, not {event.label!r}"


def shown(metrics: Metrics) -> tuple[str, ...]:
    """The facts of a state as the bar shows them."""
    from explorer.ui.elements.wording import facts

    return tuple(value for _, value, _ in facts(metrics, metrics))


class Measured:
    """The states of runs of the demo measured anew, each once."""

    def __init__(self, images: int) -> None:
        self.network = open_network("demo")
        self.costs = measure_costs(self.network)
        self.validation = batches_for(self.network, open_images("demo"), "validation", images)
        self.found: dict[object, tuple[Metrics, Metrics | None]] = {}

    def differing(self, timeline: Timeline, folder: Path) -> list[int]:
        """States whose metrics, after or before their fine-tuning, are not to the last bit those that the run says."""
        found = {number: self.of(timeline, folder, number) for number in timeline.states}
        return [number for number, state in timeline.states.items() if (state.metrics, state.pruned) != found[number]]

    def of(self, timeline: Timeline, folder: Path, number: int) -> tuple[Metrics, Metrics | None]:
        """The metrics of a state, and those before its fine-tuning if it had some."""
        way = tuple((timeline.states[n].removed, timeline.states[n].weights) for n in path(timeline, number))
        if way not in self.found:
            tuned = timeline.states[number].updates
            self.found[way] = (self._tuned if tuned else self._gated)(timeline, folder, number)
        return self.found[way]

    def _gated(self, timeline: Timeline, folder: Path, number: int) -> tuple[Metrics, None]:
        removed = removed_at(timeline, self.network.units, number)
        outcome = evaluate(at_state(self.network, timeline, folder, number).whole(), self.validation, removed)
        return metrics_of(outcome, self.costs, removed), None

    def _tuned(self, timeline: Timeline, folder: Path, number: int) -> tuple[Metrics, Metrics]:
        units, parent = self.network.units, timeline.states[number].parent
        removed, above = removed_at(timeline, units, number), removed_at(timeline, units, parent)
        before = prune(pruned_at(self.network, timeline, folder, parent), removed[~above])
        after = pruned_at(self.network, timeline, folder, number)
        then, now = (metrics_of(evaluate(n, self.validation), self.costs, removed) for n in (before, after))
        return now, then
