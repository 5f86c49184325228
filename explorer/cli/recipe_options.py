"""Options that say how weights are updated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from explorer.cli.options import Command
from explorer.training.finetune import OPTIMIZERS, PAPER, Recipe
from explorer.training.schedules import SCHEDULES, summary

FIELDS = {"minibatch": "batch_size", "distil": "distillation"}  # of the recipe, where the option is called otherwise

updates_option = click.option(
    "--updates",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fine-tuning minibatches after each step.",
)

OPTIONS = (
    click.option(
        "--learning-rate",
        type=float,
        default=PAPER.learning_rate,
        show_default=True,
        help="Learning rate of fine-tuning.",
    ),
    click.option("--momentum", type=float, default=PAPER.momentum, show_default=True, help="Momentum of fine-tuning."),
    click.option(
        "--weight-decay", type=float, default=PAPER.weight_decay, show_default=True, help="Weight decay of fine-tuning."
    ),
    click.option(
        "--minibatch",
        type=click.IntRange(min=1),
        default=PAPER.batch_size,
        show_default=True,
        help="Images in each update.",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(list(OPTIMIZERS)),
        default=PAPER.optimizer,
        show_default=True,
        help="Optimiser of fine-tuning.",
    ),
    click.option(
        "--schedule",
        type=click.Choice(list(SCHEDULES)),
        default=PAPER.schedule,
        show_default=True,
        help=f"How the learning rate changes. {' '.join(f'{name}: {summary(name)}' for name in SCHEDULES)}",
    ),
)

DISTILLATION = (
    click.option(
        "--distil",
        type=float,
        metavar="ALPHA",
        default=PAPER.distillation,
        show_default=True,
        help="Share of the unpruned network's answers in the loss, 0 to 1; the rest is the labels'.",
    ),
    click.option(
        "--temperature",
        type=float,
        default=PAPER.temperature,
        show_default=True,
        help="Temperature of the answers that --distil compares.",
    ),
)


def recipe_options(command: Command) -> Command:
    """Give a command the option values that `recipe_of` reads."""
    return _with(OPTIONS, command)


def distillation_options(command: Command) -> Command:
    """Add the distillation options; for commands that have a teacher."""
    return _with(DISTILLATION, command)


def _with(options: tuple[Any, ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def recipe_of(options: Mapping[str, Any]) -> Recipe:
    """The recipe that a person asked for."""
    given = {FIELDS.get(name, name): value for name, value in options.items()}
    return Recipe(**{name: given[name] for name in vars(PAPER) if name in given})
