"""Race folders: the terms of a race and every finished lane, each in a file that is whole or not there."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from explorer.core.documents import DocumentFormat, damaged, digest_of, is_older, read_document, write_document
from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.core.text import quoted
from explorer.data import Splits
from explorer.evaluation.evaluate import Latency
from explorer.networks.network import Network
from explorer.pruning.limits import Limits
from explorer.pruning.race import Lane, PointLatency, Race, RacePoint, RaceTerms, race
from explorer.pruning.settings import Settings
from explorer.runs.store import Run
from explorer.runs.timeline_json import metrics_from_json
from explorer.training.finetune import recipe_from

FORM = DocumentFormat("pruning-explorer race", 2, without_digest=(1,))
AGAIN = "delete this file, and going on with the race runs its lane again"
LANE = DocumentFormat("pruning-explorer lane", 2, without_digest=(1,), unnamed=True, remedy=AGAIN)
FILE = "race.json"
LANES = "lane-*.json"
BROKEN = (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Kept:
    """The contents of a race folder: the network and images, on which terms, and the lanes that are finished."""

    network: Mapping[str, Any]  # {"source", "digest", ...}
    data: Mapping[str, Any]  # {"source", "seed", "digest", "splits"}
    terms: RaceTerms
    lanes: Race = ()


def begin_race(folder: Path, about: Run, terms: RaceTerms) -> None:
    """Write what is raced into the folder; raises BadInput if it holds another race.

    about: from `explorer.runs.run_folders.described`.
    """
    asked = {"network": about.network, "data": about.data, "terms": asdict(terms)}
    if os.path.lexists(folder / FILE):
        _check_same(folder, _content(folder), json.loads(json.dumps(asked)))
    else:
        write_document(folder / FILE, FORM, asked)


def kept_race(
    network: Network, splits: Splits, terms: RaceTerms, folder: Path, report: Report = silent
) -> Iterator[Race]:
    """`race` in a folder that has begun: from the lanes that it holds, and every finished lane kept."""
    held, of_race = read_race(folder).lanes, digest_of(_content(folder))
    if held:
        yield held
    known = {(lane.selector, lane.seed) for lane in held}
    for lanes in race(network, splits, terms, held, report):
        for lane in lanes:
            if lane.finished and (lane.selector, lane.seed) not in known:
                known.add((lane.selector, lane.seed))
                write_document(_lane_path(folder, lane.selector, lane.seed), LANE, {"race": of_race, **asdict(lane)})
        yield lanes


def read_race(folder: Path) -> Kept:
    """The race in a folder. Raises BadInput if there is none, or one of its files is damaged."""
    content, terms = _content(folder), read_terms(folder)
    return Kept(content["network"], content["data"], terms, tuple(read() for _, read in lanes_of(folder)))


def read_terms(folder: Path) -> RaceTerms:
    """The terms of a folder's race; raises BadInput if there is none, or its file is damaged."""
    try:
        return _terms(_content(folder)["terms"])
    except BadInput:
        raise
    except BROKEN as error:
        raise damaged(folder / FILE, "it does not say what was raced") from error


def lanes_of(folder: Path) -> list[tuple[Path, Callable[[], Lane]]]:
    """The file of each finished lane, and what reads it: Raises BadInput if that is damaged, or another lane's."""
    terms, of_race = read_terms(folder), digest_of(_content(folder))
    wanted = [(selector, seed) for seed in terms.seeds for selector in terms.selectors]
    found = [(_lane_path(folder, *each), each) for each in wanted]
    return [(path, partial(_read_lane, path, of_race, *each)) for path, each in found if os.path.lexists(path)]


def _content(folder: Path) -> dict[str, Any]:
    content = read_document(folder / FILE, FORM, f"{folder} is not a race folder: it holds no {FILE}.")
    if not all(isinstance(content.get(name), dict) for name in ("network", "data", "terms")):
        raise damaged(folder / FILE, "it does not say what was raced")
    return content


def _check_same(folder: Path, held: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """BadInput that names the first thing in which the folder's race differs."""
    for name, value in _facts(asked).items():
        if (there := _facts(held).get(name)) != value:
            raise BadInput(f"{folder} holds a race with {name} {there}, not {value}: give another folder.")


def _facts(content: Mapping[str, Any]) -> dict[str, Any]:
    terms = content["terms"]
    data, settings = content["data"], terms["settings"]
    return {
        "network": content["network"].get("digest"),
        "data": data.get("digest"),
        "images": data.get("splits"),
        **{name: terms[name] for name in ("selectors", "seeds", "timed")},
        **settings,
    }


def _lane_path(folder: Path, selector: str, seed: int) -> Path:
    return folder / f"lane-{selector.replace(':', '.')}-{seed}.json"  # not every system knows : in names


def _terms(data: Mapping[str, Any]) -> RaceTerms:
    given = data["settings"]
    settings = {**_known(Settings, given), "recipe": recipe_from(given["recipe"]), "limits": _limits(given["limits"])}
    return RaceTerms(tuple(data["selectors"]), tuple(data["seeds"]), Settings(**settings), bool(data["timed"]))


def _limits(data: Mapping[str, Any]) -> Limits:
    chosen = {name: {layer: tuple(units) for layer, units in data[name].items()} for name in ("stay", "go")}
    return Limits(**{**_known(Limits, data), **chosen})


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """The values that this version knows."""
    return {field.name: data[field.name] for field in fields(kind) if field.name in data}


def _read_lane(path: Path, of_race: str, selector: str, seed: int) -> Lane:
    data = read_document(path, LANE, f"{path} is gone.")
    if not is_older(data, LANE) and data.get("race") != of_race:
        raise damaged(path, "it is of another race", AGAIN)
    try:
        points = tuple(_point(entry) for entry in data["points"])
        lane = Lane(selector, seed, bool(data["every_seed"]), points, bool(data["finished"]))
        if (data["selector"], data["seed"]) != (selector, seed) or not (points and lane.finished):
            raise ValueError("another lane, or a part of one")
        return lane
    except (BadInput, *BROKEN) as error:
        raise damaged(path, f"it does not hold the lane of {selector}, seed {seed}", AGAIN) from error


def _point(entry: Mapping[str, Any]) -> RacePoint:
    pruned, speed = entry["pruned"], entry["speed"]
    return RacePoint(
        metrics_from_json(entry["metrics"]),
        None if pruned is None else metrics_from_json(pruned),
        tuple((str(layer), int(channel)) for layer, channel in entry["removed"]),
        None if speed is None else PointLatency(_latency(speed["full"]), _latency(speed["pruned"])),
    )


def _latency(entry: Mapping[str, Any]) -> Latency:
    if not 0 < float(entry["lower_quartile"]) < math.inf:
        raise ValueError(f"{quoted(entry['lower_quartile'])} is no time")
    return Latency(**_known(Latency, entry))
