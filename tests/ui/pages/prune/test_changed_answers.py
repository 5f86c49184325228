"""The gallery of changed answers on the Prune page, against the pruned networks' own answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import torch
from driving import App
from of_demo import UNITS

from explorer.evaluation.evaluate import evaluate
from explorer.networks.surgery import prune
from explorer.runs.store import Run, pruned_at
from explorer.runs.timeline import removed_at
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
Saved = Callable[[str], Run]


def html(app: App, kind: str) -> str:
    return next(
        (unescape(each.proto.body) for each in app.test.get("html") if f"class='{kind}'" in each.proto.body), ""
    )


def measured(app: App) -> App:
    for job in list(JOBS._jobs.values()):
        if job.key.startswith("measure-"):
            job.wait(60)
    return app.again().fine()


def test_changed_images_are_shown_with_the_unit_that_did_it(open_app: Open, saved: Saved) -> None:
    app = open_app("prune")
    assert "after a step, the images stand here" in app.text
    app.set("Down to, %", 40).click("Prune to this goal")
    measured(app)
    loaded, timeline = workspace.open_workspace(Source()), saved(app.run).timeline
    plan = removed_at(timeline, loaded.network.units)
    before, after = (evaluate(each, loaded.validation) for each in (loaded.network, prune(loaded.network, plan)))
    old, new = before.logits.argmax(1), after.logits.argmax(1)
    changed, lost = old != new, (old == before.labels) & (new != before.labels)
    assert lost.sum() > 1
    said = f"{int(changed.sum())} of {len(loaded.validation)} validation images of demo, seed 0 changed their answer"
    assert f"{said}: {int(lost.sum())} from right to wrong" in app.text
    assert html(app, "changed").count("<li>") == min(12, int(changed.sum()))
    surest = int(torch.where(lost, after.probabilities.max(1).values, 0.0).argmax())
    names = loaded.network.classes
    first = next(box for box in app.test.selectbox if box.label == "Image")
    pair = names[int(old[surest])], names[int(new[surest])]
    assert first.options[0] == f"1. {names[int(before.labels[surest])]}: {pair[0]} → {pair[1]}"
    layer, channel, fallen = re.search(r"scope='row'>(.*?) · (\d+)</th><td>([+−.\de]+)<", html(app, "did")).groups()
    unit = loaded.network.units.labels.index((layer, int(channel)))
    back = evaluate(prune(loaded.network, plan & (torch.arange(UNITS) != unit)), loaded.validation)
    healed = float(after.losses[surest] - back.losses[surest])
    assert abs(float(fallen.replace("−", "-")) - healed) <= 0.051 * abs(healed)


def test_beside_a_fine_tuned_state_its_own_weights_are_measured(open_app: Open, saved: Saved, workdir: Path) -> None:
    app = open_app("prune").set("Down to, %", 40)
    for label, value in {"Units per step": int(0.6 * UNITS), "Updates per step": 1}.items():
        app.set(label, value)
    app.click("Prune and fine-tune").fine()
    JOBS.find(f"turns-{app.run}").wait(60)
    measured(app.again())
    assert "All with the weights of the network as loaded: removed units had no part in the fine-tuning" in app.text
    tuned = saved(app.run).timeline.current
    measured(app.click("Remove 10"))
    app.set("Beside", tuned)
    measured(app)
    loaded, timeline = workspace.open_workspace(Source()), saved(app.run).timeline
    folder = workdir / "runs" / app.run
    old, new = (
        evaluate(pruned_at(loaded.network, timeline, folder, number), loaded.validation).logits.argmax(1)
        for number in (tuned, timeline.current)
    )
    assert f"{int((old != new).sum())} of {len(loaded.validation)} validation images" in app.text
    assert f"beside state {tuned}" in app.text and "had no part in the fine-tuning" not in app.text
