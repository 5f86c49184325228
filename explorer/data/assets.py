"""Assets: the files of the embedded demo."""

from __future__ import annotations

from pathlib import Path

from explorer.core.errors import BadInput

PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = (PACKAGE / "assets", PACKAGE.parent / "assets")  # in an installed package; in a checkout


def asset(name: str) -> Path:
    """The path of an embedded file; raises BadInput if the installation lacks it."""
    for folder in FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise BadInput(f"the embedded file {name!r} is missing from this installation: install the package again.")
