"""Published ImageNet weights, downloaded when asked for."""

from __future__ import annotations

from urllib.error import URLError

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.networks.architectures.families import FAMILIES, split
from explorer.networks.checkpoints.reading import Checkpoint


def imagenet(arch: str) -> Checkpoint:
    """The weights that the architecture's family publishes for it.

    They come from its cache, or else over the network. Raises BadInput if there are none, or they can't be had.
    """
    family, name = split(arch)
    published = FAMILIES[family].published if family else None
    if published is None:
        raise BadInput(f"Nobody publishes ImageNet weights of {arch}: give a checkpoint, or start from none.")
    try:
        weights = published(name)
    except (URLError, OSError, RuntimeError) as error:  # no network, no such file there, a hash that differs
        reason = getattr(error, "reason", None) or first_line(error)
        raise BadInput(f"The ImageNet weights of {arch} can't be downloaded ({reason}): give a checkpoint.") from error
    return Checkpoint(f"ImageNet weights of {arch}", weights)
