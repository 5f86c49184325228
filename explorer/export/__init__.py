"""Export: in come a network and how it was pruned, out files that load without its class, and the proof of each."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from torch import fx

from explorer.networks.graph.safetensors_file import load_network


def load_pruned(path: str | PathLike[str]) -> fx.GraphModule:
    """Load an exported network, without its original class and without running code from the file.

        network = load_pruned("network.safetensors")
        logits = network(images)  # (N, C, H, W) -> (N, classes), float32

    The module is in eval mode with frozen weights. `network.classes` names the outputs, `network.preprocessing` says
    how an image becomes its input, and `network.manifest` holds the rest: the channels kept, metrics, provenance.

    Raises explorer.core.errors.BadInput (a ValueError) if the file is not a whole, unaltered export.
    """
    module, manifest = load_network(Path(path))
    extras = {"classes": manifest.classes, "preprocessing": manifest.preprocessing, "manifest": manifest}
    module.meta["_user_preserved_attributes"] = extras  # torch.fx's own name for what a deep copy keeps
    for name, value in extras.items():
        setattr(module, name, value)
    return module
