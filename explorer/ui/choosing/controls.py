"""Controls that several pages share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from explorer.figures.curve import AGAINST, QUANTITIES
from explorer.jobs.job import Job
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.pruning.selectors import SELECTORS, ranked_by, scaling_for, selectors_for
from explorer.pruning.settings import Settings
from explorer.scoring.ranking import FLOPS_PENALTY, PRICES, SCALING_TITLES, SCALINGS, AtPlan, penalty_title, scaled
from explorer.ui.choosing import hand_limits
from explorer.ui.elements import say, terms
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.joint_jobs import ordering_job
from explorer.ui.work.progress import await_result
from explorer.ui.work.results import Saliencies, scoring_job
from explorer.ui.work.session import View
from explorer.ui.work.workspace import NO_IMAGES

MULTIPLES = (1, 4, 8, 16, 32)
AGAINST_TITLES = {"units": "units", "parameters": "parameters", "flops": "FLOPs", "latency": "latency"}
NEVER_SCALED = "Random, the oracle and joint linearised are never scaled."


@dataclass(frozen=True)
class RankingChoice:
    """The choices that decide a ranking."""

    criterion: str
    scaling: str
    penalty: float
    anew: bool
    price: str = "flops"
    limits: Limits = NO_LIMITS

    @property
    def unit(self) -> str:
        """Of the scaled saliency; scaling takes it away, but joint places are not scaled."""
        return SELECTORS[self.criterion].unit if scaling_for(self.criterion, self.scaling) == "none" else ""

    @property
    def title(self) -> str:
        """For captions and the timeline: "Taylor, layer-wise l2"."""
        return ranked_by(self.criterion, self.scaling, self.price, self.penalty)

    def settings(self, measure: str, target: float, step: int) -> Settings:
        """Of a run that prunes by this ranking down to a target, so many units a step, without fine-tuning."""
        return Settings(
            criterion=self.criterion,
            measure=measure,
            target=target,
            scaling=self.scaling,
            price=self.price,
            penalty=self.penalty,
            step=step,
            limits=self.limits,
        )


def selectors_offered(view: View, *, measured: bool = False) -> list[str]:
    """The selectors that can score this network; with `measured`, those that measure every unit too.

    Without images those that read its weights alone.
    """
    found = [each for each in selectors_for(view.workspace.network).values() if measured or not each.measured]
    return [each.name for each in found if view.workspace.given or each.of_weights]


def _closed_without_images(view: View) -> None:
    """The criteria that look at images, disabled where there are none, with the reason."""
    if view.workspace.given is None:
        offered = set(selectors_offered(view))
        others = [each.title for name, each in selectors_for(view.workspace.network).items() if name not in offered]
        st.selectbox("With images also", others, None, placeholder=", ".join(others), disabled=True, key="with-images")
        say.caption(NO_IMAGES)


def criterion_choice(
    among: Iterable[str], label: str = "Criterion", key: str = "criterion", default: str = "taylor"
) -> str:
    """One of these selectors, chosen by its title."""
    names = list(among)
    return st.selectbox(
        label,
        names,
        names.index(default) if default in names else 0,
        format_func=lambda name: SELECTORS[name].title,
        key=key,
        bind="query-params",
        persist_state="session",
        help=terms.help_of("criterion", "saliency"),
    )


def scaling_choice(key: str = "scaling", explanation: str = "") -> str:
    """Draw the choice of scaling; returns its name."""
    names = list(SCALINGS)
    return st.selectbox(
        "Scale per layer",
        names,
        names.index("l2"),
        format_func=SCALING_TITLES.__getitem__,
        key=key,
        bind="query-params",
        persist_state="session",
        help=terms.help_of("scaling", also=explanation),
    )


def axes_choice(prefix: str, timed: bool = False) -> tuple[str, str]:
    """The fields for a curve's quantity and its axis; latency is offered if it has been timed."""
    names = [name for name in AGAINST if timed or name != "latency"]
    quantity = st.segmented_control(
        "Show", list(QUANTITIES), default="accuracy", key=f"{prefix}-quantity", persist_state="session", required=True
    )
    against = st.segmented_control(
        "against",
        names,
        default="units",
        format_func=AGAINST_TITLES.__getitem__,
        key=f"{prefix}-against",
        persist_state="session",
        required=True,
    )
    return quantity, against


def ranking_choice(view: View) -> RankingChoice:
    """Criterion, scaling and price of a unit, the same on every page."""
    criterion = criterion_choice(selectors_offered(view))
    _closed_without_images(view)
    always_anew = SELECTORS[criterion].anew
    scaling = "l2" if always_anew else scaling_choice()
    with st.expander("More"):
        price, penalty = _price_choice()
        anew = always_anew or st.toggle(
            "Rank anew after every step",
            key="anew",
            persist_state="session",
            help=terms.help_of("ranking", also="Anew: of the network as it is now, instead of the network as loaded."),
        )
        limits = _limits_choice(view)
    return RankingChoice(criterion, scaling, penalty, anew, price, limits)


def _limits_choice(view: View) -> Limits:
    """The limits that every plan respects."""
    units = view.workspace.network.units
    st.multiselect(
        "Layers that stay whole",
        [layer.name for layer in units.layers],
        key=hand_limits.locked_key(),
        persist_state="session",
    )
    hand_limits.clear_button("clear-limits")
    with st.container(horizontal=True):
        floor = st.number_input(
            "Minimum units per layer",
            1,
            None,
            1,
            key="floor",
            persist_state="session",
            help="No layer gets narrower than this; one that is narrower already loses nothing.",
        )
        multiple = st.selectbox(
            "Widths in multiples of",
            MULTIPLES,
            key="multiple",
            persist_state="session",
            help="Of every layer that loses units: many devices compute 8 or 16 channels in the time of one.",
        )
    return hand_limits.limited(units, floor, multiple)


def _price_choice() -> tuple[str, float]:
    price = st.selectbox(
        "Price of a unit",
        list(PRICES),
        format_func=lambda name: PRICES[name].title,
        key="price",
        persist_state="session",
        help=" ".join(f"{p.title}: {p.summary}" for p in PRICES.values()),
    )
    penalty = st.number_input(
        penalty_title(price),
        0.0,
        None,
        0.0,
        step=FLOPS_PENALTY,
        format="%.4f",
        key=f"penalty-{price}",
        persist_state="session",
        help=f"λ of eq. 9: each {PRICES[price].unit} counts this much against a unit. For FLOPs the paper's is 0.001.",
    )
    return price, penalty


def saliencies(view: View, needed: str, anew: bool = False) -> Saliencies:
    """Saliencies by criterion, `needed` among them; where that takes long, the page shows progress and stops here."""
    scored = view if anew else view.as_loaded
    job = scoring_job(scored.workspace, scored.removed)
    return await_result(job, enough=lambda found: needed in found.saliencies).saliencies


def ranking(view: View, chosen: RankingChoice) -> Tensor:
    """(units,) scaled saliencies; removed units are at infinity."""
    selector = SELECTORS[chosen.criterion]
    if selector.anew:
        return await_result(ordering_job(selector, view.loaded, view.workspace, view.removed, _charge(view, chosen)))
    raw = saliencies(view, chosen.criterion, chosen.anew)[chosen.criterion]
    return scaled_like(view, raw, chosen)


def scaled_like(view: View, saliency: Tensor, chosen: RankingChoice) -> Tensor:
    """A raw saliency under the chosen scaling and price."""
    charge = _charge(view, chosen)
    scaling = scaling_for(chosen.criterion, chosen.scaling)
    return scaled(saliency, view.workspace.network.units, scaling, charge).where(~view.removed, float("inf"))


def _charge(view: View, chosen: RankingChoice) -> Tensor | None:
    return chosen.penalty * prices(view, chosen.price) if chosen.penalty else None


def prices(view: View, name: str) -> Tensor:
    """(units,) prices at the plan shown; where they are measured, the page shows progress and stops here."""
    workspace, price = view.loaded, PRICES[name]  # weights make no difference to it

    def work(job: Job) -> AtPlan:
        return price.of(workspace.network, workspace.costs, job.report)

    at_plan = await_result(JOBS.ensure(f"price-{workspace.key}-{name}", f"Pricing units: {price.title}", work))
    return at_plan(view.removed)
