"""Controls that several pages share."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from explorer.criteria import CRITERIA
from explorer.figures.curve import AGAINST, QUANTITIES
from explorer.plan import nothing
from explorer.ranking import FLOPS_PENALTY, SCALINGS, scaled
from explorer.ui.progress import await_result
from explorer.ui.results import Saliencies, scoring
from explorer.ui.session import View

AGAINST_TITLES = {"units": "units", "parameters": "parameters", "flops": "FLOPs"}
SCALING_TITLES = {"l2": "layer-wise l2", "none": "as it is"}


@dataclass(frozen=True)
class Choice:
    """How units are ranked."""

    criterion: str
    scaling: str
    penalty: float
    anew: bool

    @property
    def unit(self) -> str:
        """Of the scaled saliency; scaling to unit length takes it away."""
        return CRITERIA[self.criterion].unit if self.scaling == "none" else ""

    @property
    def title(self) -> str:
        """For captions and the timeline: "Taylor, l2"."""
        price = f", FLOPs penalty {self.penalty:g}" if self.penalty else ""
        return f"{CRITERIA[self.criterion].title}, {SCALING_TITLES[self.scaling]}{price}"


def criterion_choice(label: str = "Criterion", key: str = "criterion", index: int = 0) -> str:
    """A criterion of the table, chosen by its title."""
    names = list(CRITERIA)
    return st.selectbox(
        label, names, index, format_func=lambda name: CRITERIA[name].title, key=key, bind="query-params",
        persist_state="session",
    )  # fmt: skip


def scaling_choice(key: str = "scaling", explanation: str | None = None) -> str:
    """How saliencies are made comparable across layers."""
    return st.segmented_control(
        "Scale per layer", list(SCALINGS), default="l2", format_func=SCALING_TITLES.__getitem__, key=key,
        persist_state="session", required=True, help=explanation,
    )  # fmt: skip


def axes_choice(prefix: str) -> tuple[str, str]:
    """What a curve shows, and against what."""
    quantity = st.segmented_control(
        "Show", list(QUANTITIES), default="accuracy", key=f"{prefix}-quantity", persist_state="session", required=True
    )
    against = st.segmented_control(
        "against", list(AGAINST), default="units", format_func=AGAINST_TITLES.__getitem__, key=f"{prefix}-against",
        persist_state="session", required=True,
    )  # fmt: skip
    return quantity, against


def choice() -> Choice:
    """Criterion, scaling and price of FLOPs, the same on every page."""
    criterion = criterion_choice()
    scaling = scaling_choice()
    with st.expander("More"):
        penalty = st.number_input(
            "FLOPs penalty", 0.0, None, 0.0, step=FLOPS_PENALTY, format="%.4f", key="penalty", persist_state="session",
            help="λ of eq. 9: each feature map's MFLOPs count this much against it. The paper's value is 0.001.",
        )  # fmt: skip
        anew = st.toggle("Rank anew after every step", key="anew", persist_state="session",
                         help="Score the network as it is now instead of the network as loaded.")  # fmt: skip
    return Choice(criterion, scaling, penalty, anew)


def saliencies(view: View, anew: bool = False, needed: str = "taylor") -> Saliencies:
    """Saliencies by criterion, `needed` among them; where that takes long, the page shows progress and stops here."""
    plan = view.removed if anew else nothing(view.workspace.network.units)
    return await_result(scoring(view.workspace, plan), enough=lambda found: needed in found)


def ranking(view: View, chosen: Choice) -> Tensor:
    """(units,) scaled saliencies; what is already removed is at infinity."""
    raw = saliencies(view, chosen.anew, chosen.criterion)[chosen.criterion]
    return scaled_like(view, raw, chosen)


def scaled_like(view: View, saliency: Tensor, chosen: Choice) -> Tensor:
    """A raw saliency under the chosen scaling and price."""
    workspace = view.workspace
    finite = saliency.isfinite()
    found = scaled(saliency.where(finite, 0.0), workspace.network.units, chosen.scaling,
                   workspace.costs.unit_flops(), chosen.penalty)  # fmt: skip
    return found.where(finite & ~view.removed, float("inf"))
