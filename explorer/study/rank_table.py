"""Fig. 2: where each layer's units stand in the global ranking of the oracle."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from explorer.core.progress import Report
from explorer.networks.feature_maps import max_pooled
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import l2, rank_statistics, ranks, spearman
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs

QUARTER = 0.25
FALLS = 0.5  # rank correlation with depth from which ranks are said to fall

Layers = list[dict[str, Any]]


def rank_table(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Five numbers and all ranks of every layer, of oracle-abs and, beside it, of Taylor with l2 scaling."""
    network, images = inputs.network, inputs.splits["calibration"]
    exact = torch.tensor(done["agreement"]["oracle_loss"], dtype=torch.float64).abs()
    criterion = CRITERIA["taylor"]
    evidence = gather(network, images, criterion.needs, seed=inputs.seed, report=report)
    saliencies = {"oracle": exact, "taylor": l2(criterion.saliency(evidence), network.units)}
    pooled = max_pooled(network)
    panels = {name: _layers(inputs, saliency, pooled) for name, saliency in saliencies.items()}
    setting = f"Oracle-abs on {inputs.calibrated}, before fine-tuning; rank 1 = most important of {len(exact):,} units."
    return PartResult({"panels": panels}, setting, _findings(panels["oracle"], len(exact)))


def _layers(inputs: StudyInputs, saliency: Tensor, pooled: frozenset[str]) -> Layers:
    units = inputs.network.units
    by_layer = units.by_layer(ranks(saliency))
    return [
        {**vars(five), "pooled": five.layer in pooled, "ranks": by_layer[five.layer].tolist()}
        for five in rank_statistics(saliency, units)
    ]


def _findings(layers: Layers, total: int) -> list[Finding]:
    medians = torch.tensor([layer["median"] for layer in layers], dtype=torch.float64)
    depth = spearman(torch.arange(len(layers)).double(), medians) if len(layers) > 2 else float("nan")
    both = [
        layer["layer"]
        for layer in layers
        if layer["minimum"] <= QUARTER * total and layer["maximum"] >= (1 - QUARTER) * total
    ]
    return [
        Finding(
            "The median importance falls with depth.",
            f"Spearman's correlation of a layer's depth with its median rank {depth:.2f} (1: falls layer by layer; "
            f"said to hold from {FALLS:g} on)",
            depth >= FALLS if depth == depth else None,
        ),
        _of_pooled(layers),
        Finding(
            "Every layer has units of high and of low rank.",
            f"{len(both)} of {len(layers)} layers reach into both the first and the last quarter of all ranks",
            len(both) == len(layers),
        ),
    ]


def _of_pooled(layers: Layers) -> Finding:
    """Beside their neighbours, since ranks also change with depth."""
    claim = "Layers followed by a max-pooling matter more."
    between = [
        (here["median"], (before["median"] + after["median"]) / 2)
        for before, here, after in zip(layers, layers[1:], layers[2:], strict=False)
        if here["pooled"] and not (before["pooled"] or after["pooled"])
    ]
    if not between:
        return Finding(claim, "no such layer stands between two that are not followed by one", None)
    better = sum(own < others for own, others in between)
    said = ", ".join(f"{own:.0f} against {others:.0f}" for own, others in between)
    here = f"{better} of {len(between)} have a better median rank than the mean of their neighbours' ({said})"
    return Finding(claim, here, better == len(between))
