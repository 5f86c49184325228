"""Which challenge this tab is about: the one in its address, as long as it is about the network in view."""

from __future__ import annotations

import secrets

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.networks.network import Network
from explorer.pruning.challenge import MOST_SEED, Challenge, challenge_from, challenge_of, most
from explorer.ui.components.picks.picks import Picked
from explorer.ui.elements import say, terms
from explorer.ui.work.address import CHALLENGE
from explorer.ui.work.session import View

USUAL_COUNT, USUAL_SEED = 10, 1
COUNT_FIELD, SEED_FIELD = "challenge-count", "challenge-seed"


def challenge_in_view(view: View) -> Challenge | None:
    """The challenge, which the address names from then on; None where the address is about another network.

    Then the page has said so, and what to do.
    """
    network = view.loaded.network
    held = st.session_state.get(_key(network)) or challenge_of(network, _usual_count(network), USUAL_SEED)
    try:
        if text := st.query_params.get(CHALLENGE):
            held = _checked(challenge_from(text), network)
    except BadInput as problem:
        say.warning(problem)
        st.button(markdown(f"Challenge on {network.name}"), type="primary", on_click=_renew, args=(network,))
        return None
    _keep(network, held)
    return held


def _checked(linked: Challenge, network: Network) -> Challenge:
    """The challenge of a link. Raises BadInput if it is not about this network, or about more units than may go."""
    if linked.network != challenge_of(network, linked.count, linked.seed).network:
        raise BadInput(_of_another(linked, network))
    if linked.count > most(network.units):
        raise BadInput(
            f"This link asks for {linked.count:,} units, and {most(network.units):,} may go at most: every layer keeps "
            "at least one. Take a challenge on fewer."
        )
    return linked


def _of_another(linked: Challenge, network: Network) -> str:
    return (
        f"This challenge, {counted(linked.count, 'unit')} and seed {linked.seed}, was made for another network: its "
        f"digest begins with {linked.network}, that of {network.name} with {network.digest[: len(linked.network)]}. "
        "Open that network on the Network page and then this link once more, or take a challenge on the one in view."
    )


def _usual_count(network: Network) -> int:
    return min(USUAL_COUNT, most(network.units))


def _keep(network: Network, challenge: Challenge) -> None:
    st.session_state[_key(network)] = challenge
    if st.query_params.get(CHALLENGE) != str(challenge):
        st.query_params[CHALLENGE] = str(challenge)


def challenge_form(network: Network, challenge: Challenge) -> None:
    """The fields for units and seed, and a button for another challenge."""
    st.session_state[COUNT_FIELD], st.session_state[SEED_FIELD] = challenge.count, challenge.seed
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Units to go", 1, most(network.units), key=COUNT_FIELD, width=120, on_change=_set, args=(network,)
        )
        st.number_input(
            "Seed",
            0,
            MOST_SEED,
            key=SEED_FIELD,
            width=150,
            on_change=_set,
            args=(network,),
            help=terms.help_of(also="Draws the units that chance takes, and the image that you see the units on."),
        )
        st.button("New challenge", on_click=_renew, args=(network,), help="Another seed, and nothing chosen.")


def _set(network: Network) -> None:
    _keep(network, challenge_of(network, int(st.session_state[COUNT_FIELD]), int(st.session_state[SEED_FIELD])))


def _renew(network: Network) -> None:
    """The same number of units by another seed, with nothing chosen."""
    held = st.session_state.get(_key(network))
    count = held.count if held else _usual_count(network)
    set_picked(network, Picked(stamp=picked(network).stamp + 1))
    _keep(network, challenge_of(network, count, secrets.randbelow(10_000)))


def picked(network: Network) -> Picked:
    """What the person has chosen so far on this network."""
    found: Picked = st.session_state.get(f"picked-{network.digest}", Picked())
    return found


def set_picked(network: Network, chosen: Picked) -> None:
    """Choose these units instead."""
    st.session_state[f"picked-{network.digest}"] = chosen


def _key(network: Network) -> str:
    return f"challenge-{network.digest}"
