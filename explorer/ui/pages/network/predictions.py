"""Sample predictions: images as the network got them, with what it took them for."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer.core.palette import BLUE, VERMILION
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.samples import ORDERS, Sample, samples
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.work.stills import stills
from explorer.ui.work.workspace import Workspace

STYLE = f"""
<style>
ul.samples.samples {{ list-style: none; margin: 0 0 0.5rem; padding: 0; }}
.samples {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(max(8rem, 15.5%), 1fr)); gap: 0.9rem; }}
.samples li, .samples p {{ margin: 0; }}
.samples img {{ width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 0.3rem;
  background: color-mix(in srgb, currentColor 9%, transparent); }}
.samples img.small {{ image-rendering: pixelated; }}
.samples p {{ font-size: 0.82rem; line-height: 1.35; padding: 0.3rem 0 0 0.45rem; overflow-wrap: anywhere; }}
.samples p b {{ font-weight: 600; }} .samples .true {{ opacity: 0.75; }}
.samples .right p {{ border-left: 3px solid {BLUE}; }}
.samples .wrong p {{ border-left: 3px dashed {VERMILION}; }}
</style>
"""


def predictions(workspace: Workspace, outcome: Outcome) -> None:
    """A grid of validation images with true class, predicted class, and its probability."""
    say.subheader("Single predictions")

    @st.fragment
    @boundary()
    def grid() -> None:
        _grid(workspace, outcome)

    grid()


def _grid(workspace: Workspace, outcome: Outcome) -> None:
    classes = workspace.network.classes
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        order = st.segmented_control(
            "Show",
            list(ORDERS),
            default="wrong",
            required=True,
            key="samples-order",
            format_func=lambda name: ORDERS[str(name)].title,
        )
        label = st.selectbox(
            "True class",
            range(len(classes)),
            None,
            placeholder="any",
            format_func=classes.__getitem__,
            key=f"samples-of-{workspace.key}",
            width=240,
        )
    found = samples(outcome, str(order), label=label)
    if not found:
        say.info(f"There is no such image among the {workspace.validated_on}.")
        return
    pictures, how = stills(workspace.key, tuple(sample.position for sample in found), workspace)
    st.html(STYLE + _html(found, pictures, classes))
    say.caption(
        f"{len(found)} of {workspace.validated_on}, before pruning, as the network got them"
        f"{' (the middle frame of each clip)' if workspace.images.clips else ''}. Below each: predicted class with its "
        f"softmax probability, then the true class; dashed vermilion = wrong.{how and f' {how}'}"
    )


def _html(found: Sequence[Sample], pictures: Sequence[tuple[str, bool]], classes: Sequence[str]) -> str:
    entries = "".join(_entry(*each, classes) for each in zip(found, pictures, strict=True))
    return f"<ul class='samples'>{entries}</ul>"


def _entry(sample: Sample, picture: tuple[str, bool], classes: Sequence[str]) -> str:
    uri, small = picture
    predicted, true = (escape(classes[place]) for place in (sample.predicted, sample.label))
    kind = "right" if sample.right else "wrong"
    return (
        f"<li class='{kind}'><img class='{'small' if small else 'large'}' src='{uri}' "
        f"alt='image of {true}, taken for {predicted}'>"
        f"<p><b>{predicted}</b> {sample.probability:.1%}<br>"
        f"<span class='true'>true: {true}</span></p></li>"
    )
