"""Parts of a known architecture that people change, its stem and its head, rebuilt from a checkpoint's shapes."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd

from explorer.networks.architectures.heads import OwnHead, OwnPart, Weights, own_head
from explorer.networks.architectures.stems import KERNEL, STEMS, like, own_stem
from explorer.networks.architectures.variants import variant

FACTORY = "name the code that builds the network, --arch package.module:factory"
UNSAID = (
    "has a 3x3 kernel in {0} in place of {1}: its stride, and whether a max-pooling follows, weights don't show. Say "
    "it behind the architecture's name, {2},"
    + ", or ".join(f"stem={word} ({stem.says})" for word, stem in STEMS.items())
)


@dataclass(frozen=True)
class Rebuilt:
    """The parts of an architecture that a checkpoint has in another form."""

    parts: tuple[OwnPart, ...] = ()
    head: OwnHead | None = None  # that is not the architecture's, where all else fits
    question: str = ""  # what a person has to say, a clause that follows the file's name


def rebuilt(arch: str, skeleton: nn.Module, weights: Weights, known: bool) -> Rebuilt:
    """The changes to an architecture that weights which do not fit it tell of.

    known: whether it is no person's own code, which is taken as it is.
    """
    changed = copy.deepcopy(skeleton)
    stem = own_stem(changed) if known else None
    parts = _with_bias(*stem, weights) if stem else ()
    for part in parts:
        changed.set_submodule(part.path, part.make())
    if stem and (question := _unsaid(arch, *stem, weights)):
        return Rebuilt(question=question)
    head = own_head(changed, weights, variant(arch).get("head") if known else None)
    if head is None:
        return Rebuilt(parts)
    if head.missing or not known:
        return Rebuilt(parts, head, head.missing)
    if head.part is None:
        return Rebuilt(parts, head, f"{head.question.format(arch)}{FACTORY}")
    return Rebuilt((*parts, head.part), head)


def _with_bias(name: str, conv: _ConvNd, weights: Weights) -> tuple[OwnPart, ...]:
    if conv.bias is not None or f"{name}.bias" not in weights:
        return ()
    return (OwnPart(name, lambda: like(conv, bias=True), f"{name} with a bias"),)


def _unsaid(arch: str, name: str, conv: _ConvNd, weights: Weights) -> str:
    """A sentence on a smaller stem; "" if there is none."""
    weight, small = weights.get(f"{name}.weight"), (KERNEL,) * len(conv.kernel_size)
    if weight is None or conv.kernel_size == small or tuple(weight.shape[2:]) != small:
        return ""
    usual = "x".join(map(str, conv.kernel_size))
    return f"{UNSAID.format(name, usual, arch)}, or {FACTORY}"
