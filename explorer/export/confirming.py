"""Confirming: before files are made of a state, its network must still measure what its run says."""

from __future__ import annotations

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.metrics import Metrics

LOSS = 1e-3  # of 1 nat, or of the loss where that is larger: what another device or thread count rounds otherwise
IMAGES = 2  # that another rounding may turn from right to wrong


def confirm(outcome: Outcome, recorded: Metrics, what: str) -> None:
    """Raise BadInput unless an outcome is what was recorded of the same images.

    what: names the state, at the beginning of the sentence. Of another number of images nothing is said, or of none.
    """
    if len(outcome.labels) != recorded.images:
        return
    loss, accuracy = recorded.quality
    same_loss = abs(outcome.loss - loss) <= LOSS * max(1.0, abs(loss))
    if same_loss and abs(outcome.accuracy - accuracy) * recorded.images <= IMAGES:
        return
    raise BadInput(
        f"{what} no longer measures what its run says: loss {outcome.loss:.4f} and accuracy {outcome.accuracy:.1%} on "
        f"{recorded.images} validation images, but {loss:.4f} and {accuracy:.1%} when it was made. "
        "Its weights, its run or its images have been changed since: go back to a copy, or make the state again."
    )
