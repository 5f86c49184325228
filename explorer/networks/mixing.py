"""What stands between a layer and its readers where its channels can't go one by one: told by the call that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

Arguments = tuple[Any, ...]
COUNTED = "counts on the number of its channels"
ZEROS = "a shortcut pads its channels with channels of zeros, so that they have other numbers where they are added"


def _shape(args: Arguments) -> str:
    return ", ".join(map(str, args[0] if args and isinstance(args[0], (tuple, list)) else args))


def _counted(name: str) -> Callable[[Tensor, Arguments, Mapping[str, Any]], str]:
    """A view of a constant number of values of each image."""

    def tell(x: Tensor, args: Arguments, kwargs: Mapping[str, Any]) -> str:
        return f"{name}({_shape(args or tuple(kwargs.values()))}) {COUNTED}"

    return tell


def _padded(x: Tensor, args: Arguments, kwargs: Mapping[str, Any]) -> str:
    pad = args[0] if args else kwargs.get("pad", ())
    last = 2 * (x.dim() - 2)  # the first of the two numbers for channels, which come behind those of height and width
    return ZEROS if any(pad[last : last + 2]) else ""


def _taken(x: Tensor, args: Arguments, kwargs: Mapping[str, Any]) -> str:
    index = args[0] if args and isinstance(args[0], tuple) else ()
    whole = len(index) < 2 or Ellipsis in index[:2] or index[1] is None or index[1] == slice(None)
    return "" if whole else "only some of its channels are read here, and others there: they are picked by number"


def _always(what: str) -> Callable[[Tensor, Arguments, Mapping[str, Any]], str]:
    return lambda x, args, kwargs: what


MIXING: Mapping[str, Callable[[Tensor, Arguments, Mapping[str, Any]], str]] = {
    "local_response_norm": _always("a LocalResponseNorm divides each of its feature maps by those of its neighbours"),
    "pixel_shuffle": _always("a PixelShuffle makes pixels of its channels, which go by their number"),
    "pixel_unshuffle": _always("a PixelUnshuffle makes channels of pixels, which go by their number"),
    "channel_shuffle": _always("a ChannelShuffle changes the order of its channels"),
    "split": _always("its channels are split into parts of fixed sizes"),
    "chunk": _always("its channels are split into parts of equal sizes"),
    "roll": _always("its channels change places"),
    "pad": _padded,
    "__getitem__": _taken,
    "view": _counted("view"),
    "reshape": _counted("reshape"),
    "unflatten": _counted("unflatten"),
}
"""Function of torch -> what it does to the channels of what goes in, a clause; "" where it leaves them alone."""


def mixing(module: nn.Module, images: Tensor) -> dict[str, str]:
    """Convolution -> what happens to its channels before the next layer reads them, where that is one of MIXING.

    module: this function's own. images: some that it takes.
    """
    followed = _Followed(module)
    with torch.no_grad(), followed:
        module(images)
    return followed.found


class _Followed(TorchFunctionMode):
    """Knows of every tensor which convolutions' channels it has."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        for name, layer in module.named_modules():
            if isinstance(layer, (_ConvNd, nn.Linear)):
                of = frozenset([name]) if isinstance(layer, _ConvNd) else frozenset()
                layer.register_forward_hook(lambda _, args, out, of=of: _mark(out, of))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result, marked with the convolutions of what went in."""
        kwargs = kwargs or {}
        of = frozenset(name for part in _tensors((args, kwargs)) for name in getattr(part, "channels_of", ()))
        tell = MIXING.get(getattr(func, "__name__", ""))
        said = tell(args[0], args[1:], kwargs) if tell and args and isinstance(args[0], Tensor) and of else ""
        if said:
            self.found.update((name, said) for name in of if name not in self.found)
        result = func(*args, **kwargs)
        for part in _tensors(result) if of else ():
            _mark(part, of)
        return result


def _tensors(value: Any) -> Iterator[Tensor]:
    return (part for part in tree_leaves(value) if isinstance(part, Tensor) and not isinstance(part, nn.Parameter))


def _mark(tensor: Any, of: frozenset[str]) -> None:
    tensor.channels_of = of
