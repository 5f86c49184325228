"""Variants of an architecture: choices that a file leaves open, said behind its name.

`torchvision:resnet18,stem=cifar,head=relu` is resnet18 whose stem is one of `stems.STEMS`, and whose head has a ReLU
between its linear layers: weights show neither. `torchvision:resnet18,weights=ema` takes the weights under "ema" of a
file in which several sets fit.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.architectures.stems import STEMS

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "none": nn.Identity,
}
WEIGHTS = "weights"  # the part whose word is a beginning of names in the file, as a note on the file spells it
WORDS: Mapping[str, tuple[str, ...]] = {"stem": tuple(STEMS), "head": tuple(ACTIVATIONS)}


def plain_name(arch: str) -> str:
    """The architecture's name without its variant."""
    return arch.partition(",")[0]


def variant(arch: str) -> dict[str, str]:
    """Part ("stem", "head", "weights") -> the word said of it; raises BadInput for other parts and words."""
    _, comma, said = arch.partition(",")
    found: dict[str, str] = {}
    for pair in said.split(",") if comma else ():
        part, _, word = pair.partition("=")
        if not (word in WORDS.get(part, ()) or (part == WEIGHTS and word)) or part in found:
            known = " or ".join([*(f"{part}={'|'.join(words)}" for part, words in WORDS.items()), f"{WEIGHTS}=NAME"])
            raise BadInput(f"The architecture {quoted(arch, 80)} has {quoted(pair, 40)} behind its name: use {known}.")
        found[part] = word
    return found
