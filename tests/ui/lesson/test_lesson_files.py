"""A lesson's file: read as it is written, or refused with the word that is wrong and what it may be."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from invoke import run

from explorer.cli import app
from explorer.core.errors import BadInput
from explorer.ui.lesson.reading import BUILT_IN, PAGES, Step, built_in, read_lesson
from explorer.ui.lesson.sightings import SIGHTINGS

STEP = '[[step]]\npage = "oracle"\nquestion = "Why?"\ndo = "Look."\n'
GOOD = f'title = "Mine"\n{STEP}'
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def refusal(file: Path, content: str | bytes) -> str:
    """The sentence on a file of this content."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput) as refused:
        read_lesson(file)
    assert str(refused.value).count("\n") == 0
    return str(refused.value)


def test_the_apps_own_lesson_has_every_sighting_in_the_order_of_the_table() -> None:
    table = tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))
    assert [step.seen for step in built_in().steps] == list(SIGHTINGS) == [step["seen"] for step in table["step"]]
    assert {step.page for step in built_in().steps} <= set(PAGES)


def test_the_lesson_in_the_documentation_can_be_read(file: Path) -> None:
    page = (ROOT / "assets" / "docs" / "lessons.md").read_text(encoding="utf-8")
    shown = page[page.index("    title = ") : page.index("Every step has")]
    file.write_text("\n".join(line.removeprefix("    ") for line in shown.splitlines()), encoding="utf-8")
    (step,) = read_lesson(file).steps
    assert (step.page, step.seen, step.settings) == ("oracle", "weights-mislead", {"criterion": "weight"})


def test_a_step_has_what_its_file_says_and_nothing_else(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    found = read_lesson(file)
    assert (found.title, found.steps) == ("Mine", (Step("oracle", "Why?", "Look."),))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no steps"),
        ('title = "Mine"\nstep = "all"', "has no steps"),
        ("title = ", "is no TOML file"),
        (b"\xff\xfe\x00", "is no TOML file"),
        ("a = " + "[" * 5000, "is no TOML file"),
        (STEP, "needs a text title"),
        (GOOD.replace('"Why?"', "7"), "step 1, needs a text question"),
        (GOOD.replace('"Look."', '" "'), "step 1, needs a text do"),
        (
            GOOD.replace('"oracle"', '"../oracle"'),
            "step 1, has the page '../oracle': it must be one of challenge, compare, ",
        ),
        (GOOD + STEP + 'seen = "oracle"\n', "step 2, has the seen 'oracle': it must be one of feature-map, "),
        (GOOD + "seen = []\n", "step 1, has the seen []: it must be one of"),
        (GOOD + 'run = "x"\n', "step 1, has 'run': it may have page, question, do, seen, settings"),
        (GOOD + "settings = 3\n", "step 1, has settings = 3: write { name = value }"),
        (GOOD + 'settings = { run = "x" }\n', "step 1, has the setting 'run': it must be one of criterion, "),
        (GOOD + "settings = { target = 0 }\n", "sets target to 0: it must be a whole number from 1 to 99"),
        (GOOD + "settings = { target = true }\n", "sets target to True"),
        (GOOD + "settings = { criterion = [1] }\n", "sets criterion to [1]: it must be one of taylor, "),
        (GOOD + "settings = { compared = [] }\n", "sets compared to []: it must be a list"),
        (GOOD + "settings = { compared = [[1]] }\n", "sets compared to [[1]]"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused_with_the_word_that_is_wrong(
    file: Path, content: str | bytes, words: str
) -> None:
    assert words in refusal(file, content)


@settings(max_examples=60, deadline=None)
@given(some.binary(max_size=60), some.integers(0, len(GOOD)))
def test_whatever_stands_in_a_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(GOOD[:at].encode() + content + GOOD[at:].encode())
    try:
        assert read_lesson(path).steps
    except BadInput as problem:
        assert "any.toml" in str(problem)


def test_the_app_refuses_a_bad_lesson_before_it_starts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "check_free", lambda host, port: None)
    missing = run("app", "--lesson", file)
    assert (missing.code, missing.err.count("\n")) == (2, 1) and "can't be read (No such file" in missing.err
    file.mkdir()
    assert "is no regular file" in run("app", "--lesson", file).err
