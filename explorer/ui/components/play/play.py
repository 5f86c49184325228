"""The player: network strip, curve and images of one state after the other, drawn in the browser alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.evaluation.metrics import Metrics
from explorer.figures.style import SEQUENTIAL, criterion_style
from explorer.ui.components.component import component

_component = component(__file__)

DASHES = {"solid": "", "dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4", "longdashdot": "11 3 2 3"}


@dataclass(frozen=True)
class Shot:
    """One state. kept, flops: of each layer; answers: the predicted class of each picture; rival: beside it."""

    metrics: Metrics
    kept: tuple[int, ...]
    flops: tuple[int, ...]
    answers: tuple[int, ...] = ()
    rival: Metrics | None = None


@dataclass(frozen=True)
class PictureInView:
    """One of the images in view."""

    source: str  # data URI
    label: int
    small: bool  # its pixels are shown as squares


@dataclass(frozen=True)
class Whole:
    """The network as loaded, which everything is a share of."""

    layers: tuple[str, ...]
    shot: Shot
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How far the measuring is. status: "idle", "early" (measured unasked), "measuring", "stopped" or "ended"."""

    status: str
    said: str
    expected: int  # states, at most
    locked: str = ""  # why nothing can be begun or gone to now, or ""
    refused: int = 0  # how often Play was pressed in vain, which the page says why


@dataclass(frozen=True)
class Reel:
    """All that is to be seen. name: of another way there is another; rival: a criterion, or "" for none."""

    name: str
    whole: Whole
    shots: Sequence[Shot]
    current: int  # place of the run's state among the shots
    pictures: Sequence[PictureInView]
    criterion: str
    title: str
    rival: str
    missing: str  # what can't be shown, and why
    moves: bool = False  # plays once by itself


@dataclass(frozen=True)
class Wishes:
    """What a person can ask for; go: with the place of the shot."""

    play: Callable[[], None]
    cancel: Callable[[], None]
    go: Callable[[int], None]


def player(reel: Reel, progress: Progress, wishes: Wishes, *, key: str) -> bool:
    """Draw it; True if the person has asked for something in this run. `wishes` are called before the script."""

    def go() -> None:
        if (place := getattr(st.session_state.get(key), "go", None)) is not None:
            wishes.go(int(place))

    found = _component(
        key=key,
        data=reel_data(reel, progress),
        on_play_change=wishes.play,
        on_cancel_change=wishes.cancel,
        on_go_change=go,
    )
    return any(value is not None for value in (found.play, found.cancel, found.go))


def reel_data(reel: Reel, progress: Progress) -> dict[str, object]:
    """The data that the browser draws: shares of the network as loaded, and every state's figures as measured."""
    whole = reel.whole
    widest = max(whole.shot.kept, default=1)
    return {
        "name": reel.name,
        "layers": [
            {"name": name, "total": kept, "height": math.sqrt(kept / widest)}
            for name, kept in zip(whole.layers, whole.shot.kept, strict=True)
        ],
        "whole": _figures(whole.shot.metrics),
        "dearest": max(whole.shot.flops, default=1) or 1,
        "scale": [color for _, color in SEQUENTIAL],
        "shots": [_shot(shot, whole.shot.metrics) for shot in reel.shots],
        "current": reel.current,
        "pictures": [{"source": p.source, "label": p.label, "small": p.small} for p in reel.pictures],
        "classes": _named(reel),
        "chance": math.log(max(2, len(whole.classes))),
        "own": {**_line(reel.criterion), "label": reel.title},
        "rival": {**_line(reel.rival), "label": criterion_style(reel.rival).label} if reel.rival else None,
        "measured": whole.shot.metrics.images > 0,
        "images": whole.shot.metrics.images,
        "missing": reel.missing,
        "moves": reel.moves,
        "status": progress.status,
        "said": progress.said,
        "expected": progress.expected,
        "locked": progress.locked,
        "refused": progress.refused,
    }


def _figures(metrics: Metrics) -> dict[str, object]:
    """The figures that are drawn, and as they are read: rounded like everywhere else in the app."""
    drawn = {name: getattr(metrics, name) for name in ("units", "accuracy", "loss", "flops", "parameters")}
    if metrics.loss is None or metrics.accuracy is None:
        return {**drawn, "said": ""}
    return {
        **drawn,
        "loss": metrics.loss if math.isfinite(metrics.loss) else None,
        "said": f"{metrics.accuracy:.1%} right, loss {metrics.loss:.4f}",
    }


def _left(metrics: Metrics, whole: Metrics) -> str:
    return f"{metrics.units:,} of {whole.units:,} units, {metrics.flops / whole.flops:.1%} of the FLOPs left"


def _shot(shot: Shot, whole: Metrics) -> dict[str, object]:
    return {
        **_figures(shot.metrics),
        "left": _left(shot.metrics, whole),
        "kept": shot.kept,
        "costs": shot.flops,
        "answers": shot.answers,
        "rival": _figures(shot.rival) if shot.rival else None,
    }


def _named(reel: Reel) -> dict[str, str]:
    """The names of the classes that a picture has, or was taken for."""
    met = {p.label for p in reel.pictures}.union(*(shot.answers for shot in reel.shots))
    return {str(place): reel.whole.classes[place] for place in sorted(met)}


def _line(criterion: str) -> dict[str, str]:
    style = criterion_style(criterion)
    return {"color": style.color, "dash": DASHES[style.dash]}
