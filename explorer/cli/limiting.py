"""Options that say what every plan leaves standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from explorer.cli.options import Command
from explorer.limits import Limits

EVERY_LAYER = ""


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


OPTIONS = (
    click.option(
        "--keep", multiple=True, metavar="LAYER", help="A layer that loses nothing, as inspect names it; repeatable."
    ),
    click.option(
        "--floor", "floors", type=Floor(), multiple=True, metavar=Floor.name,
        help="Units that every layer keeps, or one layer; repeatable.  [default: 1]",
    ),
    click.option(
        "--multiple", type=click.IntRange(min=1), default=1, show_default=True,
        help="Layers that lose units get widths in multiples of this, such as 8 or 16.",
    ),
)  # fmt: skip


def limit_options(command: Command) -> Command:
    """Give a command the option values that `limits_of` reads, and `keep`, which asks for a network's layers."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def limits_of(options: Mapping[str, Any]) -> Limits:
    """The limits that a person asked for, without the layers to keep."""
    floors = dict(options["floors"])
    return Limits(floors.pop(EVERY_LAYER, 1), floors, options["multiple"])
