"""Safetensors files: the header is checked here, offsets and sizes by the safetensors library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from explorer.core.bounds import SAFETENSORS_HEADER
from explorer.core.errors import BadInput
from explorer.core.text import quoted


def read(stream: IO[bytes], length: int) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Tensors by name and the manifest; BadInput with a clause that follows the file's name."""
    manifest = _manifest(_header(stream, length))
    stream.seek(0)
    try:
        return safetensors.torch.load(stream.read()), manifest
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise BadInput("is truncated or damaged: its header does not match its bytes") from error


def _header(stream: IO[bytes], length: int) -> dict[str, Any]:
    stream.seek(0)
    size = int.from_bytes(stream.read(8), "little")
    if length < 8 or size > length - 8:
        raise BadInput("is not a safetensors file, or is truncated: its header is longer than the file")
    if size > SAFETENSORS_HEADER.most:
        raise BadInput(SAFETENSORS_HEADER.clause(size))
    header = _json(stream.read(size), "header")
    if not isinstance(header, dict):
        raise BadInput("is not a safetensors file: its header is no JSON object")
    return header


def _manifest(header: dict[str, Any]) -> Mapping[str, Any]:
    metadata = header.get("__metadata__")
    text = metadata.get("manifest") if isinstance(metadata, dict) else None
    manifest = _json(text, "manifest") if isinstance(text, str) else {}
    if not isinstance(manifest, dict):
        raise BadInput("has a manifest that is no JSON object")
    return manifest


def _json(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except BadInput:
        raise
    except (ValueError, RecursionError) as error:
        raise BadInput(f"has a {what} that is not JSON") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise BadInput(f"has the key {quoted(key, 80)} twice")
        result[key] = value
    return result
