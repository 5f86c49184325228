"""Audits: every kept file below a folder against the SHA-256 that its document, or its name, says it has."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from explorer.core import locks
from explorer.core.documents import CHANGED, DocumentFormat, is_older, read_checked, read_document
from explorer.core.errors import BadInput
from explorer.data.uploads import content_of, is_home, place_of
from explorer.networks.load import RUN_NETWORK
from explorer.runs import race_folders, tunings
from explorer.runs import store as runs
from explorer.runs.origins import source_from_json
from explorer.runs.store import BATCH, DIGITS, INTERACTIVE, Run
from explorer.study import folders as studies

OK, DAMAGED, MISSING, UNCHECKED, UNKNOWN = "ok", "damaged", "missing", "unchecked", "unknown"
BAD = (DAMAGED, MISSING)
OLDER = "written by a version that kept no SHA-256"
SHA256 = re.compile(r"[0-9a-f]{64}")
UPLOADS = "uploads"
EXPORT_FILES = ("manifest.json", "proof.safetensors")  # that folders of exports hold
T = TypeVar("T")


@dataclass(frozen=True)
class Checked:
    """One file, and how it is."""

    path: Path
    what: str  # what it is, for people
    standing: str  # OK, DAMAGED, MISSING; UNCHECKED: it can't be told; UNKNOWN: nothing says what it is
    why: str = ""


def audit(folder: Path) -> list[Checked]:
    """Every file below a work folder, or below one run, race, study or fine-tuning, in the order of their paths.

    Nothing is changed, and links are not followed. Raises BadInput if there is no such folder, or nothing is kept in
    it.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder: give a work folder, or the folder of a run, a race or a study.")
    found: dict[Path, Checked] = {}
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        files += [here / name for name in names]
        for each in _in_folder(here, [*folders, *names]):
            found[each.path] = each
        if is_home(here):  # its folders are judged as a whole
            folders.clear()
    if not found:
        raise BadInput(f"{folder} holds nothing that the app or a command has kept: give another folder.")
    others = (_other(path) for path in files if path not in found)
    return sorted([*found.values(), *others], key=lambda each: each.path)


def _in_folder(folder: Path, names: list[str]) -> Iterator[Checked]:
    """The checks of a folder's files against its documents, and of the documents themselves."""
    for name, check in CHECKS.items():
        if name in names:
            yield from check(folder)
    if folder.name == UPLOADS:
        yield from (_file(folder / name, name, "upload") for name in names if SHA256.fullmatch(name))
    if is_home(folder):
        yield from (_images(folder / name) for name in names if SHA256.fullmatch(name))
    if EXPORT_FILES[0] in names:
        yield from (Checked(folder / name, "export", UNCHECKED, "`verify` runs it") for name in names)


def _run(folder: Path) -> Iterator[Checked]:
    path = folder / runs.FILE
    run = _read(path, lambda: runs.read_run(folder))
    yield run if isinstance(run, Checked) else Checked(path, "run", *_age(path, runs.FORM))
    if isinstance(run, Checked):
        return
    states, older = run.timeline.states.values() if run.timeline else (), _age(path, runs.FORM)[0] == UNCHECKED
    for name in sorted({state.weights for state in states if state.weights}):
        yield _weights(folder / name)
    for name, digest in _of_fixed_names(run, older).items():
        found = _file(folder / name, digest, "network" if name == RUN_NETWORK else "optimizer")
        yield Checked(found.path, found.what, UNCHECKED, OLDER) if older and found.standing == OK else found
    if run.kind == INTERACTIVE:
        yield from _upload_of(folder, run)


def _of_fixed_names(run: Run, older: bool) -> Mapping[str, str | None]:
    """The files that a run must have, with their digests, which older versions do not name."""
    own = {RUN_NETWORK: None} if older and run.kind == BATCH and run.finished else {}
    return {**own, **run.files}


def _weights(path: Path) -> Checked:
    digest = path.stem.removeprefix("weights-")
    if len(digest) == DIGITS or not os.path.lexists(path):
        return _file(path, digest, "weights")
    return Checked(path, "weights", UNCHECKED, OLDER)


def _upload_of(folder: Path, run: Run) -> Iterator[Checked]:
    """The uploads that a run of the app began with, where they are gone: what is there is checked in its own folder."""
    try:
        source = source_from_json(run.network, run.data)
    except BadInput as problem:
        yield Checked(folder / runs.FILE, "run", DAMAGED, str(problem))
        return
    work = folder.parent.parent
    network = work / UPLOADS / source.network if SHA256.fullmatch(source.network) else None
    for path, what in ((network, "upload"), (place_of(source.data or "", work), "images")):
        if path and not os.path.lexists(path):
            yield Checked(path, what, MISSING, f"the run in {folder.name} began with it")


def _images(folder: Path) -> Checked:
    """Uploaded images, which lie under the digest of what they are."""
    try:
        same = content_of(folder) == folder.name
    except OSError as error:
        return Checked(folder, "images", DAMAGED, error.strerror or str(error))
    return Checked(folder, "images", OK) if same else Checked(folder, "images", DAMAGED, CHANGED)


def _race(folder: Path) -> Iterator[Checked]:
    path = folder / race_folders.FILE
    race = _read(path, lambda: race_folders.read_terms(folder))
    yield race if isinstance(race, Checked) else Checked(path, "race", *_age(path, race_folders.FORM))
    if not isinstance(race, Checked):
        for lane, read in race_folders.lanes_of(folder):
            yield _document(lane, "lane", race_folders.LANE, read)


def _study(folder: Path) -> Iterator[Checked]:
    path = folder / studies.BEGUN
    begun = _document(path, "study", studies.FORM, lambda: studies.read_begun(folder))
    yield begun
    if begun.standing not in BAD:
        for part, read in studies.parts_of(folder):
            yield _document(part, "part", studies.PART, read)
    for name in (studies.WHOLE, studies.REPORT):
        if os.path.lexists(folder / name):
            yield Checked(folder / name, "report", UNCHECKED, "made from the other files whenever the study ends")


def _tuning(folder: Path) -> Iterator[Checked]:
    path = folder / tunings.ASKED
    yield _document(path, "fine-tuning", tunings.FORM, lambda: tunings.read_tuning(path))


CHECKS: dict[str, Callable[[Path], Iterator[Checked]]] = {
    runs.FILE: _run,
    race_folders.FILE: _race,
    studies.BEGUN: _study,
    tunings.ASKED: _tuning,
}
"""Name of a document -> how its folder is checked."""


def _document(path: Path, what: str, form: DocumentFormat, read: Callable[[], object]) -> Checked:
    found = _read(path, read, what)
    return found if isinstance(found, Checked) else Checked(path, what, *_age(path, form))


def _read(path: Path, read: Callable[[], T], what: str = "") -> T | Checked:
    """The result of a reader, or why there is none."""
    try:
        return read()
    except BadInput as problem:
        return Checked(path, what or path.stem, DAMAGED, _why(path, problem))


def _age(path: Path, form: DocumentFormat) -> tuple[str, str]:
    return (UNCHECKED, OLDER) if is_older(read_document(path, form, ""), form) else (OK, "")


def _file(path: Path, digest: str | None, what: str) -> Checked:
    try:
        read_checked(path, digest)
    except BadInput as problem:
        return Checked(path, what, DAMAGED if os.path.lexists(path) else MISSING, _why(path, problem))
    return Checked(path, what, OK)


def _why(path: Path, problem: BadInput) -> str:
    return str(problem).removeprefix(f"{path} ").removeprefix("is damaged: ").rstrip(".")


def _other(path: Path) -> Checked:
    """A file that no document names."""
    if path.name == locks.NAME or (path.name.startswith(".") and path.suffix == ".tmp"):
        return Checked(path, "left over", UNKNOWN, "left by a process that writes here or was killed; it does no harm")
    if path.match("results/oracle-*.safetensors"):
        return Checked(path, "oracle", UNCHECKED, "checked when it is read, and measured anew where it is damaged")
    return Checked(path, "", UNKNOWN, "nothing names it")
