"""Timelines as plain JSON values, and back; values from a file are checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.evaluation.metrics import Metrics
from explorer.runs.timeline import LONGEST_NAME, Scratch, State, Timeline, path

MAX_EXACT_INTEGER = 2**53  # of whole numbers: beyond, they are no counts
WEIGHTS = re.compile(r"[\w-]{1,80}\.safetensors", re.ASCII)


def to_json(timeline: Timeline) -> dict[str, Any]:
    """A timeline as plain JSON values; the states by number."""
    return asdict(timeline)


def from_json(data: Any) -> Timeline:
    """The timeline of such values. Raises BadInput if they are broken."""
    try:
        states = {_key(number): _state(entry, _key(number)) for number, entry in data["states"].items()}
        timeline = Timeline(states, *(_number(data[name]) for name in ("current", "tip", "made")))
        _check_tree(timeline)
        return timeline
    except BadInput:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as problem:
        raise BadInput("it lacks parts that every timeline has.") from problem


def _check_tree(timeline: Timeline) -> None:
    for number, state in timeline.states.items():
        above = state.parent
        if not (above is None if number == 0 else above is not None and above in timeline.states and above < number):
            raise BadInput(f"state {number} has no earlier parent.")
    for number in (0, timeline.current, timeline.tip):
        if number not in timeline.states:
            raise BadInput(f"there is no state {number}.")
    if timeline.made <= max(timeline.states):
        raise BadInput(f"it has a state {max(timeline.states)}, of {timeline.made}.")
    for number in timeline.states:
        labels = [label for each in path(timeline, number) for label in timeline.states[each].removed]
        if len(set(labels)) < len(labels):
            raise BadInput(f"state {number} removes a unit twice.")


def _state(entry: dict[str, Any], number: int) -> State:
    parent, pruned = entry["parent"], entry["pruned"]
    return State(
        parent=None if parent is None else _number(parent),
        removed=tuple((_text(layer), _number(channel)) for layer, channel in entry["removed"]),
        how=_text(entry["how"]),
        metrics=metrics_from_json(entry["metrics"]),
        pruned=None if pruned is None else metrics_from_json(pruned),
        updates=_number(entry["updates"]),
        weights=_weights(entry["weights"], number),
        settings=_settings(entry["settings"]),
        name=_text(entry["name"])[:LONGEST_NAME],
        scratch=_scratch(entry.get("scratch")),
    )


def _scratch(entry: Any) -> Scratch | None:
    if entry is None:
        return None
    return Scratch(metrics_from_json(entry["metrics"]), _number(entry["updates"]), _settings(entry["settings"]))


def _weights(name: object, number: int) -> str | None:
    if name is not None and not (isinstance(name, str) and WEIGHTS.fullmatch(name)):
        raise BadInput(f"weights of state {number} must be a .safetensors file beside it.")
    return name


def _key(number: str) -> int:
    if str(int(number)) != number:
        raise ValueError(f"{quoted(number)} is not how a whole number is written")
    return _number(int(number))


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_EXACT_INTEGER:
        raise TypeError(f"{quoted(value)} is no whole number from 0")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{quoted(value)} is no text")
    return value


def _settings(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("settings are no object")
    return value


def metrics_from_json(entry: Mapping[str, Any]) -> Metrics:
    """The metrics of such values, without what a newer version adds; KeyError, TypeError or ValueError where broken."""
    found: dict[str, Any] = {}
    unmeasured = {"loss", "accuracy"} if entry.get("images") == 0 else set[str]()
    for field in fields(Metrics):
        value = entry.get(field.name, field.default)
        if field.name in unmeasured:
            if value is not None:
                raise ValueError(f"{field.name} can't be {quoted(value)} on no images")
        elif value is not None or field.default is not None:
            _check_measured(field.name, value, int if field.type == "int" else int | float)
        found[field.name] = value
    return Metrics(**found)


def _check_measured(name: str, value: Any, kind: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
        raise TypeError(f"{name} is no such number")
    if not 0 <= value <= {"accuracy": 1}.get(name, MAX_EXACT_INTEGER if kind is int else math.inf):
        raise ValueError(f"{name} can't be {quoted(value)}")
