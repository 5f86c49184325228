"""Table files: the image that each row of a table names, in whichever way people write paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath

from explorer.core.bounds import FOLDER_ENTRIES
from explorer.core.errors import BadInput
from explorer.core.text import counted, quoted
from explorer.data.decoding import SUFFIXES
from explorer.data.images import first_names

WEB = re.compile("[a-z][a-z0-9+.-]+://", re.IGNORECASE)
ENDS = sorted({end for suffix in SUFFIXES for end in (suffix, suffix.upper())})


@dataclass
class TableFiles:
    """The images around a table: beside it, or in the folders beside it."""

    table: Path
    borrowed: dict[Path, str] = field(default_factory=dict)  # images named without the folder that they were found in
    foreign: dict[Path, str] = field(default_factory=dict)  # images named by a path of another computer, and that path

    def located(self, line: int, name: str) -> Path:
        """The file that a row names, which may be absent; raises BadInput if several have the name that it gives.

        A path relative to the table, with slashes of either kind; its suffix may be left out, and so may the folder, if
        that is beside the table. Of a path of another computer the longest ending that is there counts.
        """
        if WEB.match(name):
            raise BadInput(f"{self.table}, line {line}, names {quoted(name)}: nothing is downloaded; name files.")
        path = self._named(line, name)
        if path.exists():
            return path
        if "/" in name or "\\" in name:
            return self._ending_like(name) or path
        found = self._beside.get(name, [])
        self._check_one(line, name, found)
        if not found:
            return path
        self.borrowed[found[0]] = found[0].parent.name
        return found[0]

    def is_there(self, name: str, *, beside: bool) -> bool:
        """Whether a cell is the path of an image, in the folders `beside` the table too."""
        try:
            return (self.located if beside else self._named)(1, name).is_file()
        except (OSError, ValueError):  # no name that a file can have
            return False

    def note(self) -> str:
        """How many images were found in other folders than the table names, or ""."""
        folders, said = sorted(set(self.borrowed.values())), []
        if folders:
            said.append(f"{len(self.borrowed):,} images named without a folder are in {first_names(folders)}.")
        for path, name in list(self.foreign.items())[:1]:
            here = path.relative_to(self.table.parent).as_posix()
            number = counted(len(self.foreign), "path")
            said.append(f"{number} of another place: what ends alike here is read, as {here} for {quoted(name)}.")
        return " ".join(said)

    def forget(self) -> None:
        """Begin anew with what was found elsewhere than it is named."""
        self.borrowed.clear()
        self.foreign.clear()

    def _ending_like(self, name: str) -> Path | None:
        """The image beside the table with the longest ending that this path has too."""
        parts = PureWindowsPath(name).parts
        endings = (self.table.parent.joinpath(*parts[start:]) for start in range(1, len(parts)))
        found = next((path for path in endings if ".." not in parts and path.is_file()), None)
        if found:
            self.foreign[found] = name
        return found

    def _named(self, line: int, name: str) -> Path:
        path = self.table.parent / name
        if path.exists():
            return path
        path = self.table.parent / (PureWindowsPath(name).as_posix() if "\\" in name else name)
        if path.suffix.lower() in SUFFIXES or path.exists():
            return path
        found = [whole for end in ENDS if (whole := path.with_name(path.name + end)).exists()] if path.name else []
        self._check_one(line, name, found)
        return found[0] if found else path

    def _check_one(self, line: int, name: str, found: list[Path]) -> None:
        if len(found) > 1:
            both = f"both {found[0]} and {found[1]} are there"
            raise BadInput(f"{self.table}, line {line}, names {name}: {both}; give the whole path.")

    @cached_property
    def _beside(self) -> dict[str, list[Path]]:
        """Name with or without suffix -> the images of that name in the folders beside the table."""
        found: dict[str, list[Path]] = {}
        for count, path in enumerate(self._listed()):
            FOLDER_ENTRIES.check(self.table.parent, count)
            if path.suffix.lower() in SUFFIXES:
                for name in (path.name, path.stem):
                    found.setdefault(name, []).append(path)
        return found

    def _listed(self) -> Iterator[Path]:
        try:
            with os.scandir(self.table.parent) as entries:
                folders = sorted(Path(entry.path) for entry in entries if entry.is_dir() and entry.name[:1] != ".")
            for folder in folders:
                yield from sorted(folder.iterdir())
        except OSError as error:
            raise BadInput(f"folder {error.filename} can't be read: {error.strerror}.") from error
