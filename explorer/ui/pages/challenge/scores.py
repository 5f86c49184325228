"""Scores of the session: what was measured by hand in this tab, best first."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.networks.network import Network
from explorer.pruning.challenge import Challenge, Gap, gap
from explorer.pruning.selectors import JOINT
from explorer.ui.elements import say
from explorer.ui.pages.challenge.contest import CHANCE, TAYLOR, YOU, Contenders

SCORES = "challenge-scores"


@dataclass(frozen=True)
class Score:
    """One choice that was measured."""

    challenge: Challenge
    units: frozenset[int]  # that went
    loss: float
    accuracy: float
    against: tuple[Gap, Gap, Gap]  # Taylor, joint choice, chance


def keep_score(challenge: Challenge, found: Contenders) -> None:
    """Keep this choice's score, once."""
    yours = found[YOU]
    units = frozenset(yours.plans[0].nonzero()[:, 0].tolist())
    gaps = (gap(yours, found[TAYLOR]), gap(yours, found[JOINT]), gap(yours, found[CHANCE]))
    score = Score(challenge, units, yours.loss, yours.accuracy, gaps)
    kept = st.session_state.setdefault(SCORES, [])
    if all((each.challenge, each.units) != (challenge, units) for each in kept):
        kept.append(score)


def score_table(network: Network) -> None:
    """The scores on this network, if there are any."""
    kept = [each for each in st.session_state.get(SCORES, ()) if network.digest.startswith(each.challenge.network)]
    if not kept:
        return
    say.subheader("Your scores")
    rows = sorted(kept, key=lambda each: each.against[0].mean)
    st.table(
        {
            "": [f"{place}." for place in range(1, len(rows) + 1)],
            "units": [f"{each.challenge.count:,}" for each in rows],
            "seed": [str(each.challenge.seed) for each in rows],
            "your loss": [f"{each.loss:.4f}" for each in rows],
            "right": [f"{each.accuracy:.1%}" for each in rows],
            "against Taylor": [written(each.against[0]) for each in rows],
            "joint choice": [written(each.against[1]) for each in rows],
            "chance": [written(each.against[2]) for each in rows],
        },
        border="horizontal",
        hide_index=True,
    )
    say.caption(
        "Of this session, best against Taylor first. Differences of the loss in nats, below 0 where yours is better, "
        "± their standard errors over the same images."
    )


def written(found: Gap) -> str:
    """ "−0.0123 ± 0.0040"."""
    return f"{found.mean:+.4f} ± {found.error:.4f}".replace("-", "−")
