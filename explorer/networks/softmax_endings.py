"""Networks whose last step makes probabilities of their logits: the loss needs what goes into that step.

Cross-entropy takes logits, and so do all criteria, the oracle and fine-tuning. Whether rows are probabilities is seen
by what comes out; the step is then left out, which is exact, where it is a layer, a node of a graph or the last
function that is called. Elsewhere logarithms are taken of what comes out. Log-probabilities are logits as they are:
their softmax is that of the logits that they were made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.networks.outputs import Forward, chosen, logits_of, path_of_logits, returning_logits, with_forward

SOFTMAX = "It ends in Softmax: what goes into that is taken as its logits."
PROBABILITIES = "It gives probabilities: their logarithms are taken as its logits."
ONE_OUTPUT = "It has one output: that is taken as the logit of the second class, beside 0 for the first."
MAY_BE_SHARE = ONE_OUTPUT + " Should it be a probability, open the network without the step that makes it one."
ONE_SIGMOID = "It ends in Sigmoid of one output: what goes into that is the logit of the second class, beside 0."
INDEPENDENT = (
    "{0} ends in Sigmoid over {1} outputs, a probability of its own for each class; here one class is right for each "
    "image: open it without its Sigmoid if its classes exclude each other."
)
CLOSE = 1e-4  # to 1, of the sum of a row's probabilities

Restoring = Callable[[Tensor], Tensor]  # from logits to what the network gives


def classifier(name: str, module: nn.Module, example: Tensor) -> tuple[nn.Module, int, str]:
    """The module itself, made to answer with logits, how many these are, and what is to be said of them.

    example: (1, ...), an image that it takes. Raises BadInput if it can't run, or does not classify.
    """
    shape = "x".join(map(str, example.shape[1:]))
    # gradients tell what is made of what
    output = _ran(module, example.requires_grad_(), f"{name} can't run on an image of {shape}")
    path = path_of_logits(output)
    if path is None or len(logits_of(output)) != 1:
        raise BadInput(f"{name} does not give one row of logits an image: only classifiers can be pruned here.")
    example.requires_grad_(False)
    noise = torch.randn(2, *example.shape[1:], generator=torch.Generator().manual_seed(0))
    module = returning_logits(module, path, output)
    with torch.no_grad():
        _ran(module, noise, f"{name} can't run on two images of {shape} at once")
    module, remark = answering_in_logits(name, module, noise)
    remark = " ".join(filter(None, (chosen(path, output), remark)))
    return module, max(2, logits_of(output).shape[1]), remark


def _ran(module: nn.Module, images: Tensor, failing: str) -> Any:
    """The output of a module. Raises BadInput that begins with `failing` if there is none."""
    try:
        return module(images)
    except Exception as error:  # a forward pass may fail in any way
        raise BadInput(f"{failing}: {first_line(error)}.") from error


def answering_in_logits(name: str, module: nn.Module, images: Tensor) -> tuple[nn.Module, str]:
    """The module itself, made to answer with logits (N, 2 or more), and one sentence where that is not what it gave.

    images: some that it takes. Raises BadInput if its outputs are probabilities that do not exclude each other.
    """
    with torch.no_grad():
        given = module(images)
    within = bool(((given >= 0) & (given <= 1)).all())
    if given.shape[1] == 1:
        bare = _without_last(module, images, given, torch.sigmoid) if within else None
        plain = MAY_BE_SHARE if within else ONE_OUTPUT
        return _then(bare or module, _beside_zero), ONE_SIGMOID if bare else plain
    if within and bool(((given.sum(1) - 1).abs() <= CLOSE).all()):
        bare = _without_last(module, images, given, _softmax)
        return (bare, SOFTMAX) if bare else (_then(module, _logarithm), PROBABILITIES)
    if within and _without_last(module, images, given, torch.sigmoid):
        raise BadInput(INDEPENDENT.format(name, given.shape[1]))
    return module, ""


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(1)


def _beside_zero(logit: Tensor) -> Tensor:
    return torch.cat([logit * 0, logit], 1)


def _logarithm(probabilities: Tensor) -> Tensor:
    return probabilities.clamp(min=torch.finfo(torch.float32).tiny).log()


def _then(module: nn.Module, act: Callable[[Any], Any]) -> nn.Module:
    """The module itself, with one more step behind all others."""
    if not isinstance(module, fx.GraphModule):
        return with_forward(module, lambda _, forward, x: act(forward(x)))
    (output,) = module.graph.find_nodes(op="output")
    with module.graph.inserting_before(output):
        output.args = (act(fx.Proxy(output.args[0])).node,)
    module.recompile()
    return module


def _without_last(module: nn.Module, images: Tensor, given: Tensor, restoring: Restoring) -> nn.Module | None:
    """The module itself without its last step, if `restoring` computes just that from what then comes out."""

    def restored(logits: object) -> bool:
        if not isinstance(logits, Tensor) or logits.shape != given.shape:
            return False
        return torch.allclose(restoring(logits).double(), given.double(), rtol=1e-4, atol=1e-6)  # may differ in type

    if path := _last_layer(module, images, restored):
        module.set_submodule(path, nn.Identity())
        return module
    if isinstance(module, fx.GraphModule):
        return _without_node(module, images, restored)
    with torch.no_grad(), _Last() as last:
        output = module(images)
    if last.result is output and restored(last.argument):
        return _without_call(module, last.function)
    return None


def _last_layer(module: nn.Module, images: Tensor, restored: Callable[[object], bool]) -> str | None:
    """The name of the layer without weights that gives the output, if it runs once."""
    calls: dict[str, list[tuple[Any, Any]]] = {}
    handles = [
        layer.register_forward_hook(lambda _, args, out, name=name: calls.setdefault(name, []).append((args, out)))
        for name, layer in module.named_modules()
        if name and not any(True for _ in layer.parameters())
    ]
    with torch.no_grad():
        output = module(images)
    for handle in handles:
        handle.remove()
    for name, ((args, out), *more) in calls.items():
        if out is output and not more and args and restored(args[0]):
            return name
    return None


def _without_node(module: fx.GraphModule, images: Tensor, restored: Callable[[object], bool]) -> nn.Module | None:
    (output,) = module.graph.find_nodes(op="output")
    last = output.args[0]
    before = last.args[0] if isinstance(last, fx.Node) and last.args else None
    if not isinstance(before, fx.Node):
        return None
    output.args = (before,)
    module.recompile()
    with torch.no_grad():
        if restored(module(images)):
            module.graph.erase_node(last)
            return module
    output.args = (last,)
    module.recompile()
    return None


class _Last(TorchFunctionMode):
    """Remembers the last function of torch that was called, with its first argument and its result."""

    function: Any = None
    argument: Any = None
    result: Any = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result as it is."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.function, self.argument, self.result = func, args[0] if args else kwargs.get("input"), result
        return result


def _without_call(module: nn.Module, function: Any) -> nn.Module:
    """The module itself, made to return what it gives to its last call, if that is of this function.

    In train mode another one may be the last: then it gave logits all along.
    """

    def before(network: nn.Module, forward: Forward, x: Tensor) -> Any:
        with _Last() as last:
            output = forward(x)
        if isinstance(output, fx.Proxy):  # while it is being traced
            return _before(output)
        if last.result is output and last.function is function:
            return last.argument
        return output if network.training else _logarithm(output)

    return with_forward(module, before)


def _before(output: fx.Proxy) -> fx.Proxy:
    """The input of the last node, which is removed."""
    node = output.node
    logits: Any = node.args[0] if node.args else node.kwargs["input"]
    node.graph.erase_node(node)
    return fx.Proxy(logits, output.tracer)
