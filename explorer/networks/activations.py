"""How much memory the feature maps of an image take, found without taking it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer.core.free_memory import check_room, free
from explorer.core.parallel import workers

MAPS_HELD_PER_IMAGE = 3  # times its feature maps that an image takes: with gates on them, and with their gradients
SHARE_OF_FREE_MEMORY = 0.25  # of what is free that the batches of all threads may take together


def activation_bytes(module: nn.Module, shape: Sequence[int]) -> int | None:
    """Bytes of all values that a forward pass makes of one image; None for a network that runs on real values only.

    A copy without memory runs on shapes alone, so no network is too large to be asked.
    """
    empty = {id(t): _empty(t) for t in (*module.parameters(), *module.buffers())}
    try:
        body = copy.deepcopy(module, empty)
        kinds = [t.dtype for t in module.parameters() if t.is_floating_point()]
        with torch.no_grad(), _Counted() as counted:
            body(torch.empty(1, *shape, dtype=kinds[0] if kinds else None, device="meta"))
    except Exception:  # a forward pass may ask for values, or make tensors that lie elsewhere
        return None
    return sum(int(storage.nbytes()) for storage in counted.storages.values())


def _empty(tensor: Tensor) -> Tensor:
    empty = tensor.detach().to("meta")
    return nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty


class _Counted(TorchDispatchMode):
    """Keeps the storage of every value that is made: on the meta device it takes no memory."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of torch
        self.storages: dict[int, torch.UntypedStorage] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result as it is."""
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                self.storages[storage._cdata] = storage
        return result


def check_opens(name: str, module: nn.Module, shape: Sequence[int]) -> None:
    """Raise BadInput if the feature maps of one image would take more memory than there is room for."""
    need = activation_bytes(module, shape)
    if need is not None:
        check_room(need, f"{name}, for the feature maps of one image of {'x'.join(map(str, shape))},")


def images_that_fit(module: nn.Module, shape: Sequence[int], most: int) -> int:
    """Images of a batch, up to `most`, so that their feature maps, gates and gradients have room in every thread."""
    device = next(module.parameters()).device
    an_image = MAPS_HELD_PER_IMAGE * (activation_bytes(module, shape) or 0) * workers(device)
    return most if not an_image else max(1, min(most, int(SHARE_OF_FREE_MEMORY * free(device)) // an_image))
