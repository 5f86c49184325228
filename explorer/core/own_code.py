"""A person's own code by its name, `package.module:name`: a factory of networks, a criterion."""

from __future__ import annotations

import importlib
import re
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.text import first_line

FORM = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def import_own(name: str) -> Any:
    """What a name of this form stands for; importing it runs its module, so check first who gave the name.

    Raises BadInput if it can't be imported.
    """
    path, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(path), attribute)
    except Exception as error:  # their own code may fail in any way
        raise BadInput(
            f"{name} can't be imported ({type(error).__name__}: {first_line(error)}): check the name, and that its "
            "folder is in PYTHONPATH."
        ) from error
