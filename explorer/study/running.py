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
from explorer.study.bench import StudyInputs
from explorer.study.folders import WHOLE, Study, begin, keep, read_study
from explorer.study.parts import PARTS, Part, wanted


def described(bench: StudyInputs) -> dict[str, Any]:
    """The subject of a study: all that decides its results."""
    network, costs = bench.network, measure_costs(bench.network)
    size = {"units": len(network.units), "parameters": costs.parameters(), "flops": costs.flops()}
    settings = {
        "preset": bench.preset.name,
        **{name: value for name, value in asdict(bench.preset).items() if name != "name"},
        "seed": bench.seed,
        "device": str(network.device),
        "threads": torch.get_num_threads(),
        "batch_size": bench.splits["validation"].size,
    }
    name = bench.splits["validation"].images.name
    return {
        "network": {**bench.about.network, "classes": len(network.classes), **size},
        "data": {**bench.about.data, "name": name},
        "settings": settings,
    }


def study(bench: StudyInputs, report: Report = silent, only: Collection[str] = ()) -> Iterator[Study]:
    """The study as its folder holds it, at first and after every part that was missing; study.json at the end.

    only: names of parts; the others, but for those that these need, stay missing. A study that is stopped goes on where
    it was: at the part that is missing, in a race at the lane. The same settings give the same study, bit for bit on
    one device at one thread count, but for what is measured in time. Raises BadInput if the folder holds another study.
    """
    chosen = wanted(only)
    begin(bench.folder, described(bench))
    held = read_study(bench.folder)
    yield held
    for part in [each for each in held.missing if each.name in chosen]:
        started = time.perf_counter()
        results = {name: found["result"] for name, found in held.parts.items()}
        found = part.work(bench, results, _of_part(report, part, chosen))
        found = replace(found, measured={"seconds": time.perf_counter() - started, **found.measured})
        keep(bench.folder, part.name, found)
        held = read_study(bench.folder)
        yield held
    write_whole(bench.folder / WHOLE, json.dumps(held.to_json(), indent=1, allow_nan=False).encode())


def _of_part(report: Report, part: Part, chosen: Collection[str]) -> Report:
    """A part's share of the bar, among those that were chosen."""
    parts = [each for name, each in PARTS.items() if name in chosen]
    before, whole = (sum(each.share for each in some) for some in (parts[: parts.index(part)], parts))
    staged = within(report, before / whole, (before + part.share) / whole, f"{part.paper}, {part.title.lower()}")
    staged(0, 1, "")
    return staged
