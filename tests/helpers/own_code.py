"""A person's own criterion in a module of its own, and the tables as they were before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.pruning.selectors import SELECTORS
from explorer.scoring.criteria import CRITERIA


@contextmanager
def importable(folder: Path, module: str, text: str) -> Iterator[None]:
    """A module that can be imported; in the end it is unknown again, and so are criteria that were taken from it."""
    before = dict(CRITERIA), dict(SELECTORS)
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(module, None)
        for table, rows in zip((CRITERIA, SELECTORS), before, strict=True):
            table.clear()
            table.update(rows)  # type: ignore[arg-type]
