"""Options that say how weights are updated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from explorer.cli.options import Command
from explorer.finetune import OPTIMIZERS, PAPER, Recipe

OPTIONS = (
    click.option("--learning-rate", type=float, default=PAPER.learning_rate, show_default=True, help="Of fine-tuning."),
    click.option("--momentum", type=float, default=PAPER.momentum, show_default=True, help="Of fine-tuning."),
    click.option("--weight-decay", type=float, default=PAPER.weight_decay, show_default=True, help="Of fine-tuning."),
    click.option(
        "--minibatch", type=click.IntRange(min=1), default=PAPER.batch_size, show_default=True, help="Images an update."
    ),
    click.option(
        "--optimizer", type=click.Choice(list(OPTIMIZERS)), default=PAPER.optimizer, show_default=True,
        help="Of fine-tuning.",
    ),
)  # fmt: skip


def recipe_options(command: Command) -> Command:
    """Give a command the option values that `recipe_of` reads."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def recipe_of(options: Mapping[str, Any]) -> Recipe:
    """The recipe that a person asked for."""
    names = ("learning_rate", "momentum", "weight_decay", "minibatch", "optimizer")
    return Recipe(*(options[name] for name in names))
