"""Help: made from the tables, so it can't fall behind them."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from invoke import run

from explorer.cli import COMMANDS, commands
from explorer.export.formats import FORMATS
from explorer.networks.architectures.families import FAMILIES
from explorer.pruning.plan import MEASURES
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.ranking import PRICES, SCALINGS


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert f"  {name} " in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    command = commands.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.name == name
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []
    done = run(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: pruning-explorer {name} ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("score", [*CRITERIA, *FAMILIES]),
        ("prune", [*CRITERIA, *SCALINGS, *(f"{measure}=SHARE" for measure in MEASURES), "1 % of all, at least 1"]),
        ("prune", [f"{price}=PENALTY" for price in PRICES]),
        ("correlate", [*SCALINGS]),
        ("export", [*FORMATS]),
    ],
)
def test_help_names_every_row_of_its_tables(name: str, words: list[str]) -> None:
    said = run(name, "--help").out
    assert [word for word in words if word not in said] == []
    if name in ("score", "prune"):
        spaceless = "".join(said.split())
        assert all("".join(criterion.summary.split()) in spaceless for criterion in CRITERIA.values())


def test_general_help_and_the_start_of_the_app_do_not_wait_for_torch() -> None:
    code = "import sys, explorer.cli.app as app; app.hosts('127.0.0.1'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
