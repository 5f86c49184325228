"""Published ImageNet weights, downloaded when somebody asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from urllib.error import URLError

from torch import Tensor, nn
from torchvision.models import get_model_weights

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.networks.architectures.families import split
from explorer.networks.checkpoints.reading import Checkpoint

Weights = dict[str, Tensor]


def imagenet(arch: str) -> Checkpoint:
    """The weights that torchvision or timm publishes for an architecture.

    They come from its cache, or else over the network. BadInput where there are none, or they can't be had.
    """
    family, name = split(arch)
    if family not in PUBLISHERS:
        raise BadInput(f"Nobody publishes ImageNet weights of {arch}: give a checkpoint, or start from none.")
    try:
        weights = PUBLISHERS[family](name)
    except (URLError, OSError, RuntimeError) as error:  # no network, no such file there, a hash that differs
        reason = getattr(error, "reason", None) or first_line(error)
        raise BadInput(f"The ImageNet weights of {arch} can't be downloaded ({reason}): give a checkpoint.") from error
    return Checkpoint(f"ImageNet weights of {arch}", weights)


def _torchvision(name: str) -> Weights:
    weights: Weights = get_model_weights(name).DEFAULT.get_state_dict(progress=False, check_hash=True)
    return weights


def _timm(name: str) -> Weights:
    network: nn.Module = importlib.import_module("timm").create_model(name, pretrained=True)
    return network.state_dict()


PUBLISHERS: dict[str | None, Callable[[str], Weights]] = {"torchvision": _torchvision, "timm": _timm}
