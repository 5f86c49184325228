"""The controls that rank: every scaling and every price of the tables works on the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import App
from of_demo import UNITS

from explorer import open_network
from explorer.core.progress import silent
from explorer.networks.costs import measure_costs
from explorer.networks.units import none_removed
from explorer.runs.store import Run
from explorer.scoring.ranking import PRICES, SCALING_TITLES, SCALINGS, penalty_title

Open = Callable[..., App]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_scaling_has_distributions_and_a_next_step(open_app: Open, scaling: str) -> None:
    assert open_app("saliency").set("Scale per layer", scaling).fine().charts == 1
    app = open_app("prune").set("Scale per layer", scaling).fine()
    assert f"Taylor, {SCALING_TITLES[scaling]}" in app.text
    app.click("Remove 1").fine()
    assert app.facts["Units"] == str(UNITS - 1)


@pytest.mark.parametrize("price", PRICES)
def test_every_price_can_be_charged(open_app: Open, price: str) -> None:
    app = open_app("prune").set("Price of a unit", price).set(penalty_title(price), 0.01).fine()
    assert f"{PRICES[price].title} penalty 0.01" in app.text
    assert app.click("Remove 1").fine().facts["Units"] == str(UNITS - 1)


def test_a_price_that_outweighs_all_takes_a_unit_of_the_dearest_layer(
    open_app: Open, saved: Callable[[str], Run]
) -> None:
    app = open_app("prune").set("Price of a unit", "saving").set("Saved FLOPs penalty", 1000.0).fine()
    dearest = PRICES["saving"].of(network := open_network("demo"), measure_costs(network), silent)
    unit = int(dearest(none_removed(network.units)).argmax())
    layer, _ = network.units.labels[unit]
    app.click("Remove 1").fine()
    assert saved(app.run).timeline.state.removed[0][0] == layer
