"""The quick tests: some of every room, none in a browser, none that takes long."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import quick
from test_layout import ROOMS

FILES = sorted(file for path in quick.paths() for file in ([path] if path.is_file() else path.rglob("test_*.py")))


def test_every_room_has_some() -> None:
    assert list(quick.QUICK) == list(ROOMS)
    assert [path for path in quick.paths() if not path.exists()] == []
    assert {file.relative_to(quick.TESTS).parts[0] for file in FILES} == set(ROOMS)
    assert not quick.is_quick(Path(__file__))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_none_opens_a_browser_or_reads_what_is_not_in_the_checkout(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "playwright" not in {name.partition(".")[0] for name in imported}
    assert "shared_data" not in {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
