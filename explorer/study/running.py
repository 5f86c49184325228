"""Running a study: part by part, each kept when it is done."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from typing import Any

import torch

from explorer.core.files import write_whole
from explorer.core.progress import Report, silent, within
from explorer.networks.costs import measure_costs
from explorer.study.folders import WHOLE, Study, begin_study, read_study, write_part
from explorer.study.inputs import StudyInputs
from explorer.study.parts import PARTS, Part, parts_with_needs


def described(inputs: StudyInputs) -> dict[str, Any]:
    """The subject of a study: all that decides its results."""
    network, costs = inputs.network, measure_costs(inputs.network)
    size = {"units": len(network.units), "parameters": costs.parameters(), "flops": costs.flops()}
    settings = {
        "preset": inputs.preset.name,
        **{name: value for name, value in asdict(inputs.preset).items() if name != "name"},
        "seed": inputs.seed,
        "device": str(network.device),
        "threads": torch.get_num_threads(),
        "batch_size": inputs.splits["validation"].size,
    }
    name = inputs.splits["validation"].images.name
    return {
        "network": {**inputs.about.network, "classes": len(network.classes), **size},
        "data": {**inputs.about.data, "name": name},
        "settings": settings,
    }


def study(inputs: StudyInputs, report: Report = silent, only: Collection[str] = ()) -> Iterator[Study]:
    """The study as its folder holds it, at first and after every part that was missing; study.json at the end.

    only: names of parts; the others, but for those that these need, stay missing. A study that is stopped goes on where
    it was: at the part that is missing, in a race at the lane. The same settings give the same study, bit for bit on
    one device at one thread count, but for what is measured in time. Raises BadInput if the folder holds another study.
    """
    chosen = parts_with_needs(only)
    begin_study(inputs.folder, described(inputs))
    held = read_study(inputs.folder)
    yield held
    for part in [each for each in held.missing if each.name in chosen]:
        started = time.perf_counter()
        results = {name: found["result"] for name, found in held.parts.items()}
        found = part.work(inputs, results, _of_part(report, part, chosen))
        found = replace(found, measured={"seconds": time.perf_counter() - started, **found.measured})
        write_part(inputs.folder, part.name, found)
        held = read_study(inputs.folder)
        yield held
    write_whole(inputs.folder / WHOLE, json.dumps(held.to_json(), indent=1, allow_nan=False).encode())


def _of_part(report: Report, part: Part, chosen: Collection[str]) -> Report:
    """A part's share of the bar, among those that were chosen."""
    parts = [each for name, each in PARTS.items() if name in chosen]
    before, whole = (sum(each.share for each in some) for some in (parts[: parts.index(part)], parts))
    staged = within(report, before / whole, (before + part.share) / whole, f"{part.paper}, {part.title.lower()}")
    staged(0, 1, "")
    return staged
