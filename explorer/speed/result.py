"""The result of a measurement of speed: full and pruned network side by side, and why one may not be faster."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Latency
from explorer.pruning.limits import Limits
from explorer.speed.engines import engine

MULTIPLES = (8, 16)  # of channels: what kernels are written for
LONGEST = 100_000  # of a number of threads, of images, or of runs


@dataclass(frozen=True)
class TimingTerms:
    """The terms of a measurement: every engine with every number of threads and of images at once, on one device."""

    engines: tuple[str, ...] = ("eager",)
    threads: tuple[int, ...] = ()  # none: as many as torch uses
    batches: tuple[int, ...] = (1, 16)
    runs: int = 20
    multiples: tuple[int, ...] = MULTIPLES

    def __post_init__(self) -> None:
        for name in self.engines:
            engine(name)
        for what, numbers in (("threads", self.threads), ("images at once", self.batches), ("runs", (self.runs,))):
            for number in numbers:
                if not 1 <= number <= LONGEST:
                    raise BadInput(f"{number} {what} can't be measured: it must be 1 to {LONGEST:,}.")
        for multiple in self.multiples:
            Limits(multiple=multiple)


DEFAULT_TERMS = TimingTerms()


@dataclass(frozen=True)
class Timing:
    """Full and pruned network, timed in turns under the same conditions."""

    engine: str
    full: Latency
    pruned: Latency

    @property
    def speed_up(self) -> float:
        """Median of the full network / median of the pruned one: above 1 where pruning made it faster."""
        return self.full.median / self.pruned.median

    @property
    def faster(self) -> bool:
        """Whether the pruned network is faster beyond the spread: its upper quartile lies below the other's lower."""
        return self.pruned.upper_quartile < self.full.lower_quartile

    @property
    def conditions(self) -> str:
        """In words: "eager, batch 16, 1 thread, cpu"."""
        threads = f"{self.full.threads} thread{'s' if self.full.threads > 1 else ''}"
        return f"{self.engine}, batch {self.full.batch}, {threads}, {self.full.device}"


@dataclass(frozen=True)
class Size:
    """The costs of a network."""

    parameters: int
    flops: int  # one image
    weights: int  # bytes of parameters and buffers, which is the size of a file but for its header
    memory: int  # bytes that one forward pass of `batch` images allocates at most, beside the weights
    batch: int


@dataclass(frozen=True)
class Rounded:
    """The pruned network with as many units back as take every layer that lost any to a multiple."""

    multiple: int
    back: int  # units
    flops: int
    timing: Timing | None  # under one of the conditions; None where nothing is to be rounded, or no engine runs


@dataclass(frozen=True)
class SpeedReport:
    """Full and pruned network side by side."""

    full: Size
    pruned: Size
    timings: tuple[Timing, ...]
    rounded: tuple[Rounded, ...]
    refused: tuple[str, ...]  # one sentence for each engine that can't run here
    odd: int  # layers that lost units and whose width is no multiple of the smallest one asked for

    @property
    def theoretical(self) -> float:
        """FLOPs of the full network / FLOPs of the pruned one: the speed-up if time went with FLOPs alone."""
        return self.full.flops / self.pruned.flops


def warning(speed: SpeedReport, timing: Timing) -> str:
    """Why the pruned network is not faster under these conditions, in one sentence; nothing where it is."""
    if timing.faster:
        return ""
    spread = "slower" if timing.pruned.lower_quartile > timing.full.upper_quartile else "not faster beyond the spread"
    return (
        f"{timing.conditions}: the pruned network is {spread} ({timing.speed_up:.2f} times as fast, "
        f"{speed.theoretical:.2f} by FLOPs): {_reason(speed, timing)}."
    )


def _reason(speed: SpeedReport, timing: Timing) -> str:
    if speed.theoretical < 1.1:
        return f"it has {1 / speed.theoretical:.0%} of the FLOPs left, so there is little to gain"
    rates = [
        size.flops * timing.full.batch / latency.median / 1e6
        for size, latency in ((speed.full, timing.full), (speed.pruned, timing.pruned))
    ]
    cause = f"it computes {rates[1]:.3g} GFLOPs a second where the full network does {rates[0]:.3g}"
    stays = "what a layer costs beside its FLOPs stays"
    if speed.odd:
        return f"{cause}; {stays}, and {speed.odd} layers have odd widths, which may cost more: see them rounded up"
    return f"{cause}, for {stays}"
