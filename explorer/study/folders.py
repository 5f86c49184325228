"""Study folders: what is studied, and every finished part, each a file that is whole or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.study.bench import Found
from explorer.study.parts import PARTS, Part
from explorer.text import quoted

FORMAT = "pruning-explorer study 1"
BEGUN, WHOLE, REPORT = "begun.json", "study.json", "report.html"
LARGEST = 256 * 1024**2  # bytes of a file that is read
MEASURED = "Seconds and latencies: measured anew in every run, and no part of what two studies must have in common."


@dataclass(frozen=True)
class Study:
    """What a folder holds: the network, images and settings, and the parts that are there, as plain values."""

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
        return {**told(part), **{name: found[name] for name in ("setting", "findings", "result")}}


def told(part: Part) -> dict[str, Any]:
    """What is known of a part before it is measured: the table's texts and the published figures, as plain values."""
    texts = {name: getattr(part, name) for name in ("name", "title", "paper", "computes", "look")}
    return {**texts, "published": json.loads(json.dumps(asdict(part.published)))}


def begin(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what is studied into the folder; BadInput where it holds another study."""
    path, asked = folder / BEGUN, json.loads(json.dumps({"format": FORMAT, **about}))
    if not path.is_file():
        write_whole(path, json.dumps(asked, indent=1).encode())
        return
    held = _content(path)
    for name, value in _facts(asked).items():
        if (there := _facts(held).get(name)) != value:
            raise BadInput(f"{folder} holds a study with {name} {there}, not {value}: give another folder.")


def keep(folder: Path, name: str, found: Found) -> None:
    """Write a part that is done."""
    write_whole(_path(folder, name), json.dumps(found.to_json(), allow_nan=False).encode())


def read_study(folder: Path) -> Study:
    """What a folder holds, finished or not; a part's file that is damaged counts as missing. BadInput without one."""
    if not holds_study(folder):
        raise BadInput(
            f"{quoted(str(folder), 200)} is not the folder of a study: it holds no {BEGUN} that can be read."
        )
    content = _content(folder / BEGUN)
    about = {name: content[name] for name in ("network", "data", "settings")}
    found = {name: part for name in PARTS if (part := _read_part(_path(folder, name)))}
    return Study(about, found)


def holds_study(folder: Path) -> bool:
    """Whether a study has begun there."""
    try:
        return (folder / BEGUN).is_file()
    except OSError:  # a name that no file can have, or one that must not be read
        return False


def _path(folder: Path, name: str) -> Path:
    return folder / f"part-{name}.json"


def _content(path: Path) -> dict[str, Any]:
    try:
        content = _json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged: it is not JSON.") from error
    parts = ("network", "data", "settings")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInput(f"{path} is not in the format {FORMAT!r}.")
    if not all(isinstance(content.get(name), dict) for name in parts):
        raise BadInput(f"{path} is damaged: it does not say what was studied.")
    return content


def _read_part(path: Path) -> dict[str, Any] | None:
    try:
        found = _json(path)
        return found if set(found) == {"result", "setting", "findings", "measured"} else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _json(path: Path) -> Any:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} is too large")
    return json.loads(path.read_bytes())


def _facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same for a study to go on."""
    data = content["data"]
    known = {"network": content["network"].get("digest"), "data": data.get("digest")}
    return {**known, **content["settings"], "splits": data.get("splits")}
