"""Work folder: where the app keeps uploads, runs, results and reports."""

from __future__ import annotations

import os
from pathlib import Path


def workdir() -> Path:
    """The work folder: PRUNING_EXPLORER_WORKDIR, or one in the home folder. It need not be there yet."""
    return Path(os.environ.get("PRUNING_EXPLORER_WORKDIR", "~/.pruning-explorer")).expanduser()
