"""Changed answers: the images that two states of a network answer differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Outcome

LOST, ASTRAY, GAINED = "lost", "astray", "gained"
KINDS = {  # in the order in which they are shown
    LOST: "from right to wrong",
    ASTRAY: "from one wrong class to another",
    GAINED: "from wrong to right",
}


@dataclass(frozen=True)
class ChangedAnswer:
    """One image, and what two states take it for."""

    position: int  # among the images of the outcomes
    label: int
    before: int  # predicted class
    after: int
    sure_before: float  # probability of the class `before`, before; 0 to 1
    sure_after: float  # of the class `after`, after

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.before == self.label:
            return LOST
        return GAINED if self.after == self.label else ASTRAY


def changed_answers(before: Outcome, after: Outcome) -> list[ChangedAnswer]:
    """The images whose predicted class differs, in the order of KINDS, then by how sure the answer is after it.

    Raises BadInput where the outcomes are not of the same images.
    """
    if not before.labels.equal(after.labels):
        raise BadInput("The answers before and after are of different images: measure both on the same ones.")
    (sure_before, first), (sure_after, then) = before.probabilities.max(1), after.probabilities.max(1)
    columns = (before.labels, first, then, sure_before, sure_after)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    found = [ChangedAnswer(n, *row) for n, row in enumerate(rows) if row[1] != row[2]]
    order = list(KINDS)
    return sorted(found, key=lambda each: (order.index(each.kind), -each.sure_after))


def changed_said(found: Sequence[ChangedAnswer], images: str) -> str:
    """ "17 of 256 validation images of demo, seed 0 changed their answer: 14 from right to wrong, ..."."""
    kinds = Counter(each.kind for each in found)
    parts = ", ".join(f"{kinds[kind]:,} {title}" for kind, title in KINDS.items() if kinds[kind])
    return f"{len(found):,} of {images} changed their answer{parts and f': {parts}'}."
