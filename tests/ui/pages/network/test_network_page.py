"""The Network page: the layer table and the sample predictions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import App
from of_demo import PARAMETERS, UNITS

from explorer import open_network
from explorer.data import Batches
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.samples import ORDERS, samples
from explorer.networks.costs import measure_costs
from explorer.networks.layers import list_layers
from explorer.networks.units import none_removed
from explorer.ui.work import workspace
from explorer.ui.work.results import measuring_job
from explorer.ui.work.stills import stills
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
ENTRY = re.compile(
    r"<li class='(\w+)'>.*?src='(data:image/\w+;base64,[^']+)'.*?<b>([^<]*)</b> ([\d.]+)%<br>"
    r"<span class='true'>true: ([^<]*)</span>"
)


def shown(app: App) -> list[tuple[str, ...]]:
    """Kind, predicted class, its probability and true class of every image of the grid."""
    (grid,) = (html.proto.body for html in app.test.get("html") if "class='samples'" in html.proto.body)
    return [(kind, *rest) for kind, _, *rest in ENTRY.findall(grid)]


def outcome() -> Outcome:
    opened = workspace.open_workspace(Source())
    job = measuring_job(opened, none_removed(opened.network.units))
    job.wait(60)
    return job.result


def expected(order: str, label: int | None = None) -> list[tuple[str, ...]]:
    return [
        ("right" if s.right else "wrong", str(s.predicted), f"{100 * s.probability:.1f}", str(s.label))
        for s in samples(outcome(), order, label=label)
    ]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Positions of the images that are made into pictures."""
    stills.clear()
    real, found = Batches.still, []
    monkeypatch.setattr(Batches, "still", lambda self, position: found.append(position) or real(self, position))
    return found


def test_wrong_predictions_are_shown_first(open_app: Open) -> None:
    app = open_app().fine()
    assert len(shown(app)) > 0 and shown(app) == expected("wrong")
    assert {kind for kind, *_ in shown(app)} == {"wrong"}
    assert f"{len(shown(app))} of {workspace.VALIDATION} validation images of demo, seed 0, cpu" in app.text


def of_class(*, wrong: bool) -> int:
    """The first class of which some of the images are taken for others; or none."""
    found = outcome()
    missed = set(found.labels[found.logits.argmax(1) != found.labels].tolist())
    return next(label for label in range(10) if (label in missed) == wrong)


@pytest.mark.parametrize("order", ORDERS)
def test_other_predictions_can_be_chosen_and_only_they_are_decoded(
    open_app: Open, order: str, decoded: list[int]
) -> None:
    label = of_class(wrong=True)
    app = open_app().choose("Show", order).set("True class", label).fine()
    assert shown(app) == expected(order, label) and {true for *_, true in shown(app)} == {str(label)}
    views = [samples(outcome()), samples(outcome(), order), samples(outcome(), order, label=label)]
    assert set(decoded) == {sample.position for view in views for sample in view}


def test_where_there_is_none_it_is_said(open_app: Open) -> None:
    app = open_app().set("True class", of_class(wrong=False)).fine()
    assert (
        f"There is no such image among the {workspace.VALIDATION} validation images of demo, seed 0, cpu." in app.said
    )


def test_the_layer_table_has_every_layer_with_units_and_costs(open_app: Open) -> None:
    app = open_app().fine()
    table = next(t.value for t in app.test.dataframe if "Layer" in t.value)
    network = open_network("demo")
    layers = list_layers(network, measure_costs(network))
    assert table["Layer"].tolist() == [layer.name for layer in layers]
    assert table["Units"].tolist() == [*map(len, network.units.layers), 0, 0] and table["Channels"].tolist()[-1] == 10
    assert table["Parameters"].sum() == sum(p.numel() for p in network.module.parameters())
    assert table["MFLOPs"].tolist() == [layer.flops / 1e6 for layer in layers]
    assert table["Share of FLOPs"].sum() == pytest.approx(100)
    assert table["Prunable"].tolist() == ["yes"] * 6 + [layer.reason for layer in layers[6:]]
    flops = sum(layer.flops for layer in layers) / 1e6
    assert f"{UNITS} units in 6 layers, {PARAMETERS:,} parameters and {flops:.2f} MFLOPs in all" in app.text


def test_class_names_are_no_markup(open_app: Open, tmp_path: Path) -> None:
    from samples_at_hand import checkpoint, folder_of_shades

    folder = folder_of_shades(tmp_path / "images")
    (folder / "bright").rename(folder / "<b>bright")
    app = open_app().click("Open another network").upload("mine.pt", checkpoint())
    app.images(folder).click("Open").fine()
    (grid,) = (html.proto.body for html in app.test.get("html") if "class='samples'" in html.proto.body)
    assert "&lt;b&gt;bright" in grid and "<b>bright" not in grid
