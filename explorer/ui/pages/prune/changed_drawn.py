"""The gallery of changed answers in HTML: each image with its two answers, and the removed units as bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from explorer.core.palette import BLUE, KEPT, REMOVED, VERMILION
from explorer.core.text import one_line
from explorer.evaluation.changed import KINDS, ChangedAnswer
from explorer.networks.units import Units
from explorer.scoring.detail import RemovedUnits
from explorer.ui.elements.wording import signed

TOP = 10  # units shown
STYLE = f"""
<style>
ul.changed.changed {{ list-style: none; margin: 0 0 0.5rem; padding: 0; display: grid; gap: 0.9rem;
  grid-template-columns: repeat(auto-fill, minmax(max(7.2rem, 15%), 1fr)); }}
.changed li, .changed p {{ margin: 0; min-width: 0; }}
.changed img {{ width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 0.3rem;
  background: color-mix(in srgb, currentColor 9%, transparent); }}
.changed img.small {{ image-rendering: pixelated; }}
.changed p {{ font-size: 0.82rem; line-height: 1.4; padding-top: 0.3rem; }}
.changed .answer {{ display: grid; grid-template-columns: minmax(0, 1fr) max-content; column-gap: 0.4rem;
  padding-left: 0.45rem; font-variant-numeric: tabular-nums; }}
.changed .answer b {{ font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.changed .right {{ border-left: 3px solid {BLUE}; }} .changed .wrong {{ border-left: 3px dashed {VERMILION}; }}
.changed .true {{ display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.did {{ width: 100%; border-collapse: collapse; font-size: 0.82rem; font-variant-numeric: tabular-nums;
  table-layout: fixed; }}
.did th, .did td {{ padding: 0.2rem 0.5rem 0.2rem 0; text-align: left; font-weight: normal; vertical-align: middle;
  border: 0; overflow-wrap: anywhere; }}
.did thead th {{ font-weight: 600; line-height: 1.25; vertical-align: bottom; }}
.did .bar {{ position: relative; display: block; height: 0.85rem; border-radius: 2px;
  background: color-mix(in srgb, currentColor 9%, transparent); }}
.did .bar i {{ position: absolute; top: 0; bottom: 0; border-radius: 2px; }}
.did .bar::after {{ content: ""; position: absolute; top: -2px; bottom: -2px; left: var(--zero); width: 1px;
  background: currentColor; }}
.did .unit {{ width: 28%; }} .did .says {{ width: 22%; }}
</style>
"""


def changed_html(
    found: Sequence[ChangedAnswer], pictures: Sequence[tuple[str, bool]], classes: Sequence[str], first: int
) -> str:
    """The images of one page, numbered from `first`."""
    entries = "".join(
        _entry(first + place, each, picture, classes)
        for place, (each, picture) in enumerate(zip(found, pictures, strict=True))
    )
    return f"{STYLE}<ul class='changed'>{entries}</ul>"


def _entry(number: int, each: ChangedAnswer, picture: tuple[str, bool], classes: Sequence[str]) -> str:
    uri, small = picture
    true = escape(one_line(classes[each.label]))
    said = escape(f"image of {one_line(classes[each.label])}, {KINDS[each.kind]}")
    return (
        f"<li><img class='{'small' if small else 'large'}' src='{uri}' alt='{said}'>"
        f"<p><span class='true' title='{true}'>{number:,}. True: {true}</span></p>"
        f"{_answer('before', each.before, each.sure_before, each.label, classes)}"
        f"{_answer('after', each.after, each.sure_after, each.label, classes)}</li>"
    )


def _answer(when: str, answer: int, sure: float, label: int, classes: Sequence[str]) -> str:
    name, right = escape(one_line(classes[answer])), answer == label
    title = f"{when}: {name}, {'right' if right else 'wrong'}"
    return (
        f"<p class='answer {'right' if right else 'wrong'}' title='{title}'><span>{when} <b>{name}</b></span>"
        f"<span>{sure:.1%}</span></p>"
    )


def units_html(units: Units, found: RemovedUnits, change: ChangedAnswer, classes: Sequence[str]) -> str:
    """The units whose return undoes most of what the loss did, with both measures on one scale, in nats."""
    order = found.undone.argsort(descending=True, stable=True)[:TOP].tolist()
    values = [float(of[place]) for place in order for of in (found.healed, found.harmed)]
    low, high = min(0.0, *values), max(0.0, *values)
    rows = "".join(
        f"<tr><th class='unit' scope='row'>{escape(_name(units, int(found.units[place])))}</th>"
        f"<td>{_bar(float(found.healed[place]), low, high)}</td><td>{_bar(float(found.harmed[place]), low, high)}</td>"
        f"<td class='says'>{_says(int(found.answers[place]), change, classes)}</td></tr>"
        for place in order
    )
    return (
        f"{STYLE}<table class='did'><thead><tr><th class='unit'>Removed unit</th><th>Put back alone: the loss falls by"
        "</th><th>Removed alone: the loss rises by</th><th class='says'>Answer with it put back</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _name(units: Units, unit: int) -> str:
    layer, channel = units.labels[unit]
    return one_line(f"{layer} · {channel}")


def _bar(nats: float, low: float, high: float) -> str:
    span = (high - low) or 1.0
    left, width = 100 * (min(nats, 0.0) - low) / span, 100 * abs(nats) / span
    color = KEPT if nats > 0 else REMOVED
    return (
        f"{signed(nats)}<span class='bar' style='--zero:{-100 * low / span:.2f}%'>"
        f"<i style='left:{left:.2f}%;width:{width:.2f}%;background:{color}'></i></span>"
    )


def _says(answer: int, change: ChangedAnswer, classes: Sequence[str]) -> str:
    name = escape(one_line(classes[answer]))
    return f"<b>{name}, as before</b>" if answer == change.before else name
