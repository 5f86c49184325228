"""Stages: as loaded, pruned or fine-tuned, the condition of a state's weights when it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from explorer.core.text import counted
from explorer.runs.timeline import State, Timeline, path

LOADED = "as loaded"  # whatever was done to it before
PRUNED = "before fine-tuning"
TUNED = "after fine-tuning"
CUT = "pruned after fine-tuning"
STAGES = (LOADED, PRUNED, TUNED, CUT)
_SAID = {TUNED: "after {}", CUT: "pruned after {}, not fine-tuned since"}


@dataclass(frozen=True)
class Stage:
    """kind: one of STAGES; updates: fine-tuning minibatches since the network was loaded."""

    kind: str = LOADED
    updates: int = 0

    def __str__(self) -> str:
        """In words, with the number of updates: "after 9 fine-tuning updates"."""
        return _SAID.get(self.kind, self.kind).format(counted(self.updates, "fine-tuning update"))

    @property
    def pruned(self) -> Stage:
        """The stage of the same network after more units have gone."""
        return Stage(CUT if self.updates else PRUNED, self.updates)


def following(before: Stage, state: State) -> Stage:
    """The stage of a state whose parent's is `before`."""
    pruned = before.pruned if state.removed else before
    return Stage(TUNED, pruned.updates + state.updates) if state.updates else pruned


def stage_at(timeline: Timeline, number: int | None = None) -> Stage:
    """The stage of the current state, or of another."""
    return reduce(following, (timeline.states[each] for each in path(timeline, number)), Stage())


def stages(timeline: Timeline) -> dict[int, Stage]:
    """The stage of every state, by its number."""
    found: dict[int, Stage] = {}
    for number in sorted(timeline.states):  # parents come before their children
        state = timeline.states[number]
        found[number] = following(Stage() if state.parent is None else found[state.parent], state)
    return found
