"""Table 1: how well each criterion's ranking agrees with the oracle's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from explorer.core.progress import Report, within
from explorer.scoring.bootstrap import Resampling, intervals
from explorer.scoring.criteria import CRITERIA, applicable, needs
from explorer.scoring.evidence import Evidence, gather
from explorer.scoring.oracle import oracle
from explorer.scoring.ranking import correlation_table
from explorer.study import published
from explorer.study.chance import of_chance
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs, finite_or_none
from explorer.study.published import MEASURES

Table = Mapping[str, Mapping[str, float | None]]
Spans = Mapping[str, Mapping[str, Sequence[float | None]]]


def agreement(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """The table with bootstrap intervals over the images, the oracle itself, and what chance would give."""
    network, images, preset = inputs.network, inputs.splits["calibration"], inputs.preset
    names = [name for name in applicable(network) if name in preset.scored]

    def scored(evidence: Evidence) -> dict[str, Tensor]:
        return {name: CRITERIA[name].saliency(evidence) for name in names}

    evidence = gather(network, images, needs(names), seed=inputs.seed, report=within(report, 0, 0.15))
    exact = oracle(network, images, report=within(report, 0.15, 0.6))
    table = correlation_table(scored(evidence), exact.oracle_abs, network.units)
    resampling = Resampling(preset.resamples, inputs.seed)
    spans = intervals(evidence, exact, scored, resampling=resampling, report=within(report, 0.6, 1))
    chance = of_chance(network.units, exact.oracle_abs, preset.draws, inputs.seed)
    rows = {name: {measure: finite_or_none(row[measure]) for measure in MEASURES} for name, row in table.items()}
    result: dict[str, Any] = {
        "columns": MEASURES,
        "table": rows,
        "intervals": {n: {m: [finite_or_none(end) for end in row[m]] for m in MEASURES} for n, row in spans.items()},
        "random": chance,
        "layers": {layer.name: len(layer) for layer in network.units.layers},
        "oracle_loss": exact.oracle_loss.tolist(),
        "method": exact.method,
    }
    setting = (
        f"On {inputs.calibrated}, before fine-tuning. Intervals: 95 % of {preset.resamples} bootstrap resamples of "
        f"the images. Random: {preset.draws} draws; l2 scaling makes the numbers of narrow layers larger, so that "
        "there chance itself may correlate."
    )
    return PartResult(result, setting, [*_of_criteria(rows, result["intervals"]), _of_chance(chance)])


def _of_criteria(rows: Table, spans: Spans) -> list[Finding]:
    papers = {name: row for name, row in rows.items() if name in published.CRITERIA}
    scaled, plain = rows["taylor"]["all_layers_l2"], rows["taylor"]["all_layers"]
    return [
        _best("Within layers, Taylor agrees best with the oracle.", papers, spans, "taylor", "per_layer"),
        _best(
            "Over all layers with l2 scaling, Taylor agrees best (OBD not compared: the paper has no such figure).",
            {name: row for name, row in papers.items() if name != "obd"},
            spans,
            "taylor",
            "all_layers_l2",
        ),
        _best("Over all layers without scaling, OBD agrees best.", papers, spans, "obd", "all_layers"),
        Finding(
            "Layer-wise l2 scaling makes Taylor comparable across layers.",
            f"{_said(plain)} without, {_said(scaled)} with l2",
            None if plain is None or scaled is None else scaled > plain,
        ),
    ]


def _best(claim: str, rows: Table, spans: Spans, name: str, measure: str) -> Finding:
    values = {each: value for each, row in rows.items() if (value := row[measure]) is not None}
    others = {each: value for each, value in values.items() if each != name}
    if name not in values or not others:
        return Finding(claim, "not defined here", None)
    rival = max(others, key=lambda each: others[each])
    here = f"{CRITERIA[name].title} {values[name]:.2f}, then {CRITERIA[rival].title} {values[rival]:.2f}"
    if values[rival] > values[name]:
        here = f"{CRITERIA[name].title} {values[name]:.2f}, {CRITERIA[rival].title} {values[rival]:.2f}"
    apart = _apart(spans[name][measure], spans[rival][measure])
    return Finding(claim, here + ("" if apart else "; their intervals overlap"), values[name] > values[rival])


def _apart(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    ends = [end for end in (*one, *other) if end is not None]
    return len(ends) < 4 or ends[1] < ends[2] or ends[3] < ends[0]


def _of_chance(chance: Mapping[str, Mapping[str, Any]]) -> Finding:
    shown = {name: chance[name] for name in ("per_layer", "all_layers")}
    here = "; ".join(
        f"{MEASURES[name]} {each['mean']:.3f} ({each['interval'][0]:.3f} to {each['interval'][1]:.3f})"
        for name, each in shown.items()
    )
    return Finding(
        "Random rankings do not correlate with the oracle: 0 lies in the 95 % t-interval of their mean.",
        here,
        all(each["zero"] for each in shown.values()),
    )


def _said(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
