"""Versions: the packages that a result or a report was computed with."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from explorer import __version__

PACKAGE = "pruning-explorer"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Package -> version, Python and this project first; a package that is not installed is left out."""
    found = {"python": platform.python_version(), PACKAGE: __version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
