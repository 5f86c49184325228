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


HELP = """
import sys
from contextlib import suppress
from click import UsageError
from explorer.cli import commands
for words in sys.argv[2:]:
    with suppress(UsageError):
        commands.main(words.split(), standalone_mode=False)
    print(words, [name for name in sys.argv[1].split() if name in sys.modules], file=sys.stderr)
"""
HEAVY = ("torch", "torchvision", "streamlit", "plotly", "numpy", "scipy", "pandas", "rich")
LIGHT = ("--help", "--version", *(f"{name} --help" for name in COMMANDS))


def imported(names: tuple[str, ...], *commands: str) -> list[str]:
    """What each of some commands leaves imported of these modules, one after the other in a fresh process."""
    program = [sys.executable, "-c", HELP, " ".join(names), *commands]
    return subprocess.run(program, capture_output=True, text=True, check=True).stderr.splitlines()


def test_help_imports_nothing_heavy() -> None:
    assert imported(HEAVY, *LIGHT) == [f"{words} []" for words in LIGHT]


@pytest.mark.parametrize("words", ["prune -h", "prune demo --until flops=0.5 --help"])
def test_help_may_be_asked_for_anywhere_behind_a_command(words: str) -> None:
    assert run(*words.split()).out == run("prune", "--help").out


def test_what_a_command_imports_for_its_options_is_not_the_app_nor_an_extra() -> None:
    used = [f"{name} --nothing" for name in COMMANDS if name != "app"]
    found = imported(("streamlit", "pandas", "onnx", "timm"), *used)
    assert found == [f"{words} []" for words in used]


def test_the_start_of_the_app_does_not_wait_for_torch() -> None:
    code = "import sys, explorer.cli.app as app; app.hosts('127.0.0.1'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("words", ["--help", "prune --help"])
def test_help_is_there_within_four_tenths_of_a_second_of_work(words: str) -> None:
    resource = pytest.importorskip("resource", reason="times of processes on POSIX")
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        imported((), words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(taken) <= 0.4
