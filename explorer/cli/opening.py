"""Opening the network that a person names: a file, a run of the command line, or a run of the app at its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from explorer import origins
from explorer.data import Preprocessing, asset
from explorer.errors import BadInput
from explorer.export.manifest import Manifest
from explorer.export.safetensors_file import has_manifest, load_network
from explorer.load import DEMO, RUN_NETWORK, open_network
from explorer.networks.network import Network
from explorer.runs import FILE, Run, pruned_at, read_run


def run_in(where: str) -> Run | None:
    """The finished run that a folder holds; None for anything else."""
    if where == DEMO or not (Path(where) / FILE).is_file():
        return None
    run = read_run(Path(where))
    if not run.finished:
        raise BadInput(f"The run in {where} is unfinished: the prune command that began it ends it with --resume.")
    return run


def opened(
    where: str, arch: str | None = None, preprocessing: Preprocessing | None = None, *, trusted: bool = True
) -> Network:
    """The network at a place, with this preprocessing; that of a folder has the folder's name.

    trusted: whether a person gave `arch`, which may then name their own factory; a file's word is not theirs.
    """
    folder, run = Path(where), _of_app(where)
    if run is None:
        network = open_network(where, arch=arch, preprocessing=preprocessing, trusted=trusted)
    else:
        network = origins.began_with(run, folder)
        network = pruned_at(network, run.timeline, folder) if run.timeline else network
        if preprocessing not in (None, network.preprocessing):
            raise BadInput(f"{where} is a run of the app: how its images are prepared can't be changed.")
    return replace(network, name=folder.resolve().name) if where != DEMO and folder.is_dir() else network


def manifest_of(where: str) -> Manifest | None:
    """What the exported file that a network was opened from says of itself; None for a checkpoint of others."""
    run, path = _of_app(where), Path(where)
    if where == DEMO:
        path = asset(RUN_NETWORK)
    elif run is not None:
        path = origins.file_of(run, path)
    elif path.is_dir():
        path = path / RUN_NETWORK
    data = path.read_bytes()
    return load_network(data)[1] if has_manifest(data) else None


def original_widths(where: str, network: Network) -> Mapping[str, int]:
    """Layer -> its units before any pruning, also that of which the network's own file tells."""
    manifest, run = manifest_of(where), _of_app(where)
    told = {layer.name: layer.width_before for layer in manifest.layers} if manifest else {}
    units = (origins.began_with(run, Path(where)) if run else network).units
    return {layer.name: told.get(layer.name, len(layer)) for layer in units.layers}


def _of_app(where: str) -> Run | None:
    if where == DEMO or not (Path(where) / FILE).is_file():
        return None
    run = read_run(Path(where))
    return run if origins.is_of_app(run) else None
