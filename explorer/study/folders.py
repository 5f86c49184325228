"""Study folders: what is studied, and every finished part, each a file that is whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from explorer.core.documents import DocumentFormat, damaged, digest_of, is_older, read_document, write_document
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.study.inputs import PartResult
from explorer.study.parts import PARTS, Part

FORMAT = "pruning-explorer study 1"  # of study.json, which is only written
FORM = DocumentFormat("pruning-explorer study", 2, without_digest=(1,))  # of begun.json
AGAIN = "delete this file, and going on with the study measures its part again"
PART = DocumentFormat("pruning-explorer study part", 2, without_digest=(1,), unnamed=True, remedy=AGAIN)
BEGUN, WHOLE, REPORT = "begun.json", "study.json", "report.html"
RESULTS = ("result", "setting", "findings", "measured")
MEASURED = "Seconds and latencies: measured anew in every run, and no part of what two studies must have in common."


@dataclass(frozen=True)
class Study:
    """The contents of a study folder: network, images and settings, and the finished parts, as plain values."""

    about: Mapping[str, Any]  # "network", "data", "settings"
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name -> what `Found.to_json` gave

    @property
    def missing(self) -> list[Part]:
        """The parts that are still to be done."""
        return [part for name, part in PARTS.items() if name not in self.parts]

    def to_json(self) -> dict[str, Any]:
        """The whole study, with the published figures; what is timed stands apart under "measured"."""
        return {
            "format": FORMAT,
            **self.about,
            "parts": [self._part(part) for part in PARTS.values() if part.name in self.parts],
            "missing": [part.name for part in self.missing],
            "measured": {"about": MEASURED, **{name: found["measured"] for name, found in self.parts.items()}},
        }

    def _part(self, part: Part) -> dict[str, Any]:
        found = self.parts[part.name]
        return {**unmeasured_part(part), **{name: found[name] for name in ("setting", "findings", "result")}}


def unmeasured_part(part: Part) -> dict[str, Any]:
    """A part before it is measured: the table's texts and the published figures, as plain values."""
    texts = {name: getattr(part, name) for name in ("name", "title", "paper", "computes", "look")}
    return {**texts, "published": json.loads(json.dumps(asdict(part.published)))}


def begin_study(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what is studied into the folder; raises BadInput if it holds another study."""
    path, asked = folder / BEGUN, json.loads(json.dumps(about))
    if not holds_study(folder):
        write_document(path, FORM, asked)
        return
    held = _content(path)
    for name, value in _facts(asked).items():
        if (there := _facts(held).get(name)) != value:
            raise BadInput(f"{folder} holds a study with {name} {there}, not {value}: give another folder.")


def write_part(folder: Path, name: str, found: PartResult) -> None:
    """Write a part that is done."""
    of_study = digest_of(_content(folder / BEGUN))
    write_document(_path(folder, name), PART, {"study": of_study, "name": name, **found.to_json()})


def read_study(folder: Path) -> Study:
    """What a folder holds, finished or not. Raises BadInput if there is no study, or one of its files is damaged."""
    if not holds_study(folder):
        raise BadInput(
            f"{quoted(str(folder), 200)} is not the folder of a study: it holds no {BEGUN} that can be read."
        )
    content = read_begun(folder)
    about = {name: content[name] for name in ("network", "data", "settings")}
    found = {path.stem.removeprefix("part-"): read() for path, read in parts_of(folder)}
    return Study(about, found)


def read_begun(folder: Path) -> dict[str, Any]:
    """What is studied in a folder; raises BadInput if its file is damaged."""
    return _content(folder / BEGUN)


def parts_of(folder: Path) -> list[tuple[Path, Callable[[], dict[str, Any]]]]:
    """The file of each finished part, and what reads it: Raises BadInput if that is damaged, or another part's."""
    of_study = digest_of(read_begun(folder))
    found = [(_path(folder, name), name) for name in PARTS]
    return [(path, partial(_read_part, path, name, of_study)) for path, name in found if os.path.lexists(path)]


def holds_study(folder: Path) -> bool:
    """Whether a study has begun there."""
    try:
        return os.path.lexists(folder / BEGUN)
    except (OSError, ValueError):  # a name that no file can have, or one that must not be read
        return False


def _path(folder: Path, name: str) -> Path:
    return folder / f"part-{name}.json"


def _content(path: Path) -> dict[str, Any]:
    content = read_document(path, FORM, f"{path} is gone.")
    if not all(isinstance(content.get(name), dict) for name in ("network", "data", "settings")):
        raise damaged(path, "it does not say what was studied")
    return content


def _read_part(path: Path, name: str, of_study: str) -> dict[str, Any]:
    found = read_document(path, PART, f"{path} is gone.")
    if not is_older(found, PART) and (found.get("study"), found.get("name")) != (of_study, name):
        raise damaged(path, "it is of another study, or another part", AGAIN)
    if not set(RESULTS) <= set(found):
        raise damaged(path, "it does not hold what was measured", AGAIN)
    return {each: found[each] for each in RESULTS}


def _facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """The values that must be the same for a study to go on."""
    data = content["data"]
    known = {"network": content["network"].get("digest"), "data": data.get("digest")}
    return {**known, **content["settings"], "splits": data.get("splits")}
