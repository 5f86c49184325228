"""The README says what is so: its tables are those of the code, its commands exist, its files are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explorer.cli import COMMANDS
from explorer.scoring.criteria import CRITERIA

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def criteria_table() -> str:
    """The README's table of criteria; print it and paste it there when this test fails."""
    rows = [f"| `{c.name}` | {_cell(c.summary)} | {c.cost} | {c.source} |" for c in CRITERIA.values()]
    return "\n".join(["| name | what it is; higher means keep | cost | source |", "|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def test_the_table_of_criteria_is_the_codes() -> None:
    assert criteria_table() in README, criteria_table()


def test_every_command_is_described() -> None:
    named = set(re.findall(r"^    pruning-explorer (\w+)", README, re.MULTILINE))
    assert set(COMMANDS) == named | {"app"}


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (Path(__file__).resolve().parent.parent / target).exists()


def test_two_commands_set_everything_up() -> None:
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/pruning-explorer")
    assert commands[1].endswith(".venv/bin/python -m pytest -n auto --dist loadfile")
