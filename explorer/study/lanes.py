"""Figs 4 to 6: criteria raced step by step with fine-tuning, with and without FLOPs regularisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from explorer.core.progress import Report, one_of, within
from explorer.networks.costs import measure_costs
from explorer.pruning.race import RANDOM, Lane, Race, RaceTerms
from explorer.pruning.race_bands import bands
from explorer.pruning.settings import Settings
from explorer.runs.race_folders import begin_race, kept_race
from explorer.scoring.criteria import CRITERIA, applicable
from explorer.scoring.ranking import FLOPS_PENALTY
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs, mean_accuracy

VGG16_MFLOPS = 7.27  # of the mean map of VGG-16 at 224 pixels, which the paper's weight was chosen for
PLAIN, PAPERS, SCALED = "plain", "flops", "flops-scaled"
AGAINST = ("units", "parameters", "flops")

Line = dict[str, Any]


def lanes(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Every criterion's way down, Taylor's with FLOPs regularisation by the paper's weight and by one to scale."""
    races = races_of(inputs)
    lanes_in_all = sum(len(terms.lanes(inputs.network)) for terms in races.values())
    lines, before = [], 0
    for name, terms in races.items():
        after = before + len(terms.lanes(inputs.network))
        found = race_in_folder(inputs, name, terms, within(report, before / lanes_in_all, after / lanes_in_all))
        label = None if name == PLAIN else f"Taylor, FLOPs weight {terms.settings.penalty:.2g}"
        lines += lines_of(found, None if name == PLAIN else name, label)
        before = after
    start = found[0].points[0].metrics
    result = {"full": vars(start), "lines": lines, "penalties": {n: t.settings.penalty for n, t in races.items()}}
    weights = (
        f" FLOPs weights: the paper's {FLOPS_PENALTY:g}, and {races[SCALED].settings.penalty:.2g}, which stands to "
        "this network's MFLOPs a map as the paper's to VGG-16's."
    )
    return PartResult(result, _setting(inputs) + weights, _findings(lines))


def races_of(inputs: StudyInputs) -> dict[str, RaceTerms]:
    """The races of the study, by the folder that each is kept in."""
    preset = inputs.preset
    settings = Settings(
        target=preset.left,
        step=max(1, round(preset.step * len(inputs.network.units))),
        updates=preset.updates,
        recipe=preset.recipe,
        seed=inputs.seed,
    )
    selectors = tuple(name for name in preset.raced if name in applicable(inputs.network))
    penalties = {PAPERS: FLOPS_PENALTY, SCALED: penalty_to_scale(inputs)}
    return {
        PLAIN: RaceTerms(selectors, inputs.seeds, settings),
        **{name: RaceTerms(("taylor",), inputs.seeds, replace(settings, penalty=p)) for name, p in penalties.items()},
    }


def penalty_to_scale(inputs: StudyInputs) -> float:
    """The weight that stands to this network's MFLOPs a map as the paper's stood to VGG-16's."""
    return FLOPS_PENALTY * VGG16_MFLOPS / (float(measure_costs(inputs.network).unit_flops().mean()) / 1e6)


def race_in_folder(inputs: StudyInputs, name: str, terms: RaceTerms, report: Report) -> Race:
    """The race of a sub-folder: its finished lanes are kept, and not run again."""
    folder = inputs.folder / name
    begin_race(folder, inputs.about, terms)
    *_, found = kept_race(inputs.network, inputs.splits, terms, folder, report)
    return found


def lines_of(race: Sequence[Lane], name: str | None = None, label: str | None = None) -> list[Line]:
    """Each selector's lanes as one line: shares left, and accuracy before and after fine-tuning over the seeds."""
    lanes = tuple(race)
    by = {against: bands(lanes, "accuracy", against, fine_tuned=True) for against in AGAINST}
    before = bands(lanes, "accuracy", "units", fine_tuned=False)
    return [
        {
            "name": name or band.selector,
            "label": label or CRITERIA[band.selector].title,
            "seeds": band.seeds.tolist(),
            **{against: by[against][i].x.tolist() for against in AGAINST},
            "after": _spread(band),
            "before": _spread(before[i]),
        }
        for i, band in enumerate(by["units"])
    ]


def _spread(band: Any) -> dict[str, list[float]]:
    return {"median": band.y.tolist(), "least": band.low.tolist(), "largest": band.high.tolist()}


def average(line: Line, against: str, least: float) -> float:
    """Mean of the median accuracy after fine-tuning, over what is left from 1 to `least`."""
    return mean_accuracy(line[against], line["after"]["median"], least)


def averages(lines: Sequence[Line], against: str) -> dict[str, float]:
    """Line -> its average, as far down as all of them come."""
    least = max(min(line[against]) for line in lines)
    return {line["name"]: average(line, against, least) for line in lines}


def _setting(inputs: StudyInputs) -> str:
    preset = inputs.preset
    step = max(1, round(preset.step * len(inputs.network.units)))
    return (
        f"Accuracy on {inputs.validated}, after each step's fine-tuning. {step} units a step, "
        f"ranked anew on {len(inputs.splits['calibration'])} calibration images, then {preset.updates} updates: "
        f"{inputs.trained}."
    )


def _findings(lines: Sequence[Line]) -> list[Finding]:
    plain = [line for line in lines if line["name"] not in (PAPERS, SCALED)]
    by_parameters, by_flops = averages(plain, "parameters"), averages(lines, "flops")
    others = {name: value for name, value in by_parameters.items() if name not in ("taylor", RANDOM)}
    taylor, said = by_parameters["taylor"], _said(by_parameters)
    regular = {name: by_flops[name] for name in ("taylor", PAPERS, SCALED)}
    best = max(regular[PAPERS], regular[SCALED])
    return [
        Finding(
            "Taylor keeps the highest accuracy of the criteria, against parameters.",
            said,
            taylor >= max(others.values()) if others else None,
        ),
        Finding(
            "Random falls behind Taylor.",
            said,
            taylor > by_parameters[RANDOM] if RANDOM in by_parameters else None,
        ),
        Finding(
            "FLOPs regularisation keeps a higher accuracy at the same GFLOPs.",
            f"mean accuracy over the GFLOPs: without {regular['taylor']:.1%}, with the paper's weight "
            f"{regular[PAPERS]:.1%}, with the weight to scale {regular[SCALED]:.1%}",
            best > regular["taylor"],
        ),
    ]


def _said(values: Mapping[str, float]) -> str:
    ordered = sorted(values.items(), key=lambda each: -each[1])
    return "mean accuracy on the way down: " + ", ".join(f"{CRITERIA[n].title} {value:.1%}" for n, value in ordered)


def updates(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Fig. 6: Taylor with several numbers of updates between two prunings."""
    plain, compared = races_of(inputs)[PLAIN], sorted(inputs.preset.compared)
    lines = []
    for place, count in enumerate(compared):
        staged = one_of(report, place, len(compared))
        if count == plain.settings.updates:  # raced already
            found = tuple(lane for lane in race_in_folder(inputs, PLAIN, plain, staged) if lane.selector == "taylor")
        else:
            terms = replace(plain, selectors=("taylor",), settings=replace(plain.settings, updates=count))
            found = race_in_folder(inputs, f"updates-{count}", terms, staged)
        lines += lines_of(found, f"updates-{count}", f"{count} update{'s' * (count > 1)}")
    values = averages(lines, "parameters")
    here = ", ".join(f"{line['label']} {values[line['name']]:.1%}" for line in lines)
    rising = list(values.values()) == sorted(values.values())
    claim = Finding("More updates leave a higher accuracy.", f"mean accuracy on the way down: {here}", rising)
    setting = _setting(inputs).replace(f"then {inputs.preset.updates} updates", "then updates, Taylor")
    return PartResult({"lines": lines}, setting, [claim])
