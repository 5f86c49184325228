"""Table files: the image that each row of a table names, in whichever way people write paths."""

from __future__ import annotations

import re
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
    other_case: dict[Path, str] = field(default_factory=dict)  # images named with other capitals, and that name
    _listings: dict[Path, dict[str, list[Path]]] = field(default_factory=dict)
    _listed: int = 0  # entries of all these folders

    def located(self, line: int, name: str) -> Path:
        """The file that a row names, which may be absent; raises BadInput if several have the name that it gives.

        A path relative to the table, with slashes of either kind; its suffix may be left out, and so may the folder, if
        that is beside the table, and capital letters may be small where no other file is meant. Of a path of another
        computer the longest ending that is there counts.
        """
        if WEB.match(name):
            raise BadInput(f"{self.table}, line {line}, names {quoted(name)}: nothing is downloaded; name files.")
        path = self._named(line, name)
        if path.exists():
            return path
        if other := self._in_other_case(line, name, path):
            self.other_case[other] = name
            return other
        if "/" in name or "\\" in name:
            return self._ending_like(line, name) or path
        alike = self._beside.get(name.casefold(), [])
        found = [file for file in alike if name in (file.name, file.stem)] or alike
        self._check_one(line, name, found)
        if not found:
            return path
        self.borrowed[found[0]] = found[0].parent.name
        if name not in (found[0].name, found[0].stem):
            self.other_case[found[0]] = name
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
            number = counted(len(self.foreign), "path")
            alike = f"what ends alike here is read, as {self._here(path)} for {quoted(name)}"
            said.append(f"{number} of another place: {alike}.")
        for path, name in list(self.other_case.items())[:1]:
            number = counted(len(self.other_case), "name")
            said.append(f"{number} with other capitals than the files': {self._here(path)} is read for {quoted(name)}.")
        return " ".join(said)

    def forget(self) -> None:
        """Begin anew with what was found elsewhere than it is named."""
        self.borrowed.clear()
        self.foreign.clear()
        self.other_case.clear()

    def _here(self, path: Path) -> str:
        return path.relative_to(self.table.parent).as_posix()

    def _in_other_case(self, line: int, name: str, path: Path) -> Path | None:
        """The only file whose path from the table's folder differs from this one in capital letters alone."""
        here = self.table.parent
        if not path.is_relative_to(here) or ".." in path.parts:
            return None
        for part in path.relative_to(here).parts:
            alike = self._alike(here).get(part.casefold(), []) if here.is_dir() else []
            found = [each for each in alike if part in (each.name, each.stem)] or alike
            self._check_one(line, name, found)
            if not found:
                return None
            here = found[0]
        return here if here.is_file() else None

    def _ending_like(self, line: int, name: str) -> Path | None:
        """The image beside the table with the longest ending that this path has too."""
        parts = PureWindowsPath(name).parts
        endings = [self.table.parent.joinpath(*parts[start:]) for start in range(1, len(parts)) if ".." not in parts]
        found = next((path for path in endings if path.is_file()), None)
        found = found or next(filter(None, (self._in_other_case(line, name, path) for path in endings)), None)
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
        """As `_alike`, of all folders beside the table together."""
        found: dict[str, list[Path]] = {}
        for folder in self._entries(self.table.parent):
            if folder.is_dir() and folder.name[:1] != ".":
                for name, paths in self._alike(folder).items():
                    found.setdefault(name, []).extend(path for path in paths if path.suffix.lower() in SUFFIXES)
        return found

    def _alike(self, folder: Path) -> dict[str, list[Path]]:
        """Name in small letters, of images without suffix too -> what is called so in a folder."""
        if folder not in self._listings:
            found: dict[str, list[Path]] = {}
            for path in self._entries(folder):
                for name in (path.name, path.stem) if path.suffix.lower() in SUFFIXES else (path.name,):
                    found.setdefault(name.casefold(), []).append(path)
            self._listings[folder] = found
        return self._listings[folder]

    def _entries(self, folder: Path) -> list[Path]:
        try:
            found = sorted(folder.iterdir())
        except OSError as error:
            raise BadInput(f"folder {error.filename} can't be read: {error.strerror}.") from error
        self._listed += len(found)
        FOLDER_ENTRIES.check(self.table.parent, self._listed)
        return found
