"""Settings: all that decides what the procedure makes of a network and its images."""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.evaluation.metrics import Metrics
from explorer.pruning.goals import ACCURACY, GOALS, Goal, check_goal, spent
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.pruning.plan import Aim
from explorer.pruning.selectors import check_from_updates, check_known, ranked_by, selector_of
from explorer.scoring.ranking import check_price, check_scaling
from explorer.training.finetune import Recipe

CALIBRATION, UPDATES = "calibration", "updates"
EVIDENCE = {
    CALIBRATION: "Before each step the network as it is then is scored in eval mode on the calibration images.",
    UPDATES: "Each step is ranked by what the minibatches of the fine-tuning before it showed on the way, as in the "
    "paper; only the first ranking comes from the calibration images.",
}


@dataclass(frozen=True)
class Settings:
    """Settings of pruning. The defaults are the paper's where it names one."""

    criterion: str = "taylor"  # or any other of the SELECTORS
    measure: str = "units"  # measure of the target: the name of one of the GOALS
    target: float = 0.5  # of units, parameters, FLOPs or latency the share that is left; or a budget's number
    scaling: str = "l2"
    price: str = "flops"
    penalty: float = 0.0  # a unit's price counts this much against it; of FLOPs, the paper's value is 1e-3
    step: int = 1  # units removed between two rankings
    further: bool = False  # joint: more than a step of units, as long as they change nothing
    limits: Limits = NO_LIMITS
    updates: int = 0  # fine-tuning minibatches after each step
    recipe: Recipe = field(default_factory=Recipe)
    least_accuracy: float = 0.0  # a budget beside the target, 0 to 1; 0 is none
    seed: int = 0
    evidence: str = CALIBRATION  # source of the rankings after the first: one of EVIDENCE

    def __post_init__(self) -> None:
        check_known(self.criterion)
        check_scaling(self.scaling)
        check_price(self.price, self.penalty)
        if self.step < 1 or self.updates < 0:
            raise BadInput(
                f"A step of {self.step} units with {self.updates} updates is not possible: it takes at "
                "least 1 unit and 0 updates."
            )
        check_goal(self.measure, self.target)
        if not 0 <= self.least_accuracy < 1:
            raise BadInput(
                f"A least accuracy of {self.least_accuracy:g} is not possible: it must be at least 0, below 1."
            )
        self._check_evidence()

    def _check_evidence(self) -> None:
        if self.evidence not in EVIDENCE:
            raise BadInput(f"Unknown evidence '{self.evidence}'; known are {', '.join(EVIDENCE)}.")
        if self.evidence == UPDATES:
            check_from_updates(self.criterion)
            if not self.updates:
                raise BadInput(
                    "Rankings can't come from the updates' own minibatches, as there are no updates: ask for "
                    "some, or rank by calibration images."
                )

    @property
    def goal(self) -> Goal:
        """The quantity that the target is a share of."""
        return GOALS[self.measure]

    @property
    def aim(self) -> Aim | None:
        """Measure and share where the plan alone says how far it is; None for what is measured."""
        return (self.measure, self.target) if self.goal.counted else None

    @property
    def by(self) -> str:
        """The selector and its fine-tuning, in words: "Taylor, layer-wise l2, 10 updates"."""
        updates = f", {counted(self.updates, 'update')}" if self.updates else ""
        return f"{ranked_by(self.criterion, self.scaling, self.price, self.penalty)}{updates}"

    @property
    def reads_images(self) -> str | None:
        """The setting that takes images, "criterion taylor" or "updates 20"; None where all can do without."""
        reading = {
            f"criterion {self.criterion}": not selector_of(self.criterion).of_weights,
            f"until {self.measure}={self.target:g}": self.goal.holds is not None,
            f"updates {self.updates}": self.updates > 0,
            f"least-accuracy {self.least_accuracy:g}": self.least_accuracy > 0,
        }
        return next((said for said, reads in reading.items() if reads), None)

    def spent(self, metrics: Metrics) -> str | None:
        """The clause that a state lies beyond a budget; None where all budgets hold."""
        floor = spent(ACCURACY, self.least_accuracy, metrics) if self.least_accuracy else None
        return floor or spent(self.measure, self.target, metrics)
