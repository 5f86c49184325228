"""The safetensors export: weights, graph and manifest in one file that holds no code.

The file's metadata has one entry, `pruning-explorer`: the manifest as JSON. Weights stand under the module's
state-dict keys, so that any safetensors reader finds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, fx

from explorer.core.bounds import CHECKPOINT_BYTES, EXPORT_MANIFEST, check_file
from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.text import first_line
from explorer.networks.graph import manifest as manifests
from explorer.networks.graph.described import Described, described
from explorer.networks.graph.manifest import Manifest
from explorer.networks.graph.rebuild import rebuild
from explorer.networks.network import Network

ENTRY = "pruning-explorer"


def render(exported: Described) -> bytes:
    """The file's bytes; the same network gives the same bytes."""
    header = json.dumps(manifests.to_json(exported.manifest), allow_nan=False, separators=(",", ":"))
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in exported.tensors.items()}
    return safetensors.torch.save(tensors, metadata={ENTRY: header})


def to_bytes(
    network: Network,
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> bytes:
    """The bytes that `write_network` writes, for a download. Raises BadInput as `described` does."""
    return render(described(network, metrics=metrics, provenance=provenance))


def write_network(
    network: Network,
    path: Path,
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Path:
    """Write a network as one safetensors file, whole or not at all.

    Raises BadInput as `described` does, or if the path cannot be written.
    """
    return write_whole(path, to_bytes(network, metrics=metrics, provenance=provenance))


def load_network(source: str | Path | bytes, *, own: bool = False) -> tuple[fx.GraphModule, Manifest]:
    """Read an export from its path or its bytes: the module, in eval mode with frozen weights, and its manifest.

    No code comes from the file, and it is tried out before it is returned, unless it is the project's `own`: see
    `rebuild.py`. Raises BadInput for anything but a whole, unaltered export.
    """
    name, data = ("This file", source) if isinstance(source, bytes) else (str(source), _read(Path(source)))
    tensors = _tensors(data, name)
    manifest = manifest_in(data, name)
    return _rebuilt(manifest, tensors, own), manifest


def module_in(data: bytes, manifest: Manifest, name: str, *, own: bool = False) -> fx.GraphModule:
    """The module of an export whose manifest has been read; BadInput as `load_network`."""
    return _rebuilt(manifest, _tensors(data, name), own)


def _rebuilt(manifest: Manifest, tensors: Mapping[str, Tensor], own: bool) -> fx.GraphModule:
    return rebuild(manifest.graph, tensors, manifest.input_shape, len(manifest.classes), own=own)


def has_manifest(data: bytes) -> bool:
    """Whether a safetensors file says that it is an export; nothing more of it is looked at."""
    return ENTRY in _metadata(data)


def manifest_in(data: bytes, name: str = "This file") -> Manifest:
    """The manifest in an export's header: no tensor is read, and its module is not rebuilt.

    Raises BadInput if there is no manifest, or one that breaks a rule; its graph is not looked at.
    """
    entry = _metadata(data).get(ENTRY)
    if not isinstance(entry, str):
        raise BadInput(f"{name} holds no manifest of Pruning Explorer; open it as a checkpoint with its architecture.")
    EXPORT_MANIFEST.check(name, len(entry))
    try:
        value = json.loads(entry)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name} has a manifest that is not JSON: {first_line(error)}.") from error
    return manifests.from_json(value)


def _metadata(data: bytes) -> dict[str, Any]:
    """The texts in the file's header beside the tensors; none where it is no safetensors file."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length]) if length < len(data) else {}
    except (ValueError, RecursionError):
        return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return found if isinstance(found, dict) else {}


def _tensors(data: bytes, name: str) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{name} is not a safetensors file: {first_line(error)}.") from error


def _read(path: Path) -> bytes:
    try:
        check_file(path, CHECKPOINT_BYTES)
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from error
