"""Every text on a page is the project's own or escaped. All sources of the pages are read, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import explorer.ui

FOLDER = Path(explorer.ui.__path__[0])
TEXTS = {"caption", "error", "warning", "info", "success", "subheader", "markdown", "title", "header", "toast"}
LABELS = {"expander", "popover", "spinner", "status", "button", "download_button", "link_button", "checkbox", "toggle"}
TEMPLATES = ESCAPING = {"body", "filled", "markdown"}


def unescaped(source: str) -> Iterator[str]:
    """The calls that give Streamlit a text which is neither a constant nor escaped."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and not all(map(_harmless, _texts(node)))
        ):
            yield ast.unparse(node)


def _texts(call: ast.Call) -> list[ast.expr]:
    """What Streamlit would read as Markdown."""
    owner, _, name = ast.unparse(call.func).rpartition(".")
    named = [each.value for each in call.keywords if each.arg in ("text", "label")]
    if owner == "say":
        return call.args[:1] if name in TEMPLATES else []
    return [*call.args[:1], *named] if name in TEXTS | LABELS else named if name == "progress" else []


def _harmless(node: ast.expr) -> bool:
    """A constant, an escaped text, or a sentence of constants and formatted numbers."""
    if isinstance(node, ast.JoinedStr):
        return all(isinstance(each, ast.Constant) or each.format_spec is not None for each in node.values)  # type: ignore[attr-defined]
    if isinstance(node, ast.IfExp):
        return _harmless(node.body) and _harmless(node.orelse)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in ESCAPING
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_no_foreign_text_is_shown_as_it_comes(path: Path) -> None:
    if path.stem != "say":
        assert list(unescaped(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "st.caption(f'of {name}')",
        "place.error(str(problem))",
        "st.button(label)",
        "st.progress(0.5, text=job.note)",
        "say.body(f'**{name}**')",
    ],
)
def test_the_rule_finds_what_is_against_it(line: str) -> None:
    assert len(list(unescaped(line))) == 1
