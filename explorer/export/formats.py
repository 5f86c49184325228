"""The export formats, one table, and the folder that an export makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import BadInput
from explorer.export import manifest as manifests
from explorer.export import proof as proofs
from explorer.export import safetensors_file
from explorer.export.files import write_whole
from explorer.export.proof import Proof
from explorer.export.safetensors_file import Contents, contents
from explorer.networks.network import Network

STEM = "network"


@dataclass(frozen=True)
class Format:
    """One file format: how its bytes are made, and how a clean process loads them."""

    name: str
    suffix: str
    description: str  # one line for people
    render: Callable[[Contents], bytes]
    loader: str  # Python source that defines load(path) -> a callable from images to logits

    @property
    def file_name(self) -> str:
        """The name of the file in an export folder."""
        return STEM + self.suffix


FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format(
            name="safetensors",
            suffix=".safetensors",
            description="weights, graph and manifest in one file without code; load with explorer.load_pruned(path)",
            render=safetensors_file.render,
            loader="from explorer.export import load_pruned as load",
        ),
    )
}


def export(
    network: Network,
    folder: Path,
    formats: Iterable[str],
    *,
    original_widths: Mapping[str, int],
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    proof: Proof,
) -> dict[str, Path]:
    """Write a network in the named formats, with `manifest.json` to read and `proof.safetensors` to verify against.

    Returns format name -> path, and "manifest" and "proof". Everything is made before the first file is written, and
    each file is written whole or not at all.

    Raises BadInput for an unknown format, a network that cannot be exported, or a folder that cannot be written.
    """
    chosen = [_format(name) for name in formats]
    exported = contents(network, original_widths=original_widths, metrics=metrics, provenance=provenance)
    files = {f.name: (folder / f.file_name, f.render(exported)) for f in chosen}
    manifest = json.dumps(manifests.to_json(exported.manifest), allow_nan=False, indent=1)
    files["manifest"] = (folder / "manifest.json", manifest.encode())
    files["proof"] = (folder / proofs.NAME, proofs.render(proof))
    return {name: write_whole(path, content) for name, (path, content) in files.items()}


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise BadInput(f"Export format {name!r} is unknown; the formats are: {', '.join(FORMATS)}.")
    return FORMATS[name]
