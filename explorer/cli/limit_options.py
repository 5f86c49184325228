"""Options that say what every plan leaves standing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from explorer.cli.options import Command
from explorer.core.errors import BadInput
from explorer.networks.units import Units
from explorer.pruning.limits import Limits, with_layers_kept, with_units_chosen

EVERY_LAYER = ""
SPAN = re.compile(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", re.ASCII)
MAX_CHANNELS_IN_SPAN = 1_000_000  # channels in one span


class Floor(click.ParamType):
    """N for every layer, or LAYER=N for one; the engine judges both."""

    name = "N|LAYER=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Layer, or EVERY_LAYER, and number of a text."""
        if isinstance(value, tuple):
            return value
        layer, _, number = value.rpartition("=")
        try:
            return layer, int(number)
        except ValueError:
            self.fail(f"{value!r} is not of the form {self.name}, such as 8 or features.0=16.", param, ctx)


class Channels(click.ParamType):
    """LAYER:CHANNELS, such as features.0:3,7 or features.0:3-5; the engine judges layer and channels."""

    name = "LAYER:CHANNELS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[int, ...]]:
        """Layer and channels of a text."""
        if isinstance(value, tuple):
            return value
        layer, _, listed = value.rpartition(":")
        spans = [SPAN.fullmatch(part) for part in listed.split(",")]
        if not layer or not all(spans):
            self.fail(f"{value!r} is not of the form {self.name}, such as features.0:3,7-9.", param, ctx)
        return layer, tuple(channel for span in spans if span for channel in _channels(span))


def _channels(span: re.Match[str]) -> range:
    first, last = int(span[1]), int(span[2] or span[1])
    if first > last:
        raise BadInput(f"The range of channels {span[0]} is empty: its first number must not be above its last.")
    if last - first >= MAX_CHANNELS_IN_SPAN:
        raise BadInput(f"Channels {span[0]} are too many: no layer has {last - first + 1:,}.")
    return range(first, last + 1)


def channels_by_layer(given: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """All channels that were named, by layer."""
    layers: dict[str, set[int]] = {}
    for layer, channels in given:
        layers.setdefault(layer, set()).update(channels)
    return {layer: tuple(sorted(channels)) for layer, channels in layers.items()}


OPTIONS = (
    click.option(
        "--keep",
        multiple=True,
        metavar="LAYER",
        help="A layer that stays whole, by the name that inspect shows. May be repeated.",
    ),
    click.option(
        "--floor",
        "floors",
        type=Floor(),
        multiple=True,
        metavar=Floor.name,
        help="The least number of units that every layer keeps, or that one layer does. May be repeated.  [default: 1]",
    ),
    click.option(
        "--multiple",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Layers that lose units get widths in multiples of this, such as 8 or 16.",
    ),
    click.option(
        "--stay",
        type=Channels(),
        multiple=True,
        metavar=Channels.name,
        help="Channels that stay, by their indices in the network as loaded, such as features.0:3,7. May be repeated.",
    ),
    click.option(
        "--go",
        type=Channels(),
        multiple=True,
        metavar=Channels.name,
        help="Channels that go before all others of their layer, such as features.0:3-5. May be repeated.",
    ),
)


def limit_options(command: Command) -> Command:
    """Give a command the option values that `limits_of` reads."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def limits_of(options: Mapping[str, Any], units: Units | None = None) -> Limits:
    """The limits that a person asked for; without `units`, those that can be checked before a network is open."""
    floors = dict(options["floors"])
    stay, go = channels_by_layer(options["stay"]), channels_by_layer(options["go"])
    limits = Limits(floors.pop(EVERY_LAYER, 1), floors, options["multiple"], stay, go)
    return (
        limits
        if units is None
        else with_units_chosen(units, stay, go, with_layers_kept(units, options["keep"], limits))
    )
