"""From scratch: the control that has a pruned network's shape, but none of what it learned."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.networks.network import Network, with_weights_of
from explorer.training.finetune import Images, Training, minibatches, train


def fresh(network: Network, seed: int = 0) -> Network:
    """The same shapes with random weights, the same for the same seed on every device; the input stays as it is.

    Each layer draws its weights by its own `reset_parameters`; what an architecture sets otherwise when it is built,
    such as a zero last scale in residual blocks, is not known here. Running statistics of batch-norm start anew; other
    buffers, such as fixed kernels of 0 and 1, stay. Raises BadInput for a module with weights but no such method.
    """
    module = copy.deepcopy(network.module).cpu()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        for name, layer in module.named_modules():
            if isinstance(layer, _NormBase):
                layer.reset_parameters()  # and its running statistics
            elif any(True for _ in layer.parameters(recurse=False)):
                _reset(name, layer)
    return with_weights_of(network, module.to(network.device))


def trained(
    network: Network,
    images: Images,
    updates: int,
    training: Training,
    report: Report = silent,
) -> Network:
    """`fresh`, and then so many updates on minibatches of these images, drawn as a run of this seed draws them.

    Raises BadInput as `fresh` and `explorer.training.finetune.train` do, and where there are no updates.
    """
    if updates < 1:
        raise BadInput(f"{updates} updates from scratch train nothing: their number must be at least 1.")
    start = fresh(network, training.seed)
    stream = minibatches(images, training.recipe.batch_size, training.seed)
    return with_weights_of(start, train(start.module, stream, updates, training, report))


def _reset(name: str, layer: nn.Module) -> None:
    """Draw the layer's own weights anew, and leave its buffers as they are."""
    reset = getattr(layer, "reset_parameters", None)
    if reset is None:
        where = f"module {name}" if name else "the network itself"
        raise BadInput(f"{where} ({type(layer).__name__}) has weights, but no reset_parameters to draw fresh ones.")
    kept = {key: buffer.clone() for key, buffer in layer.named_buffers(recurse=False)}
    reset()
    for key, buffer in layer.named_buffers(recurse=False):
        buffer.copy_(kept[key])
