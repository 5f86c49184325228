"""Wording: numbers as people read them."""

from __future__ import annotations

from explorer.evaluation.metrics import Metrics, written

WORTH_SAYING = 0.1  # of the FLOPs


def short(number: float) -> str:
    """Three significant digits with a suffix: 435306 -> "435k", 57.3e6 -> "57.3M"."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= 0.9995 * size:  # it would round to 1000
            return f"{_three(number / size)}{suffix}"
    return f"{number:,.0f}"


def _three(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 99.95 else f"{number:.1f}" if abs(number) >= 9.995 else f"{number:.2f}"


def change(now: float, before: float) -> str:
    """The change in percent, "−11.2 %"; nothing where there is none."""
    ratio = now / before if before else float("inf") if now else 1.0
    return _signed(100 * (ratio - 1), ".1f", " %")


def points(now: float | None, before: float | None) -> str:
    """The change of a share in percentage points, "−0.4 points"; nothing where one was not measured."""
    return "" if now is None or before is None else _signed(100 * (now - before), ".1f", " points")


def nats(now: float | None, before: float | None) -> str:
    """The change of a loss, "+0.0120"; nothing where one was not measured."""
    return "" if now is None or before is None else _signed(now - before, ".4f", "")


def signed(nats: float) -> str:
    """Two digits with a sign: "+1.2", "−0.034"."""
    return f"{nats:+.2g}".replace("-", "−")


def for_nothing(now: Metrics, before: Metrics) -> str:
    """The sentence that much went for nothing; "" where less than a tenth of the FLOPs went, or the loss moved.

    It moved if it is further from where it was than one standard error of a loss on these images.
    """
    gone = 1 - now.flops / before.flops if before.flops else 0.0
    if gone < WORTH_SAYING or now.loss is None or before.loss is None or before.loss_error is None:
        return ""
    moved = now.loss - before.loss
    if abs(moved) > before.loss_error or now.images != before.images:
        return ""
    return (
        f"{100 * gone:.0f} % of the FLOPs went, and the loss did not change beyond its error: "
        f"{_signed(moved, '.4f', '') or 0} nats on {now.images:,} images, whose standard error is "
        f"{before.loss_error:.4f}."
    )


def _signed(number: float, form: str, unit: str) -> str:
    """With its sign and unit; nothing where all digits shown are zero."""
    text = format(number, f"+{form}")
    return "" if float(text) == 0 else text.replace("-", "−") + unit


def rank(place: float) -> str:
    """ "3"; of ties, which share their average, "3.5"; "–" for what has none."""
    return "–" if place != place else f"{place:,.1f}".removesuffix(".0")


def duration(seconds: float) -> str:
    """ "8 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def facts(now: Metrics, before: Metrics) -> list[tuple[str, str, str]]:
    """(what, its value, its change) of every number of a state, against another state."""
    latency = [("Latency", f"{now.latency:.1%}", "")] if now.latency is not None else []
    return [
        ("Units", f"{now.units:,}", change(now.units, before.units)),
        ("Parameters", short(now.parameters), change(now.parameters, before.parameters)),
        ("FLOPs", short(now.flops), change(now.flops, before.flops)),
        ("Loss", written(now.loss, ".4f"), nats(now.loss, before.loss)),
        ("Accuracy", written(now.accuracy, ".1%"), points(now.accuracy, before.accuracy)),
        *latency,
    ]
