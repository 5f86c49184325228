from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from exported import close_file, export_bytes, odd, open_file

from explorer.core.errors import BadInput
from explorer.networks.graph.manifest import from_json, to_json
from explorer.networks.graph.safetensors_file import load_network

MANIFEST, _ = open_file(export_bytes(odd()))


def test_json_both_ways_keeps_everything() -> None:
    manifest = from_json(MANIFEST)
    assert to_json(manifest) == MANIFEST
    assert manifest.preprocessing == odd().preprocessing
    assert manifest.provenance["digest"] == odd().digest
    assert torch.__version__.startswith(manifest.provenance["versions"]["torch"])


def test_numbers_that_are_not_finite_become_null() -> None:
    manifest = replace(from_json(MANIFEST), metrics={"after": {"loss": float("nan"), "curve": (1.0, float("inf"))}})
    value = json.loads(json.dumps(to_json(manifest), allow_nan=False))
    assert value["metrics"] == {"after": {"loss": None, "curve": [1.0, None]}}


def changed(**values: Any) -> dict[str, Any]:
    return {**copy.deepcopy(MANIFEST), **values}


def layer(**values: Any) -> dict[str, Any]:
    return changed(layers=[{"name": "a", "width_before": 4, "width_after": 2, "kept": [0, 3], **values}])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], r"has the format None; only 'pruning-explorer network 1' can be read"),
        ({"format": "pruning-explorer network 2"}, "has the format 'pruning-explorer network 2'"),
        (changed(extra=1), "it must have the keys"),
        (changed(name=3), "name must be a string, not 3"),
        (changed(classes=[1]), "a class must be a string, not 1"),
        (changed(classes={}), "classes must be a list"),
        (changed(input_shape=[3, 0, 8]), "a side of input_shape must be a whole number from 1, not 0"),
        (changed(input_shape=[3, True, 8]), "a side of input_shape must be a whole number from 1, not True"),
        (changed(input_shape=[3, 2**31, 8]), "a side of input_shape must be a whole number"),
        (changed(input_shape=[3]), "input_shape must have 2 to 4 sides"),
        (changed(preprocessing=None), "preprocessing must be an object"),
        (changed(preprocessing={"mean": [0.5], "std": [0.0]}), "std is 0.0"),
        (changed(metrics=[]), "metrics must be an object"),
        (changed(provenance="me"), "provenance must be an object"),
        (changed(layers=[1]), "a layer must be an object, not 1"),
        (layer(kept=[0]), "'a' must keep width_after different channels"),
        (layer(kept=[0, 0]), "'a' must keep width_after different channels"),
        (layer(kept=[0, -1]), "a channel of 'a' must be a whole number from 0, not -1"),
        (layer(width_before=1), "'a' must not be wider than before"),
        (layer(kept=[0, 2**31 - 1]), "'a' must keep channels below its width_before"),
        (layer(width_after=0, kept=[]), "width_after of 'a' must be a whole number from 1, not 0"),
    ],
)
def test_a_damaged_manifest_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        from_json(value)


def test_a_huge_input_shape_costs_nothing() -> None:
    _, tensors = open_file(export_bytes(odd()))
    with pytest.raises(BadInput, match="feature maps of one image hold more than"):
        load_network(close_file(changed(input_shape=[3, 2**20, 2**20]), tensors))
