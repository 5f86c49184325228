"""The job behind the Export page: the files of one state, each proven on the images that the pages show."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from explorer.core.text import counted
from explorer.export.folders import MANIFEST
from explorer.export.formats import FORMATS, Format
from explorer.export.proof import IMAGES, RANDOM, Proof, Verdict
from explorer.export.staging import remove_unused
from explorer.export.states import StateOfRun, export_state
from explorer.jobs.job import LONG, Job
from explorer.runs.origins import source_to_json
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.run_jobs import EXPORT, key_of
from explorer.ui.work.session import View, run_folder
from explorer.ui.work.workspace import workdir

STATES_KEPT = 4  # states of a run whose files stay in the work folder


@dataclass(frozen=True)
class ExportedState:
    """The files of one state, and how they did."""

    files: dict[Format, Path]
    manifest: Path
    verdicts: tuple[Verdict, ...]
    compared_on: str  # in words
    largest: float  # |logit| of all that the files were compared with

    @property
    def there(self) -> bool:
        """Whether the files are still there."""
        return all(path.is_file() for path in (*self.files.values(), self.manifest))

    def verdict(self, of: Format) -> Verdict | None:
        """The verdict on a file; None for a file that can't be run."""
        return next((each for each in self.verdicts if each.format == of.name), None)

    @property
    def offered(self) -> dict[Format, Path]:
        """The files that compute what the pages showed, and those that compute nothing."""
        failed = {each.format for each in self.verdicts if not each.ok}
        return {each: path for each, path in self.files.items() if each.name not in failed}


@dataclass(frozen=True, eq=False)
class PinnedExport:
    """A folder of exports that a tab shows: kept in the tab's session, and gone with it."""

    folder: Path

    def __post_init__(self) -> None:
        _SHOWN.add(self)


_SHOWN: WeakSet[PinnedExport] = WeakSet()  # of all tabs


def folder_of(run: str, number: int) -> Path:
    """The folder of the exported files of a run's state."""
    return workdir() / "exports" / run / f"state-{number}"


def make(view: View, number: int, names: Sequence[str]) -> Job:
    """Start making and proving the files of a state."""
    folder, state = folder_of(view.run, number), _state(view, number)

    def work(job: Job) -> ExportedState:
        paths, verdicts, proof = export_state(state, folder, names, job.report)
        tidy(folder)  # not before: a job that is cancelled deletes nothing
        files = {each: paths[each.name] for each in FORMATS.values() if each.name in paths}
        return ExportedState(files, folder / MANIFEST, verdicts, _compared_on(proof), float(proof.logits.abs().max()))

    return JOBS.submit(key_of(EXPORT, view.run, number), f"Files of state {number}", work, LONG)


def _state(view: View, number: int) -> StateOfRun:
    """A state of the run in view, with the images that the pages show and where network and images are from."""
    loaded = view.loaded
    network, data = source_to_json(loaded.source)
    provenance = {
        "network": {**network, "digest": loaded.network.digest},
        "data": {**data, "digest": loaded.images.digest if loaded.given else None},
        "settings": dict(view.timeline.states[number].settings),
    }
    images = loaded.validation if loaded.given else None
    return StateOfRun(loaded.network, view.timeline, run_folder(view.run), number, images, provenance)


def _compared_on(proof: Proof) -> str:
    return counted(proof.images, "validation image") if proof.images else proof.compared_on


def compared_on(view: View) -> str:
    """The inputs that files are run on, in words."""
    return view.loaded.validated_on if view.loaded.given else RANDOM.format(IMAGES)


def tidy(coming: Path) -> None:
    """Let older files go, now that those of one more state have come into the folder `coming`: exports do not pile up.

    Of its run the STATES_KEPT states that were exported last stay, this one among them; of any other run as many, and
    none where the run itself is gone. An export that a tab shows stays, and so does one that is being written.
    """
    for run in [path for path in coming.parent.parent.glob("*") if path.is_dir()]:
        others = sorted((path for path in run.iterdir() if path != coming), key=_age)
        known = run == coming.parent or run_folder(run.name).is_dir()
        for folder in others[(STATES_KEPT - (run == coming.parent)) * known :]:
            if folder not in {each.folder for each in list(_SHOWN)} and remove_unused(folder):
                JOBS.forget(key_of(EXPORT, run.name, int(folder.name.removeprefix("state-"))))
        with suppress(OSError):  # it holds what has stayed
            run.rmdir()


def _age(folder: Path) -> float:
    """Sort key: older folders are larger."""
    return -folder.stat().st_mtime


def zipped(folder: str, paths: Sequence[Path]) -> bytes:
    """A zip archive of files, in a folder of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # weights do not get smaller
        for path in paths:
            archive.write(path, f"{folder}/{path.name}")
    return buffer.getvalue()
