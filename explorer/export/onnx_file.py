"""The ONNX export, by torch's dynamo exporter, for batches of any size; optionally with the normalisation inside."""

from __future__ import annotations

import json
import re

import torch
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.data.preprocessing import Preprocessing
from explorer.export.contents import ExportContents
from explorer.export.pt2_file import captured, quiet
from explorer.networks.graph.manifest import summary

MAX_PROTOBUF_BYTES = 2**31 - 1  # bytes of one protobuf message
PACKAGES = ("onnx", "onnxscript")  # that the exporter needs
_LACKING = re.compile(r"No ONNX function found for .*op='([^']+)'")  # as the exporter says it


class Normalising(nn.Module):
    """A network behind its normalisation: (pixels - mean) / std, for pixel values from 0 to 1."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, sides: int) -> None:
        super().__init__()
        self.network = network
        shape = (-1,) + (1,) * (sides - 1)
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(shape))
        self.register_buffer("std", torch.tensor(preprocessing.std).view(shape))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, classes) of pixels (N, C, H, W)."""
        logits: Tensor = self.network((pixels - self.mean) / self.std)
        return logits


def render(contents: ExportContents) -> bytes:
    """The file's bytes: input `images` (N, C, H, W) after preprocessing, output `logits` (N, classes)."""
    return _render(contents, contents.module(), "images")


def render_with_normalisation(contents: ExportContents) -> bytes:
    """The file's bytes: input `pixels` (N, C, H, W) from 0 to 1, output `logits` (N, classes)."""
    manifest = contents.manifest
    module = Normalising(contents.module(), manifest.preprocessing, len(manifest.input_shape))
    return _render(contents, module.eval(), "pixels")


def _render(contents: ExportContents, module: nn.Module, given: str) -> bytes:
    name = contents.manifest.name
    program = captured(contents, module, "onnx")
    try:
        with quiet():
            made = torch.onnx.export(program, dynamo=True, input_names=[given], output_names=["logits"], verbose=False)
    except Exception as error:  # the exporter wraps whatever went wrong
        raise BadInput(f"{name} can't be exported as onnx: {_reason(error)}.") from error
    assert made is not None, "only fallback to the old exporter gives none"
    entry = made.model.metadata_props
    entry["pruning-explorer"] = json.dumps(summary(contents.manifest), allow_nan=False)
    try:
        data: bytes = made.model_proto.SerializeToString()
    except ValueError as error:  # protobuf's own limit
        raise BadInput(
            f"{name} can't be exported as onnx: one file holds at most {MAX_PROTOBUF_BYTES:,} bytes."
        ) from error
    if len(data) > MAX_PROTOBUF_BYTES:
        raise BadInput(
            f"{name} can't be exported as onnx: it has {len(data):,} bytes, one file at most {MAX_PROTOBUF_BYTES:,}."
        )
    return data


def _reason(error: BaseException) -> str:
    """The innermost cause in one line: the exporter's own message is a page."""
    while error.__cause__ is not None:
        error = error.__cause__
    message = first_line(error)
    operator = _LACKING.search(message)
    return f"ONNX has no operator for {operator[1]}" if operator else message
