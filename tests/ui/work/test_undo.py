"""Exact undo: wherever one goes in the tree and back, every state computes what was measured when it was made."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from after_kills import Measured, shown
from driving import App

from explorer.runs.store import Run, write_run
from explorer.runs.timeline import jump
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS

Open = Callable[..., App]
Saved = Callable[[str], Run]


def grown(app: App) -> App:
    """States by several criteria, down to a target, in turns with fine-tuning, and after it; two branches."""
    app.click("Remove 10").set("Criterion", "apoz").click("Remove 1")
    app.set("of the", "params").set("Down to, %", 90).click("Prune to this goal").set("of the", "units").set(
        "Down to, %", 84
    )
    for label, value in {"Units per step": 5, "Updates per step": 2, "Distillation": 0.5}.items():
        app.set(label, value)
    app.click("Prune and fine-tune").fine()
    JOBS.find(f"turns-{app.run}").wait(60)
    app.again().set("Rank anew after every step", True).click("Remove 10").fine()
    return app.click("Back 2").set("Criterion", "weight").click("Remove 1").fine()


def test_jumps_in_any_order_bring_the_metrics_back_bit_for_bit(open_app: Open, saved: Saved, workdir: Path) -> None:
    app = grown(open_app("prune"))
    run, folder = saved(app.run), workdir / "runs" / app.run
    timeline = run.timeline
    assert len({state.parent for state in timeline.states.values()}) < len(timeline.states) >= 7
    assert {bool(state.updates) for state in timeline.states.values()} == {False, True}
    assert Measured(workspace.VALIDATION).differing(timeline, folder) == []
    for number in random.Random(0).sample(list(timeline.states), len(timeline.states)):
        write_run(folder, Run(run.network, run.data, jump(saved(app.run).timeline, number)))
        assert shown(timeline.states[number].metrics) == tuple(app.again().fine().facts.values())
    after = saved(app.run).timeline
    assert after.states == timeline.states
    assert Measured(workspace.VALIDATION).differing(after, folder) == []
