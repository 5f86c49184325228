"""Export folders: all files made and proven in a hidden folder beside their place, then put there together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.progress import Report, silent, within
from explorer.export import proof as proofs
from explorer.export.contents import ExportContents, ExportedFile
from explorer.export.formats import Format, formats_for
from explorer.export.proof import Proof, Verdict
from explorer.export.staging import staging
from explorer.export.verify import exported, verify
from explorer.networks.graph import manifest as manifests

MANIFEST = "manifest.json"


def export(
    contents: ExportContents, folder: Path, names: Iterable[str], proof: Proof, report: Report = silent
) -> dict[str, Path]:
    """Write a network in the named formats, with `manifest.json` to read and `proof.safetensors` to verify against.

    Returns format name -> path, and "manifest" and "proof". A format that another one needs is written too. Nothing
    appears in the folder before everything is made; then each file replaces the one of its name.

    Raises BadInput for an unknown format or one whose packages are missing, a network that cannot be exported, or a
    folder that cannot be written.
    """
    formats = formats_for(names)
    return _export(contents, folder, formats, proof, any(each.tells_of_others for each in formats), report)[0]


def export_proven(
    contents: ExportContents, folder: Path, names: Iterable[str], proof: Proof, report: Report = silent
) -> tuple[dict[str, Path], tuple[Verdict, ...]]:
    """The same, and how each file that can be run did in a clean process; what fails is written and reported."""
    return _export(contents, folder, formats_for(names), proof, True, report)


def _export(
    contents: ExportContents, folder: Path, formats: Sequence[Format], proof: Proof, proven: bool, report: Report
) -> tuple[dict[str, Path], tuple[Verdict, ...]]:
    telling = [each for each in formats if each.tells_of_others]
    others = [each for each in formats if not each.tells_of_others]
    with staging(folder) as place:
        manifest = json.dumps(manifests.to_json(contents.manifest), allow_nan=False, indent=1)
        write_whole(place / MANIFEST, manifest.encode())
        write_whole(place / proofs.NAME, proofs.render(proof))
        contents = _made(contents, place, others, within(report, 0, 0.5))
        if proven and exported(place):
            verdicts = verify(place, within(report, 0.5, 0.9), trusted=True)
            contents = replace(contents, verdicts=tuple(verdicts))
        _made(contents, place, telling, within(report, 0.9, 1))
        found = tuple(replace(each, path=folder / each.path.name) for each in contents.verdicts)
        return _put(place, folder, formats), found


def _made(contents: ExportContents, place: Path, formats: Sequence[Format], report: Report) -> ExportContents:
    """The contents that know of the files of these formats, now that they are made."""
    for done, each in enumerate(formats):
        report(done, len(formats), f"making {each.file_name}")
        path = write_whole(place / each.file_name, each.render(contents))
        contents = replace(contents, written=(*contents.written, _written(each, path)))
    return contents


def _written(each: Format, path: Path) -> ExportedFile:
    return ExportedFile(each.file_name, path.stat().st_size, each.description, each.usage)


def _put(place: Path, folder: Path, formats: Iterable[Format]) -> dict[str, Path]:
    files = {**{each.name: each.file_name for each in formats}, "manifest": MANIFEST, "proof": proofs.NAME}
    try:
        return {kind: (place / name).replace(folder / name) for kind, name in files.items()}
    except OSError as error:
        raise BadInput(
            f"{folder} can't be written ({error.strerror or error}): give another folder, or make room in this one."
        ) from error
