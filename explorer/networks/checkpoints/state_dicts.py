"""From what a checkpoint file holds to plain float32 weights under the network's own names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import quoted

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "ema")  # in order of preference
PREFIXES = ("module.", "model.", "_orig_mod.")
MAX_WRAPPERS = 4
PARAMETERS = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"
INTEGERS = (COUNTER, "index", "mask", "ids")  # endings of buffers that are rightly not floats
BOOKKEEPING = ("n_averaged", "total_ops", "total_params")  # left in state dicts by weight averaging and profilers


def weights_in(saved: object) -> dict[str, Tensor]:
    """Name -> float32 tensor; wrappers, shared prefixes and everything but weights are taken off."""
    if not isinstance(saved, dict):
        raise BadInput(f"holds a {type(saved).__name__}, not a dictionary of weights")
    entries = {name: value for name, value in _unwrap(saved).items() if not _is_extra(name, value)}
    if not entries:
        raise BadInput("holds no weights: there is no tensor in its dictionary")
    prefix = shared_prefix(entries)
    return {name.removeprefix(prefix): _plain(name, tensor) for name, tensor in entries.items()}


def shared_prefix(names: Collection[str]) -> str:
    """The wrapper prefixes that all names start with, such as "module.model."; "" where there are none."""
    shared = ""
    while True:
        more = next((p for p in PREFIXES if all(name.startswith(shared + p) for name in names)), None)
        if more is None or not names:
            return shared
        shared += more


def _unwrap(saved: dict[Any, Any]) -> dict[Any, Any]:
    for _ in range(MAX_WRAPPERS + 1):
        inner = next((saved[name] for name in WRAPPERS if isinstance(saved.get(name), dict)), None)
        if inner is None:
            return saved
        saved = inner
    raise BadInput(f"wraps its weights more than {MAX_WRAPPERS} levels deep")


def _is_extra(name: object, value: object) -> bool:
    last = str(name).rpartition(".")[2]
    if isinstance(value, Tensor):
        if not isinstance(name, str) or not name.isprintable() or len(name) > 256:
            raise BadInput(f"has a tensor under the name {quoted(name, 80)}, which no network has")
        return last in BOOKKEEPING
    if last in PARAMETERS:
        raise BadInput(f"has a {type(value).__name__} under {quoted(name, 80)}, where a tensor belongs")
    return True


def _plain(name: str, tensor: Tensor) -> Tensor:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise BadInput(f"has the tensor {name}, which is not plain and dense")
    if tensor.dtype in (torch.int64, torch.int32, torch.uint8, torch.bool) and name.endswith(INTEGERS):
        return tensor.detach().contiguous()
    if not tensor.is_floating_point():
        raise BadInput(f"has {name} of type {str(tensor.dtype).removeprefix('torch.')}; weights must be real floats")
    weights = tensor.detach().to(torch.float32).contiguous()
    if not weights.isfinite().all():
        raise BadInput(f"has NaN or infinite values in {name}")
    return weights
