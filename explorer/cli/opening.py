"""Opening the network that a person names: a file, a run of the command line, or a run of the app at its state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.data import Preprocessing, asset
from explorer.networks.graph.manifest import Manifest
from explorer.networks.graph.safetensors_file import has_manifest, load_network
from explorer.networks.load import DEMO, RUN_NETWORK, network_from_bytes, open_network
from explorer.networks.network import Network
from explorer.runs import origins
from explorer.runs.store import Run, holds_run, own_network, pruned_at, read_run


def run_in(where: str) -> Run | None:
    """The finished run that a folder holds; None for anything else."""
    if where == DEMO or not holds_run(Path(where)):
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
    folder, run = Path(where), _run(where)
    if run is None:
        network = open_network(where, arch=arch, preprocessing=preprocessing, trusted=trusted)
    elif not origins.is_of_app(run):
        content = own_network(_folder(where), run)
        network = network_from_bytes(content, RUN_NETWORK, arch=arch, preprocessing=preprocessing, trusted=trusted)
    else:
        network = origins.began_with(run, folder)
        network = pruned_at(network, run.timeline, folder) if run.timeline else network
        if preprocessing not in (None, network.preprocessing):
            raise BadInput(f"{where} is a run of the app: how its images are prepared can't be changed.")
    return replace(network, name=folder.resolve().name) if where != DEMO and folder.is_dir() else network


def manifest_of(where: str) -> Manifest | None:
    """What the exported file that a network was opened from says of itself; None for a checkpoint of others."""
    data = _file(where)
    return load_network(data)[1] if has_manifest(data) else None


def _file(where: str) -> bytes:
    run, path = _run(where), Path(where)
    if where == DEMO:
        return asset(RUN_NETWORK).read_bytes()
    if run is not None:
        return origins.file_of(run, path) if origins.is_of_app(run) else own_network(_folder(where), run)
    return (path / RUN_NETWORK if path.is_dir() else path).read_bytes()


def _folder(where: str) -> Path:
    """The run folder that a place may be: itself, or that of a network that is named by its file."""
    path = Path(where)
    return path.parent if path.name == RUN_NETWORK else path


def _run(where: str) -> Run | None:
    """The run whose network lies at a place; None for anything else."""
    folder = _folder(where)
    return read_run(folder) if where != DEMO and holds_run(folder) else None
