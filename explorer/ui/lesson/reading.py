"""Reading: a lesson from a TOML file, each of its words checked before anybody sees a page of it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from explorer.core.bounds import LESSON_BYTES, LESSON_STEPS, LESSON_TEXT, check_file
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.pruning.goals import GOALS
from explorer.pruning.selectors import SELECTORS
from explorer.scoring.ranking import SCALINGS
from explorer.ui.lesson.sightings import SIGHTINGS

BUILT_IN = Path(__file__).with_name("lesson.toml")
PAGES = tuple(sorted(path.parent.name for path in Path(__file__).parents[1].glob("pages/*/page.py")))
WAYS = ("once", "race", "here")
TEXTS = ("page", "question", "do")  # which every step has
FIELDS = (*TEXTS, "seen", "settings")


@dataclass(frozen=True)
class Step:
    """One step: a question, on which page, what to do there, what is seen then, and how the controls are set."""

    page: str
    question: str
    do: str
    seen: str = ""  # a name of SIGHTINGS; none: there is nothing to be seen, and whoever reads it has done it
    settings: Mapping[str, Any] = field(default_factory=dict)  # name of SETTINGS -> value


@dataclass(frozen=True)
class Lesson:
    """A title and steps, which count from 1."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Setting:
    """A control that a step may set: what it is, what it may be, and whether a value is so."""

    what: str
    may_be: str
    fits: Callable[[object], bool]


def _among(what: str, names: Iterable[str]) -> Setting:
    known = tuple(names)
    return Setting(what, f"one of {', '.join(known)}", lambda value: value in known)


def _all_among(what: str, names: Iterable[str]) -> Setting:
    known = tuple(names)
    return Setting(
        what,
        f"a list of some of {', '.join(known)}",
        lambda value: isinstance(value, list) and bool(value) and all(each in known for each in value),
    )


SETTINGS = {
    "criterion": _among("Criterion, on every page", SELECTORS),
    "scaling": _among("Scale per layer, on Saliency and Prune", SCALINGS),
    "oracle-scaling": _among("Scale per layer, on Oracle", SCALINGS),
    "compare-scaling": _among("Scale per layer, on Compare", SCALINGS),
    "measure": _among("what Prune's goal is of", GOALS),
    "target": Setting(
        "the number of a goal in per cent",
        "a whole number from 1 to 99",
        lambda value: type(value) is int and 1 <= value <= 99,
    ),
    "way": _among("how Compare compares", WAYS),
    "compared": _all_among("Criteria, on Compare", SELECTORS),
}


@cache
def built_in() -> Lesson:
    """The lesson of the app."""
    return read_lesson(BUILT_IN)


def read_lesson(path: Path) -> Lesson:
    """The lesson in a file.

    Raises BadInput for what is no such file, and for the first word in it that is not as assets/docs/lessons.md says.
    """
    try:
        check_file(path, LESSON_BYTES)
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"The lesson {path} can't be read ({error.strerror}): give another --lesson.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"The lesson {path} is no TOML file ({error}): mend it there.") from error
    where = f"The lesson {path}"
    _only(where, table, ("title", "step"))
    steps = table.get("step")
    if not isinstance(steps, list) or not steps or not all(isinstance(each, dict) for each in steps):
        raise BadInput(f"{where} has no steps: each begins with a line [[step]].")
    LESSON_STEPS.check(where, len(steps))
    found = tuple(_step(f"{where}, step {number},", each) for number, each in enumerate(steps, 1))
    return Lesson(_text(where, table, "title"), found)


def _step(where: str, table: Mapping[str, Any]) -> Step:
    _only(where, table, FIELDS)
    page, question, do = (_text(where, table, name) for name in TEXTS)
    _known(where, "page", page, PAGES)
    seen = table.get("seen", "")
    if seen != "":
        _known(where, "seen", seen, SIGHTINGS)
    settings = table.get("settings", {})
    if not isinstance(settings, dict):
        raise BadInput(f"{where} has settings = {quoted(settings)}: write {{ name = value }}.")
    for name, value in settings.items():
        _known(where, "setting", name, SETTINGS)
        if not SETTINGS[name].fits(value):
            raise BadInput(f"{where} sets {name} to {quoted(value)}: it must be {SETTINGS[name].may_be}.")
    return Step(page, question, do, str(seen), settings)


def _only(where: str, table: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if unknown := [name for name in table if name not in names]:
        raise BadInput(f"{where} has {quoted(unknown[0])}: it may have {', '.join(names)}.")


def _known(where: str, what: str, name: object, names: Iterable[str]) -> None:
    if not isinstance(name, str) or name not in names:
        raise BadInput(f"{where} has the {what} {quoted(name)}: it must be one of {', '.join(names)}.")


def _text(where: str, table: Mapping[str, Any], name: str) -> str:
    text = table.get(name)
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f'{where} needs a text {name} = "...", and has {quoted(text) if name in table else "none"}.')
    LESSON_TEXT.check(f"{where} in its {name}", len(text))
    return text.strip()
