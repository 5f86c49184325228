"""The job behind the Export page: the files of one state, each proven on the images that the pages show."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

import torch

from explorer.core.progress import Report
from explorer.evaluation.evaluate import evaluate
from explorer.export.confirming import confirm
from explorer.export.contents import Contents, of_state
from explorer.export.folders import MANIFEST, export_proven
from explorer.export.formats import FORMATS, Format
from explorer.export.proof import Proof, Verdict
from explorer.export.staging import remove_unused
from explorer.jobs.job import LONG, Job
from explorer.runs.origins import source_to_json
from explorer.runs.store import network_at, pruned_at
from explorer.runs.timeline import removed_at
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.run_jobs import EXPORT, key_of
from explorer.ui.work.session import View, run_folder
from explorer.ui.work.workspace import workdir

KEPT = 4  # states of a run whose files stay in the work folder


@dataclass(frozen=True)
class Made:
    """The files of one state, and how they did."""

    files: dict[Format, Path]
    manifest: Path
    verdicts: tuple[Verdict, ...]
    images: int
    largest: float  # |logit| of all that the files were compared with

    @property
    def there(self) -> bool:
        """Whether nobody has deleted the files since."""
        return all(path.is_file() for path in (*self.files.values(), self.manifest))

    def verdict(self, of: Format) -> Verdict | None:
        """How a file did; None for one that there is nothing to run of."""
        return next((each for each in self.verdicts if each.format == of.name), None)

    @property
    def offered(self) -> dict[Format, Path]:
        """The files that compute what the pages showed, and those that compute nothing."""
        failed = {each.format for each in self.verdicts if not each.ok}
        return {each: path for each, path in self.files.items() if each.name not in failed}


@dataclass(frozen=True, eq=False)
class Shown:
    """A folder of exports that a tab shows: kept in the tab's session, and gone with it."""

    folder: Path

    def __post_init__(self) -> None:
        _SHOWN.add(self)


_SHOWN: WeakSet[Shown] = WeakSet()  # of all tabs


def folder_of(run: str, number: int) -> Path:
    """Where the files of this state of a run lie."""
    return workdir() / "exports" / run / f"state-{number}"


def make(view: View, number: int, names: Sequence[str]) -> Job:
    """Start making and proving the files of a state."""
    folder, runs = folder_of(view.run, number), run_folder(view.run)

    def work(job: Job) -> Made:
        proof = _proof(view, runs, number, job.report)
        paths, verdicts = export_proven(_contents(view, runs, number), folder, names, proof, job.report)
        tidy(folder)  # not before: a job that is cancelled deletes nothing
        files = {each: paths[each.name] for each in FORMATS.values() if each.name in paths}
        return Made(files, folder / MANIFEST, verdicts, len(proof.inputs), float(proof.logits.abs().max()))

    return JOBS.submit(key_of(EXPORT, view.run, number), f"Files of state {number}", work, LONG)


def tidy(coming: Path) -> None:
    """Let older files go, now that those of one more state have come into the folder `coming`: exports do not pile up.

    Of its run the KEPT states that were exported last stay, this one among them; of any other run as many, and none
    where the run itself is gone. What a tab shows stays, and so does what somebody is writing.
    """
    for run in [path for path in coming.parent.parent.glob("*") if path.is_dir()]:
        others = sorted((path for path in run.iterdir() if path != coming), key=_age)
        known = run == coming.parent or run_folder(run.name).is_dir()
        for folder in others[(KEPT - (run == coming.parent)) * known :]:
            if folder not in {each.folder for each in list(_SHOWN)} and remove_unused(folder):
                JOBS.forget(key_of(EXPORT, run.name, int(folder.name.removeprefix("state-"))))
        with suppress(OSError):  # it holds what has stayed
            run.rmdir()


def _age(folder: Path) -> float:
    """Seconds, as good as any number that grows with age."""
    return -folder.stat().st_mtime


def _proof(view: View, folder: Path, number: int, report: Report) -> Proof:
    """What the pages showed of the validation images at this state: its plan as gates on the whole network."""
    loaded = view.loaded
    removed = removed_at(view.timeline, loaded.network.units, number)
    whole = network_at(loaded.network, view.timeline, folder, number)
    outcome = evaluate(whole, loaded.validation, removed, report)
    confirm(outcome, view.timeline.states[number].metrics, f"State {number}")
    inputs, prepared = torch.cat([x for x, _ in loaded.validation]), whole.preprocessing
    return Proof(inputs, outcome.labels, outcome.logits, torch.tensor(prepared.mean), torch.tensor(prepared.std))


def _contents(view: View, folder: Path, number: int) -> Contents:
    loaded = view.loaded
    network, data = source_to_json(loaded.source)
    return of_state(
        pruned_at(loaded.network, view.timeline, folder, number),
        view.timeline,
        number,
        provenance={
            "network": {**network, "digest": loaded.network.digest},
            "data": {**data, "digest": loaded.images.digest},
            "settings": dict(view.timeline.states[number].settings),
        },
    )


def zipped(folder: str, paths: Sequence[Path]) -> bytes:
    """A zip archive of files, in a folder of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # weights do not get smaller
        for path in paths:
            archive.write(path, f"{folder}/{path.name}")
    return buffer.getvalue()
