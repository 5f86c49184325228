"""The answer to a picture: of the network as loaded beside the state in view, and on the way from one to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from torch import Tensor

from explorer.core.palette import KEPT, MEASURED, NEUTRAL, REMOVED
from explorer.figures.thumbnail import photo

CLASSES = 5  # shown
HATCH = f"repeating-linear-gradient(45deg,{REMOVED} 0 4px,color-mix(in srgb,{REMOVED} 55%,transparent) 4px 7px)"
STYLE = f"""
<style>
.answer {{ display: grid; gap: 0.3rem 0.9rem;
  align-items: center; font-variant-numeric: tabular-nums; }}
.answer .head {{ line-height: 1.2; min-width: 0; }}
.answer .head b {{ display: block; font-size: 1.9rem; font-weight: 650; overflow-wrap: anywhere; }}
.answer .head.long b {{ font-size: 1.1rem; }}
.answer .head span, .answer .value, .along .below, .along .note {{ font-size: 0.82rem; }}
.answer .name {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 9rem; }}
.answer .cell {{ display: grid; grid-template-columns: 1fr 3.3rem; gap: 0.4rem; align-items: center; min-width: 0; }}
.answer .bar {{ height: 0.8rem; border-radius: 2px; background: color-mix(in srgb, currentColor 9%, transparent); }}
.answer .bar i {{ display: block; height: 100%; border-radius: 2px; }}
.answer .value {{ text-align: right; }}
.gets {{ display: flex; gap: 0.8rem; align-items: flex-start; margin-bottom: 0.9rem; }}
.gets img {{ width: 84px; flex: none; border-radius: 3px; image-rendering: pixelated;
  box-shadow: 0 0 0 1px color-mix(in srgb, currentColor 25%, transparent); }}
.gets p {{ margin: 0; font-size: 0.82rem; line-height: 1.4; }}
.along {{ margin: 0 0 0.4rem; }}
.along ol {{ list-style: none; display: flex; gap: 2px; align-items: stretch; margin: 0; padding: 0; }}
.along li {{ flex: 1 1 0; min-width: 0; margin: 0; padding: 0; text-align: center; }}
.along .bar {{ height: 76px; display: flex; align-items: flex-end; border-radius: 2px;
  background: color-mix(in srgb, currentColor 9%, transparent); }}
.along .bar i {{ width: 100%; min-height: 2px; border-radius: 2px; }}
.along .right i {{ background: {KEPT}; }} .along .wrong i {{ background: {HATCH}; }}
.along b {{ display: block; height: 1.3rem; line-height: 1.3rem; font-size: 0.9rem; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }}
.along .below {{ display: block; min-height: 1.2rem; white-space: nowrap; }}
.along .key {{ display: inline-block; margin-left: 0.4rem; }}
.along .key i {{ display: inline-block; width: 0.75rem; height: 0.75rem; border-radius: 2px; vertical-align: -0.08rem;
  margin-right: 0.3rem; }}
.along .note {{ margin: 0 0 0.35rem; }}
</style>
"""


class StateAnswer(NamedTuple):
    """The answer at one state."""

    title: str  # for hover and screen readers
    below: str
    probabilities: Tensor  # (classes,)


def input_html(shown: np.ndarray, how: str) -> str:
    """The picture as the network gets it, and what was done to it."""
    image = f"<img src='{photo(shown)}' alt='the picture as the network gets it'>"
    return f"<div class='gets'>{image}<p>{escape(how)}</p></div>"


def answer_html(answers: Mapping[str, Tensor], classes: Sequence[str]) -> str:
    """The most probable classes; answers: who answers -> (classes,) probabilities, the last of them in the lead."""
    *others, last = answers.values()
    both = sum(others, last)
    top = sorted(both.topk(min(CLASSES, len(classes))).indices.tolist(), key=lambda c: -float(last[c]))
    heads = "".join(_head(who, p, classes) for who, p in answers.items())
    colors = [NEUTRAL] * len(others) + [MEASURED]
    rows = "".join(
        f"<span class='name' title='{escape(classes[c])}'>{escape(classes[c])}</span>"
        + "".join(_cell(float(p[c]), color) for p, color in zip(answers.values(), colors, strict=True))
        for c in top
    )
    columns = f"minmax(3.2rem, max-content) repeat({len(answers)}, 1fr)"
    grid = f"<div class='answer' role='status' style='grid-template-columns:{columns}'>"
    return f"{STYLE}{grid}<span></span>{heads}{rows}</div>"


def _head(what: str, p: Tensor, classes: Sequence[str]) -> str:
    name = classes[int(p.argmax())]
    kind = "head" if len(name) <= 3 else "head long"
    return f"<div class='{kind}'><span>{escape(what)}</span><b>{escape(name)}</b></div>"


def _cell(p: float, color: str) -> str:
    bar = f"<div class='bar'><i style='width:{100 * p:.1f}%;background:{color}'></i></div>"
    return f"<div class='cell'>{bar}<span class='value'>{p:.1%}</span></div>"


def along_html(columns: Sequence[StateAnswer], target: int, classes: Sequence[str], axis: str) -> str:
    """A column a state: its height is the probability of the target, its name stands where the answer changes."""
    names = [classes[int(column.probabilities.argmax())] for column in columns]
    right = [int(column.probabilities.argmax()) == target for column in columns]
    every = max(1, -(-len(columns) // 10))
    items = "".join(
        _item(
            column,
            float(column.probabilities[target]),
            names[i],
            right[i],
            (i == 0 or names[i] != names[i - 1], i % every == 0),
        )
        for i, column in enumerate(columns)
    )
    key = (
        f"<p class='note'>Bars: probability of {escape(classes[target])}; above, the answer where it changes."
        f" <span class='key'><i style='background:{KEPT}'></i>answers {escape(classes[target])}</span>"
        f" <span class='key'><i style='background:{HATCH}'></i>answers something else</span></p>"
    )
    return f"{STYLE}<div class='along'>{key}<ol>{items}</ol><p class='note'>{escape(axis)}</p></div>"


def _item(column: StateAnswer, p: float, name: str, right: bool, shows: tuple[bool, bool]) -> str:
    title = f"{column.title}: {name}; {p:.1%}"
    return (
        f"<li class='{'right' if right else 'wrong'}' title='{escape(title)}' aria-label='{escape(title)}'>"
        f"<b>{escape(name) if shows[0] else ''}</b><div class='bar'><i style='height:{100 * p:.1f}%'></i></div>"
        f"<span class='below'>{escape(column.below) if shows[1] else ''}</span></li>"
    )


def changes_said(columns: Sequence[StateAnswer], target: int, classes: Sequence[str]) -> str:
    """A sentence on where the answer first changes."""
    for column in columns:
        if (now := int(column.probabilities.argmax())) != target:
            return f"First wrong at {column.title}: it says {classes[now]}."
    return f"It says {classes[target]} all the way."
