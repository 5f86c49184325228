"""The layer table, against counts made by hand."""

from __future__ import annotations

from networks_at_hand import at_hand
from of_demo import UNITS, WIDTHS

from explorer import open_network
from explorer.networks.costs import measure_costs
from explorer.networks.layers import JOINED, LayerRow, list_layers


def test_every_layer_of_the_demo_is_listed_with_its_costs() -> None:
    network = open_network("demo")
    rows = {row.name: row for row in list_layers(network, measure_costs(network))}
    maps = WIDTHS[0]  # of 28x28 from one by 3x3: maps * (9 + 1) parameters, 2 * 784 * (9 + 1) * maps FLOPs
    assert rows["features.0"] == LayerRow("features.0", maps, maps, 10 * maps, 2 * 784 * 10 * maps, None)
    assert sum(row.units for row in rows.values()) == len(network.units) == UNITS
    head = rows["classifier.5"]
    assert (head.units, head.channels, head.parameters, head.prunable) == (0, 10, 1290, False) and head.reason


def test_what_several_layers_write_is_listed_with_the_first() -> None:
    network = at_hand("residual")
    rows = {row.name: row for row in list_layers(network, measure_costs(network))}
    shared = [layer for layer in network.units.layers if len(layer.writers) > 1]
    assert shared
    for layer in shared:
        first, *others = layer.writers
        assert rows[first].prunable and rows[first].units == len(layer)
        for other in others:
            assert (rows[other].units, rows[other].reason) == (0, JOINED.format(first))
