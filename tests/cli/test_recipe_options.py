"""Options of fine-tuning: what they make of a recipe, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from invoke import result, run

from explorer.cli.recipe_options import distillation_options, recipe_of, recipe_options
from explorer.core.errors import BadInput
from explorer.training.finetune import Recipe
from explorer.training.schedules import SCHEDULES

FINETUNE = ("finetune", "--arch", "explorer:vgg_small", "--weights", "none", "--epochs", 2, "--minibatch", 8)


def parsed(*arguments: str) -> Recipe:
    """The recipe of a command that offers everything."""
    found: list[Recipe] = []

    @click.command()
    @recipe_options
    @distillation_options
    @click.option("--step", default=1)
    def command(**options: object) -> None:
        found.append(recipe_of(options))

    CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return found[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Recipe()),
        (["--step", "3"], Recipe()),
        (["--minibatch", "5", "--optimizer", "adam"], Recipe(batch_size=5, optimizer="adam")),
        *((["--schedule", name], Recipe(schedule=name)) for name in SCHEDULES),
        (["--distil", "0.25", "--temperature", "2"], Recipe(distillation=0.25, temperature=2.0)),
        (
            ["--learning-rate", "0.5", "--momentum", "0", "--weight-decay", "0"],
            Recipe(learning_rate=0.5, momentum=0.0, weight_decay=0.0),
        ),
    ],
)
def test_options_become_a_recipe(arguments: list[str], expected: Recipe) -> None:
    assert parsed(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--distil", "1.5"], r"distillation 1\.5 must be between 0 and 1"),
        (["--distil", "nan"], r"distillation nan must be between 0 and 1"),
        (["--temperature", "0"], r"temperature 0\.0 must be above 0 and finite"),
    ],
)
def test_values_outside_the_rules_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parsed(*arguments)


def test_an_unknown_schedule_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = run(*FINETUNE, "--data", "demo", "--schedule", "magic", "--out", tmp_path / "run")
    assert done.code == 2 and done.err.count("\n") == 1
    assert all(f"'{name}'" in done.err for name in ("magic", *SCHEDULES))


@pytest.mark.parametrize("command", ["prune", "finetune"])
def test_help_says_what_every_schedule_does(command: str) -> None:
    said = "".join(run(command, "--help").out.split())
    assert all("".join(str(schedule.__doc__).split("\n")[0].split()) in said for schedule in SCHEDULES.values())


def test_a_schedule_changes_what_becomes_of_the_network(few: Path, tmp_path: Path) -> None:
    losses = {}
    for name in ("constant", "cosine"):
        out = ("--schedule", name, "--learning-rate", 0.02, "--out", tmp_path / name)
        _, found = result(tmp_path, *FINETUNE, "--data", few, *out)
        assert found["settings"]["schedule"] == name
        losses[name] = found["epochs"][-1]["loss"]
    assert losses["constant"] != losses["cosine"]
