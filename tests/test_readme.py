"""README, guide and reference pages say what is so: made from the code, their commands parse, their files are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import make_docs
import make_rooms
import pytest

from explorer.cli import COMMANDS, HELP, commands

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in make_docs.pages()}
README = TEXTS["README.md"]
GUIDES = {name: TEXTS[name] for name in (".github/CONTRIBUTING.md", "assets/docs/glossary.md")}
SUFFIX = r"\.(?:py|md|toml|css|html|js|svg|yaml)"
BENCHMARKS = {path.name for path in (ROOT / "tests" / "benchmarks").glob("*.py")}


@pytest.mark.parametrize("name", TEXTS)
def test_what_pages_take_from_the_code_is_the_codes(name: str) -> None:
    assert make_docs.renewed(TEXTS[name]) == TEXTS[name], "run: python assets/make_docs.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_that_is_read_is_the_commands_own(name: str) -> None:
    kept = (HELP / f"{name}.txt").read_text(encoding="utf-8")
    assert kept == make_docs.help_of(name), "run: python assets/make_docs.py"
    assert {path.stem for path in HELP.iterdir()} == set(COMMANDS)


def test_every_block_that_the_code_makes_is_on_some_page() -> None:
    assert {found[2] for text in TEXTS.values() for found in make_docs.BLOCK.finditer(text)} == set(make_docs.BLOCKS)


def examples() -> list[str]:
    """Every command line that a page shows."""
    return re.findall(r"^    pruning-explorer (.*)$", "\n".join(TEXTS.values()), re.MULTILINE)


def test_every_command_is_described() -> None:
    named = {line.split()[0] for line in examples() if "[OPTIONS]" not in line}
    assert set(COMMANDS) == named | {"app"}


@pytest.mark.parametrize("line", [line for line in examples() if "[OPTIONS]" not in line])
def test_commands_that_pages_show_have_options_that_exist(line: str) -> None:
    name, *arguments = shlex.split(line)
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    command.make_context(name, arguments)  # parses, and runs nothing


def slugs(text: str) -> set[str]:
    """What links to the headings of a page end in."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


LINKS = [(name, *link) for name in TEXTS for link in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", TEXTS[name])]


@pytest.mark.parametrize(("name", "target", "heading"), LINKS)
def test_links_lead_somewhere(name: str, target: str, heading: str) -> None:
    path = (ROOT / name).parent / target if target else ROOT / name
    assert path.exists()
    assert not heading or heading in slugs(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GUIDES)
def test_files_that_the_guides_name_are_there(name: str) -> None:
    named = set(re.findall(rf"`([\w./-]+{SUFFIX})`", GUIDES[name])) - BENCHMARKS - {"page.py", "model.py"}
    assert len(named) > 20
    assert [
        each for each in sorted(named) if not (ROOT / each).exists() and not (ROOT / "explorer" / each).exists()
    ] == []


def test_the_guide_names_every_benchmark() -> None:
    named = set(re.findall(r"`(\w+\.py)`", GUIDES[".github/CONTRIBUTING.md"]))
    measuring = {path.name for path in (ROOT / "tests" / "benchmarks").glob("*.py") if "__main__" in path.read_text()}
    assert measuring <= named


def test_two_commands_set_everything_up() -> None:
    lines = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(lines) == 2
    assert lines[0].endswith(".venv/bin/pruning-explorer")
    assert lines[1].endswith(".venv/bin/python -m pytest -n auto --dist loadfile")


def test_the_changelog_begins_with_this_version() -> None:
    from explorer import __version__

    text = (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)[0] in (__version__, "Unreleased")
    assert f"## [{__version__}] - 20" in text


def test_hooks_and_the_ci_run_the_same_style_and_type_checks() -> None:
    hooks = re.findall(r"entry: (.+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert hooks == [line for line in lines if line.startswith(".venv/bin/")]


def test_the_picture_of_the_rooms_is_of_the_imports() -> None:
    assert make_rooms.picture() == make_rooms.PICTURE.read_text(encoding="utf-8"), "run: python assets/make_rooms.py"


def test_arrows_that_follow_from_others_are_left_out_and_rows_stand_above_what_they_import() -> None:
    edges = {"c": {"a", "b"}, "b": {"a"}, "a": set(), "d": {"a"}, "e": {"c", "d"}}
    assert make_rooms.reduced(edges) == {"c": {"b"}, "b": {"a"}, "a": set(), "d": {"a"}, "e": {"c", "d"}}
    assert make_rooms.column(edges) == ["e", "c", "b", "a"]
    assert list(make_rooms.rows(edges)) == ["e", "c", "b", "d", "a"]
    assert make_rooms.lanes(edges) == {"e": 0, "c": 0, "b": 0, "a": 0, "d": 1}
