"""Fine-tunings that a person asked the app for, and the file that says what was asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from explorer.core.documents import DocumentFormat, damaged, read_document, write_document
from explorer.data import UNCHANGED, Changes, changes_from_json
from explorer.networks.demos import DEMO
from explorer.training.finetune import IMAGENET, PAPER, Recipe, recipe_from

REMEDY = "delete its folder and start anew"
FORM = DocumentFormat("pruning-explorer tuning", 2, without_digest=(1,), unnamed=True, remedy=REMEDY)
ASKED = "tuning.json"
TEXTS, NUMBERS = ("arch", "weights", "name", "data"), ("epochs", "seed")


@dataclass(frozen=True)
class Tuning:
    """A person's settings of a fine-tuning: all that decides its result."""

    arch: str
    weights: str = IMAGENET  # or NONE, or the SHA-256 of an uploaded file
    name: str = ""  # of the upload
    data: str = DEMO
    epochs: int = 10
    recipe: Recipe = PAPER
    seed: int = 0
    changes: Changes = UNCHANGED

    @property
    def id(self) -> str:
        """The same for the same request, so that asking again finds what there is."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.arch.partition(':')[2]} on {self.images}"

    @property
    def images(self) -> str:
        """The name of its images for people."""
        return Path(self.data).stem or self.data


def write_tuning(path: Path, tuning: Tuning) -> None:
    """Write what was asked for; raises BadInput if the folder can't be written."""
    write_document(path, FORM, {**asdict(tuning), "changes": tuning.changes.to_json()})


def read_tuning(path: Path) -> Tuning:
    """The tuning that a file asks for; raises BadInput if the file is gone or damaged."""
    content = read_document(path, FORM, f"{path} is gone.")
    known: dict[str, Any] = {field.name: content[field.name] for field in fields(Tuning) if field.name in content}
    try:
        if not all(type(known[name]) is kind for names, kind in ((TEXTS, str), (NUMBERS, int)) for name in names):
            raise TypeError("a name is no text, or a number is none")
        recipe, changes = recipe_from(content["recipe"]), changes_from_json(content["changes"])
        return Tuning(**{**known, "recipe": recipe, "changes": changes})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise damaged(path, "it does not say what was asked for", REMEDY) from error
