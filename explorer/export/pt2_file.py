"""The .pt2 export: torch.export's program, for batches of any size."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.export.contents import ExportContents
from explorer.networks.graph.manifest import summary

TRACES = ("stack_trace", "from_node", "source_fn_stack", "torch_fn")  # of code on the machine that exports
EXAMPLES = 2  # images of the batch that is traced; one would be taken for a constant


def render(contents: ExportContents) -> bytes:
    """The file's bytes; the manifest without its graph lies inside, as `manifest.json`."""
    file = io.BytesIO()
    program = captured(contents, contents.module(), "pt2")
    extra = {"manifest.json": json.dumps(summary(contents.manifest), allow_nan=False)}
    with quiet():
        torch.export.save(program, file, extra_files=extra)
    return file.getvalue()


def captured(contents: ExportContents, module: nn.Module, kind: str) -> ExportedProgram:
    """The module as torch.export's program with a batch of any size. Raises BadInput if it has none."""
    example = torch.zeros(EXAMPLES, *contents.manifest.input_shape)
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(module, (example,), dynamic_shapes=({0: Dim.DYNAMIC},))
    except Exception as error:  # torch.export raises every type there is
        why = first_line(error)
        raise BadInput(f"{contents.manifest.name} can't be exported as {kind}, as torch.export says: {why}.") from error
    for node in program.graph.nodes:
        for told in TRACES:
            node.meta.pop(told, None)
    return program


@contextmanager
def quiet() -> Iterator[None]:
    """Without what torch's exporters say of their own insides."""
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
