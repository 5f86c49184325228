"""What a run's JSON says, read without the engine, and whether all places of a page say the same."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from driving import App

from explorer.cli import main

SYMBOLS = {"loaded": "square-open", "pruned": "square-open", "tuned": "square", "cut": "square-open-dot"}  # of Taylor
KINDS = {
    "loaded": "as loaded",
    "pruned": "before fine-tuning",
    "tuned": "after fine-tuning",
    "cut": "pruned after fine-tuning",
}


@dataclass(frozen=True)
class Told:
    """A run.json as plain values."""

    timeline: dict[str, Any]

    @classmethod
    def by(cls, folder: Path) -> Told:
        return cls(json.loads((folder / "run.json").read_text())["timeline"])

    @property
    def states(self) -> dict[int, dict[str, Any]]:
        return {int(number): state for number, state in self.timeline["states"].items()}

    @property
    def current(self) -> int:
        return self.timeline["current"]

    @property
    def at(self) -> tuple[int, int]:
        return self.current, self.timeline["made"]

    def way(self, number: int) -> list[int]:
        """From the root to a state."""
        parent = self.states[number]["parent"]
        return [*(self.way(parent) if parent is not None else []), number]

    def stage(self, number: int) -> tuple[str, str]:
        """A key of KINDS, and what people are told."""
        way = [self.states[each] for each in self.way(number)]
        total = sum(state["updates"] for state in way)
        since = []
        for state in way:
            since = [] if state["updates"] else [*since, *state["removed"]]
        updates = f"{total} fine-tuning update{'s' * (total != 1)}"
        if total:
            cut = f"pruned after {updates}, not fine-tuned since"
            return ("cut", cut) if since else ("tuned", f"after {updates}")
        return ("pruned", "before fine-tuning") if since else ("loaded", "as loaded")

    def called(self, number: int) -> str:
        return self.states[number]["name"] or self.states[number]["how"]


def numbers(drawn: object) -> list[float]:
    """A plotly array as its JSON has it."""
    if isinstance(drawn, dict):
        drawn = np.frombuffer(base64.b64decode(drawn["bdata"]), {"f4": np.float32, "f8": np.float64}[drawn["dtype"]])
    return [float(value) for value in np.asarray(drawn)]


def check_names(app: App) -> None:
    """No two buttons are called the same."""
    downloads = [found.proto.label for found in app.test.get("download_button")]
    labels = Counter([*(button.label for button in app.test.button), *downloads])
    twice = [label for label, times in labels.items() if times > 1]
    assert not twice, twice


def check_bar(app: App, told: Told) -> None:
    """The state bar says where the run is, and the numbers of that state."""
    metrics, made = told.states[told.current]["metrics"], max(told.states)
    assert f"state {told.current} of {made}: {told.called(told.current)}<" in app.bar
    assert f"{metrics['images']} validation images, {told.stage(told.current)[1]}<" in app.bar
    assert app.facts["Units"] == f"{metrics['units']:,}"
    assert (app.facts["Loss"], app.facts["Accuracy"]) == (f"{metrics['loss']:.4f}", f"{metrics['accuracy']:.1%}")


def check_tree(app: App, told: Told) -> None:
    """Every state's mark, in the tree and in the table."""
    tree = component(app, "tree")
    assert tree["current"] == told.current
    assert {one["number"]: one["parent"] for one in tree["states"]} == {
        number: state["parent"] for number, state in told.states.items()
    }
    for one in tree["states"]:
        kind, words = told.stage(one["number"])
        assert one["stage"] == KINDS[kind] and one["text"].endswith(f"; {words}"), one
        assert told.states[one["number"]]["how"] in one["text"]
    met = {one["stage"] for one in tree["states"]} - {KINDS["loaded"]}
    assert tree["stages"] == [kind for kind in KINDS.values() if kind in met]
    rows = app.test.dataframe[0].value
    assert rows["Measured"].tolist() == [told.stage(number)[1] for number in told.states]
    names = [state["name"] or str(number) for number, state in told.states.items()]
    here = list(told.states).index(told.current)
    names[here] = f"→ {names[here]}"
    assert rows["State"].tolist() == names


def stages_of(trace: Mapping[str, Any]) -> list[str]:
    """The stage that each point's hover text says after its line's name."""
    return [title.removesuffix("</b>").rpartition(", ")[2] for title, _ in trace["customdata"]]


def check_curve(app: App, told: Told) -> None:
    """The line of the run, its branches, its controls and the ring."""
    drawn = app.figure("way")["data"]
    whole, way = told.states[0]["metrics"], told.way(told.current)
    (line,) = (trace for trace in drawn if str(trace["name"]).startswith("this run"))
    metrics = [told.states[number]["metrics"] for number in way]
    np.testing.assert_allclose(numbers(line["x"]), [m["units"] / whole["units"] for m in metrics], rtol=1e-6)
    np.testing.assert_allclose(numbers(line["y"]), [m["accuracy"] for m in metrics], rtol=1e-6)
    assert line["marker"]["symbol"] == [SYMBOLS[told.stage(number)[0]] for number in way]
    assert stages_of(line) == [KINDS[told.stage(number)[0]] for number in way]
    branches = [trace for trace in drawn if str(trace["name"]).startswith("another branch")]
    ends = sorted(told.stage(number)[0] for number in told.states if number not in way)
    assert sorted(stages_of(trace)[1] for trace in branches) == sorted(KINDS[kind] for kind in ends)
    controls = [numbers(trace["y"]) for trace in drawn if str(trace["name"]).startswith("from scratch")]
    trained = [told.states[number]["scratch"] for number in way if told.states[number]["scratch"]]
    assert len(controls) == bool(trained)
    if trained:
        np.testing.assert_allclose(controls[0], [held["metrics"]["accuracy"] for held in trained], rtol=1e-6)
    (ring,) = (trace for trace in drawn if trace["name"] == "now")
    np.testing.assert_allclose(numbers(ring["y"]), metrics[-1]["accuracy"], rtol=1e-6)


def check_prune(app: App, told: Told, busy: bool) -> None:
    """All places of the Prune page; busy: whether a job works on the run."""
    assert not app.test.exception, app.test.exception
    check_names(app)
    check_bar(app, told)
    check_tree(app, told)
    check_curve(app, told)
    assert f"{told.stage(told.current)[1]}. The second line removes" in app.text
    at_root = told.states[told.current]["parent"] is None
    enabled = app.buttons
    assert all(enabled[name] is not busy for name in ("Remove 1", "Remove 10", "Prune to this goal"))
    assert all(enabled[name] is not (busy or at_root) for name in ("Undo", "Back", "Back 2"))
    (name,) = (box for box in app.test.text_input if box.label.startswith("Name of state"))
    assert (name.label, name.value) == (f"Name of state {told.current}", told.states[told.current]["name"])
    made = [number for number in told.states if told.current in told.way(number)]
    assert f"Delete it{' and all made from it' * (len(made) > 1)}" in enabled


def check_export(app: App, told: Told) -> None:
    """The Export page's list of states, and what it says of the one in view."""
    assert not app.test.exception, app.test.exception
    check_names(app)
    check_bar(app, told)
    (box,) = (box for box in app.test.selectbox if box.label == "State")
    assert box.options == [f"{number}: {told.called(number)}" for number in told.states]
    assert box.value == told.current
    how = told.states[told.current]["how"]
    assert f"State {told.current}: {how}; measured {told.stage(told.current)[1]}." in app.text


def check_saliency(app: App, told: Told) -> None:
    """What the Saliency page says of the state, and of what a threshold would make of it."""
    assert not app.test.exception, app.test.exception
    check_names(app)
    check_bar(app, told)
    kind, words = told.stage(told.current)
    cut = f"pruned {words}, not fine-tuned since" if kind == "tuned" else words
    assert f"all at once, {'before fine-tuning' if kind == 'loaded' else cut}." in app.text


def check_command(folder: Path, told: Told) -> None:
    """What the command line says of the run, in its table and in its JSON."""
    kind, words = told.stage(told.current)
    out, path = io.StringIO(), folder / "measured.json"
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main(["evaluate", str(folder), "--split", "validation", "--limit", "4", "--json", str(path)])
    assert f", {words}. Preprocessing" in " ".join(out.getvalue().split())
    found = json.loads(path.read_text())
    assert found["settings"]["stage"] == KINDS[kind]
    assert found["settings"]["fine_tuning_updates"] == sum(
        told.states[number]["updates"] for number in told.way(told.current)
    )
    assert found["network"]["units"] == told.states[told.current]["metrics"]["units"]


def component(app: App, key: str) -> dict[str, Any]:
    """What a component of our own was given."""
    protos = (found.proto for found in app.test.get("bidi_component"))
    return json.loads(next(proto.json for proto in protos if proto.id.endswith(f"-{key}")))
