"""A plan replays on the original network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from exported import described
from networks_at_hand import MODULES, at_hand
from test_pruned import every_other

from explorer.core.errors import BadInput
from explorer.export import plan_file
from explorer.networks.surgery import prune


@pytest.mark.parametrize("name", MODULES)
def test_a_plan_gives_the_same_network_bit_for_bit(name: str, tmp_path: Path) -> None:
    network = at_hand(name)
    pruned = prune(network, every_other(network))
    path = tmp_path / "plan.json"
    path.write_bytes(plan_file.render(described(pruned)))
    again = plan_file.replay(at_hand(name), plan_file.read(path))
    expected, found = pruned.module.state_dict(), again.module.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[key]) for key, value in expected.items())
    assert again.units.labels == pruned.units.labels


def test_a_plan_knows_the_network_that_it_is_for() -> None:
    network = at_hand("plain")
    plan = json.loads(plan_file.render(described(network, provenance={"network": {"digest": network.digest}})))
    assert plan_file.is_for(network, plan)
    assert not plan_file.is_for(at_hand("fire"), plan)
    assert plan_file.replay(network, plan) is network


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "is damaged: it is not JSON"),
        ("{}", "is not in the format .pruning-explorer plan 1"),
        (json.dumps({"format": plan_file.FORMAT, "network": {}}), "is damaged: network must be an object and"),
    ],
)
def test_another_file_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(BadInput, match=reason):
        plan_file.read(tmp_path / "plan.json")


def test_a_unit_that_is_not_there_is_named() -> None:
    plan = {"removed": [{"layer": "0", "channel": 99}], "network": {}}
    with pytest.raises(BadInput, match=r"'channel': 99} in the plan is not a unit of this network"):
        plan_file.replay(at_hand("plain"), plan)
