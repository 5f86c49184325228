"""Engines: what runs a network, behind one call. Eager PyTorch, compiled PyTorch, and onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import first_line, quoted
from explorer.export.contents import contents
from explorer.export.formats import FORMATS, unavailable
from explorer.networks.network import Network

Body = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Engine:
    """One way to run a network."""

    name: str
    summary: str
    prepare: Callable[[Network, Tensor], Body]  # for inputs like this one; BadInput where it can't run here


def _eager(network: Network, x: Tensor) -> Body:
    return network.module


def _compiled(network: Network, x: Tensor) -> Body:
    torch.compiler.reset()
    body = torch.compile(network.module, dynamic=False)
    try:
        body(x)
    except Exception as error:  # whatever the compiler's tools say
        raise BadInput(f"torch.compile can't compile {network.name} here: {first_line(error)}.") from error
    return body


def _onnxruntime(network: Network, x: Tensor) -> Body:
    if reason := unavailable(FORMATS["onnx"]):
        raise BadInput(f"onnxruntime can't be timed: {reason}")
    import onnxruntime

    described = contents(network, metrics={}, provenance={})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    providers = [f"{'CUDA' if x.is_cuda else 'CPU'}ExecutionProvider"]
    if providers[0] not in onnxruntime.get_available_providers():
        raise BadInput(f"onnxruntime can't be timed on {x.device}: it was installed without {providers[0]}.")
    session = onnxruntime.InferenceSession(FORMATS["onnx"].render(described), options, providers=providers)
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x.cpu().numpy()})


ENGINES: Mapping[str, Engine] = {
    each.name: each
    for each in (
        Engine("eager", "PyTorch as it is", _eager),
        Engine("compiled", "torch.compile, once a network and batch size, before the timing", _compiled),
        Engine("onnxruntime", "the exported ONNX file", _onnxruntime),
    )
}


def engine(name: str) -> Engine:
    """The engine of a name; raises BadInput if there is none."""
    if name not in ENGINES:
        raise BadInput(f"Engine {quoted(name, 40)} is unknown; the engines are: {', '.join(ENGINES)}.")
    return ENGINES[name]
