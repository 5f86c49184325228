"""Architectures by name: `explorer:NAME`, `torchvision:NAME`, `timm:NAME`, or one's own `package.module:factory`.

The first three may be followed by a variant, see `variants`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import torch
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.core.own_code import FORM, import_own
from explorer.core.text import first_line, quoted
from explorer.data.preprocessing import Preprocessing
from explorer.networks.architectures import from_timm, from_torchvision, own
from explorer.networks.architectures.stems import with_stem
from explorer.networks.architectures.variants import plain_name, variant

UNSAID_SIDE = 32  # pixels, where nobody says it and there are no images to tell


Rename = Callable[[nn.Module, Mapping[str, Tensor]], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Family:
    """A source of architectures: all that is asked of one. Options are `num_classes` and `in_channels`, where given."""

    names: Callable[[], tuple[str, ...]]
    knows: Callable[[str], bool]  # without listing all names
    create: Callable[..., nn.Module]  # (name, **options), with random weights
    preprocessing: Callable[[str], Preprocessing]
    side: Callable[[str], int]  # pixels, where the preprocessing does not resize
    published: Callable[[str], Mapping[str, Tensor]] | None = None  # weights of ImageNet: from its cache, or downloaded
    alike: Callable[[str], str] = str  # the same for architectures whose first layers are called alike
    renamed: Rename | None = None  # names of other libraries, as its own changes them on loading
    typed: str = ""  # an example, where names are too many for a list, and to be tried with a checkpoint


_FACTORIES = Event()  # whether who started this process lets all who use it name factories


def allow_factories() -> None:
    """Let everybody who uses this process name factories of their own, which are then called."""
    _FACTORIES.set()


def factories_allowed() -> bool:
    """Whether `allow_factories` was called."""
    return _FACTORIES.is_set()


def known_architectures(family: str | None = None) -> tuple[str, ...]:
    """All names of one family, or of those that people choose from a list ("explorer", "torchvision")."""
    families = (family,) if family else listed_families()
    return tuple(f"{each}:{name}" for each in families for name in FAMILIES[each].names())


def listed_families() -> tuple[str, ...]:
    """The families whose architectures people choose from a list, and that checkpoints are tried with, in order."""
    return tuple(name for name, family in FAMILIES.items() if not family.typed)


def build(
    arch: str, num_classes: int | None = None, *, in_channels: int | None = None, trusted: bool = False, seed: int = 0
) -> nn.Module:
    """A network with random weights, the same for the same seed.

    None leaves an option at the architecture's default. Own factories are code, so they run only if `trusted`. The
    global random state is neither read nor changed. Raises BadInput for unknown names and options.
    """
    with _own_random_state(seed):
        return create(arch, trusted=trusted, num_classes=num_classes, in_channels=in_channels)


def create(arch: str, *, trusted: bool = False, **options: int | None) -> nn.Module:
    """The network as its maker initialises it, with the global random state."""
    given = {option: value for option, value in options.items() if value is not None}
    family, name = split(arch, trusted)
    if family is None:
        return _from_factory(arch, given)
    network, stem = _call(partial(FAMILIES[family].create, name), arch, given), variant(arch).get("stem")
    return with_stem(network, stem) if stem else network


def split(arch: str, trusted: bool = False) -> tuple[str | None, str]:
    """Family and name within it; the family of a person's own factory is None. Raises BadInput for unknown names."""
    family, _, name = plain_name(arch).partition(":")
    if family in FAMILIES and FAMILIES[family].knows(name):
        variant(arch)
        return family, name
    if family in FAMILIES or not FORM.fullmatch(arch):
        raise BadInput(f"The architecture {quoted(arch, 80)} is unknown{_closest(arch)}.")
    if not trusted and not _FACTORIES.is_set():
        raise BadInput(
            f"{quoted(arch, 80)} is your own code: it is called only on the command line, with --arch, "
            "and by an app that was started with --allow-factories."
        )
    return None, arch


def preprocessing_for(arch: str) -> Preprocessing:
    """The preprocessing of this architecture's usual training.

    The user's own factories get ImageNet's mean, and images of any size, as those with another stem do.
    """
    family, name = split(arch, trusted=True)
    return FAMILIES[family].preprocessing(name) if family and says_size(arch) else own.PLAIN_RGB


def says_size(arch: str) -> bool:
    """Whether the architecture's images usually have one size: not one's own factories', nor with another stem."""
    return split(arch, trusted=True)[0] is not None and "stem" not in variant(arch)


def input_shape_for(arch: str, preprocessing: Preprocessing) -> tuple[int, ...]:
    """(C, H, W) of a preprocessed image or (C, T, H, W) of a clip; where it is not resized, the usual side."""
    family, name = split(arch, trusted=True)
    usual = FAMILIES[family].side(name) if family and says_size(arch) else UNSAID_SIDE
    side = preprocessing.crop or preprocessing.size or usual
    time = () if preprocessing.frames is None else (preprocessing.frames,)
    return len(preprocessing.mean), *time, side, side


@contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _closest(arch: str) -> str:
    family, _, name = arch.partition(":")
    known = known_architectures(family if family in FAMILIES and FAMILIES[family].typed else None)
    same = [each for each in known if each.partition(":")[2] == (name or family)]
    close = same or difflib.get_close_matches(arch, known, n=3, cutoff=0.5)
    forms = " or ".join(f"{each}:NAME" for each in FAMILIES)
    return f"; the closest are {', '.join(close)}" if close else f"; write it as {forms}"


def _call(function: Callable[..., nn.Module], arch: str, options: dict[str, Any]) -> nn.Module:
    """Call with the options that are given; raises BadInput for one that the function does not know."""
    parameters = inspect.signature(function).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for option in options:
        if option not in parameters and not takes_all:
            raise BadInput(f"{arch} takes no {option}: leave it out, or give the function a parameter of that name.")
    return function(**options)


def _from_factory(arch: str, options: dict[str, Any]) -> nn.Module:
    factory = import_own(arch)
    try:
        module = _call(factory, arch, options)
    except BadInput:
        raise
    except Exception as error:  # the user's own code may fail in any way
        raise BadInput(f"{arch} can't be built: {type(error).__name__}: {first_line(error)}.") from error
    if not isinstance(module, nn.Module):
        raise BadInput(f"{arch} returns a {type(module).__name__}; it must return a torch.nn.Module.")
    return module


FAMILIES = {
    "explorer": Family(own.names, own.knows, own.create, own.preprocessing, own.side),
    "torchvision": Family(
        from_torchvision.names,
        from_torchvision.knows,
        from_torchvision.create,
        from_torchvision.preprocessing,
        from_torchvision.side,
        from_torchvision.published,
        from_torchvision.alike,
    ),
    "timm": Family(
        from_timm.names,
        from_timm.knows,
        from_timm.create,
        from_timm.preprocessing,
        from_timm.side,
        from_timm.published,
        renamed=from_timm.renamed,
        typed="resnet18",
    ),
}
"""Where architectures come from. In this order a checkpoint of no named architecture is tried with them."""
