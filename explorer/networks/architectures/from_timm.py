"""timm's architectures: an optional dependency, imported when one of them is asked for."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing

ON_LOADING = ("checkpoint_filter_fn", "_filter_fn", "_filter_torchvision_pretrained")  # timm's names of one function


def names() -> tuple[str, ...]:
    """All architectures."""
    return tuple(_timm().list_models())


def knows(name: str) -> bool:
    """Whether timm can build it; without listing all names."""
    return bool(_timm().is_model(name))


def create(name: str, num_classes: int | None = None, in_channels: int | None = None) -> nn.Module:
    """The network with random weights."""
    options = {"num_classes": num_classes, "in_chans": in_channels}
    given = {option: value for option, value in options.items() if value is not None}
    network: nn.Module = _timm().create_model(name, pretrained=False, **given)
    return network


def preprocessing(name: str) -> Preprocessing:
    """The preprocessing that the architecture's pretrained weights were evaluated with."""
    config = _config(name)
    side = config["input_size"][-1]
    interpolation = config["interpolation"] if config["interpolation"] == "bicubic" else "bilinear"
    return Preprocessing(config["mean"], config["std"], int(side / config["crop_pct"]), side, interpolation)


def side(name: str) -> int:
    """Pixels of the images that the architecture usually takes."""
    return int(_config(name)["input_size"][-1])


def published(name: str) -> dict[str, Tensor]:
    """Its pretrained weights, from the cache or else downloaded."""
    network: nn.Module = _timm().create_model(name, pretrained=True)
    return network.state_dict()


def renamed(module: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Weights that others published, by the names and in the shapes that timm gives them when it loads them."""
    source = sys.modules[type(module).__module__]
    function = next((getattr(source, name) for name in ON_LOADING if hasattr(source, name)), None)
    if function is None:
        return tensors
    arguments = (dict(tensors), module)[: len(inspect.signature(function).parameters)]
    try:
        return dict(function(*arguments))
    except Exception:  # timm is written for the files that it knows; another keeps its names
        return tensors


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except ImportError:
        raise BadInput('timm is not installed: run pip install "pruning-explorer[timm]".') from None


def _config(name: str) -> dict[str, Any]:
    timm = _timm()
    config = timm.get_pretrained_cfg(name)
    resolved: dict[str, Any] = timm.data.resolve_data_config(pretrained_cfg=config.to_dict() if config else {})
    return resolved
