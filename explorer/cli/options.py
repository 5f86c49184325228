"""Options that the commands share."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import repeat
from pathlib import Path
from typing import Any

import click

from explorer.cli.output import check_writable
from explorer.core.device import NAMES
from explorer.core.errors import BadInput
from explorer.data import SOURCES, Changes, numbers
from explorer.networks.architectures.families import FAMILIES

Command = Callable[..., Any]


@dataclass(frozen=True)
class Request:
    """The options as a person gave them; None where they left the choice to the command."""

    network: str
    arch: str | None
    data: str | None
    limit: int | None
    seed: int | None
    device: str
    batch_size: int | None
    changes: Changes  # of the preprocessing
    download: bool
    json: Path | None
    started: float  # time.perf_counter() of the start


class Numbers(click.ParamType):
    """One number a channel, separated by commas."""

    name = "a,b,c"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers of a text."""
        try:
            return numbers(value)
        except BadInput as problem:
            self.fail(str(problem), param, ctx)


class NamedNumber(click.ParamType):
    """A parameter of the form NAME=NUMBER, with the names of a table; the engine checks both.

    number: its placeholder in the help, the same for every name or one for each.
    """

    def __init__(self, names: Iterable[str], number: str | Iterable[str], example: str) -> None:
        numbers = repeat(number) if isinstance(number, str) else number
        self.name = "|".join(f"{name}={of_name}" for name, of_name in zip(names, numbers, strict=False))
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Name and number of a text."""
        if isinstance(value, tuple):
            return value
        name, _, number = value.partition("=")
        try:
            return name, float(number)
        except ValueError:
            self.fail(f"{value!r} is not of the form {self.name}, such as {self.example}.", param, ctx)


ARCH = f"Architecture of a checkpoint: {', '.join(f'{family}:NAME' for family in FAMILIES)} or package.module:factory."
DATA = (
    f"{' or '.join(SOURCES)}; of clips, a FOLDER of CLASS/CLIP/FRAME.jpg.  "
    "[default: demo for demo, its own for a run; else required where images are needed]"
)
COUNT = click.IntRange(min=1)

OPTIONS = (
    click.option("--arch", metavar="NAME", help=ARCH),
    click.option("--data", metavar="WHERE", help=DATA),
    click.option(
        "--limit", type=COUNT, help="Use at most this many images.  [default: 256 for calibration, all otherwise]"
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        help="Seed of the splits and of all that is random.  [default: 0, or a run's own]",
    ),
    click.option(
        "--device", default="cpu", show_default=True, metavar="|".join(NAMES), help="The device to compute on."
    ),
    click.option(
        "--batch-size", type=COUNT, help="Images in one forward pass; changes no result.  [default: by image size]"
    ),
    click.option("--size", type=COUNT, metavar="PIXELS", help="Resize the shorter side, in place of the default."),
    click.option("--crop", type=COUNT, metavar="PIXELS", help="Crop the centre, in place of the default."),
    click.option(
        "--mean", type=Numbers(), metavar="a,b,c", help="Subtract this from each channel, in place of the default."
    ),
    click.option(
        "--std", type=Numbers(), metavar="a,b,c", help="Divide each channel by this, in place of the default."
    ),
    click.option("--frames", type=COUNT, help="Frames of each clip, in place of a video network's default."),
    click.option(
        "--download", is_flag=True, help="Download the data set torchvision:NAME where it is not on this disk."
    ),
)

json_option = click.option(
    "--json", type=click.Path(path_type=Path), metavar="FILE", help="Write the result as JSON as well."
)


NETWORK = click.argument("network", metavar="NETWORK")


def requests(network: Callable[[Command], Command] = NETWORK) -> Callable[[Command], Command]:
    """Give a command what makes up its first parameter, a Request: the argument or option `network`, and the others."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**values: Any) -> Any:
            started = time.perf_counter()
            changes = Changes(**_taken(values, Changes))
            request = Request(**_taken(values, Request), changes=changes, started=started)
            if request.json is not None:
                check_writable(request.json, "--json")
            return command(request, **values)

        wrapped: Command = collected
        for option in (json_option, *reversed(OPTIONS)):
            wrapped = option(wrapped)
        return network(wrapped)

    return decorate


def _taken(values: dict[str, Any], fields_of: type[Request] | type[Changes]) -> dict[str, Any]:
    """A command's values that are fields of a class; they are taken out of `values`."""
    return {field.name: values.pop(field.name) for field in fields(fields_of) if field.name in values}
