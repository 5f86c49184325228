"""The picture of pruning in turns while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from explorer.evaluation.metrics import Metrics
from explorer.figures.turn_curves import turn_curves
from explorer.jobs.job import Job
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart

POINTS = 400  # of the curve of losses; where there are more, neighbours are averaged


@dataclass(eq=False)
class Live:
    """The course of one job: written by its worker, read by any number of pages."""

    steps: list[tuple[Metrics | None, Metrics]]  # before and after the fine-tuning of each, the start first
    where: str  # the images that it is measured on
    began: str  # the kind of the stage of the start
    losses: list[tuple[float, float]] = field(default_factory=list)  # (last update, mean loss) of so many in a row
    stride: int = 1
    updates: int = 0
    _sum: float = 0.0
    _summed: int = 0

    def hear(self, loss: float) -> None:
        """One more update, with the loss of its minibatch in nats."""
        self.updates, self._sum, self._summed = self.updates + 1, self._sum + loss, self._summed + 1
        if self._summed == self.stride:
            self.losses = [*self.losses, (self.updates, self._sum / self.stride)]
            self._sum, self._summed = 0.0, 0
        if len(self.losses) > POINTS:
            pairs = zip(self.losses[::2], self.losses[1::2], strict=False)
            self.losses = [(second[0], (first[1] + second[1]) / 2) for first, second in pairs]
            self.stride *= 2

    def draw(self, key: str) -> None:
        """The two curves so far, and what they were measured on."""
        steps = list(self.steps)
        after, before = [m.quality[1] for _, m in steps], [m.accuracy if m else None for m, _ in steps]
        chart(turn_curves(after, before, self.losses, began=self.began), key)
        averaged = f", mean of {self.stride} in a row" if self.stride > 1 else ""
        say.caption(
            f"Accuracy on {self.where}, step by step of this run; loss of each update's minibatch of the finetune "
            f"split{averaged}."
        )


def drawing(key: str) -> Callable[[Job], None]:
    """To draw a job's course in the fragment that follows it."""

    def draw(job: Job) -> None:
        if isinstance(job.live, Live):
            job.live.draw(key)

    return draw
