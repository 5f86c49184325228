"""The figures of a study's parts, from the plain values that its JSON holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.text import plotly
from explorer.figures.correlation import correlation
from explorer.figures.curve import curve
from explorer.figures.rank_statistics import LayerRanks, RankPanel, rank_statistics
from explorer.figures.series import Series, of_seeds
from explorer.figures.style import CRITERION_STYLES

T = TypeVar("T")
Values = Mapping[str, Any]
Parts = Mapping[str, Values]  # name -> a part of the study's JSON
BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration)
LOOKS = {"flops": "joint", "flops-scaled": "linear_oracle", "oracle_abs": "oracle", "oracle_loss": "obd"}
SEVERAL = (
    "taylor_element",
    "taylor_mean",
    "taylor",
    "taylor_activation",
    "weight_taylor",
)  # for lines of one criterion
NAME_OF = {style.label: name for name, style in CRITERION_STYLES.items()}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure under a title."""

    title: str
    figure: go.Figure


def pictures(name: str, parts: Parts) -> list[Picture]:
    """What a part's results look like; raises BadInput if they can't be drawn."""
    return checked(name, PICTURES.get(name, no_pictures), parts)


def published_picture(part: Values, like: str) -> Picture | None:
    """The published Table 1 for the network and data that `like` names; None for all else."""
    rows = [row for row in part["published"]["rows"] if part["name"] == "agreement" and row[0] == like]
    if not rows:
        return None
    criteria = [NAME_OF[title] for title in part["published"]["columns"][2:]]
    values = np.array([[np.nan if cell is None else cell for cell in row[2:]] for row in rows], np.float64)
    known = {name: values[:, i].tolist() for i, name in enumerate(criteria) if np.isfinite(values[:, i]).any()}
    return Picture(like, correlation(known, columns=[row[1] for row in rows]))


def checked(name: str, of: Callable[[Parts], list[T]], parts: Parts) -> list[T]:
    """What `of` makes of the parts; raises BadInput if their values are not such as a study writes."""
    try:
        return of(parts)
    except BROKEN as error:
        raise BadInput(f"The study's part {name!r} is damaged: its results can't be shown.") from error


def no_pictures(parts: Parts) -> list[Any]:
    """Of a part that has none."""
    return []


def _agreement(parts: Parts) -> list[Picture]:
    found = parts["agreement"]["result"]
    columns = list(found["columns"])
    rows = {name: [_number(row[column]) for column in columns] for name, row in found["table"].items()}
    spans = {
        name: [(_number(row[column][0]), _number(row[column][1])) for column in columns]
        for name, row in found["intervals"].items()
    }
    figure = correlation(rows, columns=[found["columns"][column] for column in columns], intervals=spans)
    return [Picture("Spearman's correlation with oracle-abs", figure)]


def _ranks(parts: Parts) -> list[Picture]:
    panels = [
        RankPanel(name, [LayerRanks(str(e["layer"]), np.array(e["ranks"], float), bool(e["pooled"])) for e in layers])
        for name, layers in parts["ranks"]["result"]["panels"].items()
    ]
    marks = "whiskers first to last, boxes quartiles"
    titles = {"oracle": f"Global rank by layer, oracle-abs: {marks}", "taylor": "The same by Taylor with l2"}
    return [Picture(titles[panel.criterion], _untitled(rank_statistics([panel]))) for panel in panels]


def _untitled(figure: go.Figure) -> go.Figure:
    """Without the title of its only panel: the picture has one."""
    figure.layout.annotations = ()
    return figure.update_layout(margin={"t": 10})


def _one_shot(parts: Parts) -> list[Picture]:
    series = []
    for name, points in parts["one-shot"]["result"]["curves"].items():
        shares = np.array([point["parameters"] for point in points]) / points[0]["parameters"]
        label = name.replace("_", "-")
        series.append(Series(LOOKS[name], shares, np.array([p["accuracy"] for p in points]), label=label))
    return [Picture("Accuracy by one precomputed ranking", curve(series, against="parameters"))]


def _line(line: Values, against: str, look: str) -> Series:
    after, seeds = line["after"], np.array(line["seeds"])
    one = Series(look, np.array(line[against]), np.array(after["median"]), fine_tuned=True, label=plotly(line["label"]))
    if not (seeds > 1).any():
        return one
    return replace(one, low=np.array(after["least"]), high=np.array(after["largest"]), spread=of_seeds(seeds))


def _race(parts: Parts) -> list[Picture]:
    lines = parts["race"]["result"]["lines"]
    full = float(lines[0]["after"]["median"][0])
    return [
        Picture(
            f"Accuracy against {title}",
            curve(
                [_line(line, against, LOOKS.get(line["name"], line["name"])) for line in lines],
                against=against,
                original=full,
            ),
        )
        for against, title in (("parameters", "parameters"), ("flops", "FLOPs"))
    ]


def _scratch(parts: Parts) -> list[Picture]:
    lines = [line for line in parts["race"]["result"]["lines"] if line["name"] in ("taylor", "random")]
    points, found = parts["scratch"]["result"]["points"], []
    if not points:
        return []
    for against, title in (("parameters", "parameters"), ("flops", "FLOPs")):
        series = [_line(line, against, line["name"]) for line in lines]
        x, y = (np.array([point[key] for point in points]) for key in (against, "accuracy"))
        series.append(Series("scratch", x, y, fine_tuned=True, label="from scratch"))
        figure = curve(series, against=against)
        figure.data[-1].update(mode="markers", marker={"symbol": "x", "size": 11})
        found.append(Picture(f"Trained from scratch, against {title}", figure))
    return found


def _updates(parts: Parts) -> list[Picture]:
    lines = parts["updates"]["result"]["lines"]
    series = [_line(line, "parameters", SEVERAL[i % len(SEVERAL)]) for i, line in enumerate(lines)]
    return [Picture("Accuracy against parameters, Taylor", curve(series, against="parameters"))]


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


PICTURES: dict[str, Callable[[Parts], list[Picture]]] = {
    "agreement": _agreement,
    "ranks": _ranks,
    "one-shot": _one_shot,
    "race": _race,
    "scratch": _scratch,
    "updates": _updates,
}


def parts_by_name(content: Values) -> dict[str, Values]:
    """The parts of a study's JSON by their names."""
    return {part["name"]: part for part in content["parts"]}


def setting_of(content: Values) -> str:
    """The setting of the whole study in a few sentences; raises BadInput if it does not say."""
    return checked("settings", lambda values: [_setting(values)], content)[0]


def _setting(content: Values) -> str:
    network, data, settings = content["network"], content["data"], content["settings"]
    return (
        f"Network {network['name']} ({network.get('arch')}): {network['units']:,} units, {network['parameters']:,} "
        f"parameters, {network['flops'] / 1e6:.1f} MFLOPs. Images: {data.get('name')}, {network['classes']} classes. "
        f"Preset {settings['preset']}, seed {settings['seed']}, on {settings['device']}, threads: "
        f"{settings['threads']}."
    )
