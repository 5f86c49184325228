"""The first page: its name, what to try, and a sentence with the network's own numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import App

from explorer.evaluation.evaluate import evaluate
from explorer.networks.units import none_removed
from explorer.pruning.spared import spared
from explorer.scoring.ranking import scaled
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import scoring_job
from explorer.ui.work.workspace import Source

SECONDS = 60
Open = Callable[..., App]


def test_it_says_what_this_very_network_can_lose(open_app: Open) -> None:
    app = open_app("").fine()
    assert app.test.subheader[0].value == "Pruning Explorer"
    loaded = workspace.open_workspace(Source())
    JOBS.find(f"spared-{loaded.key}").wait(SECONDS)
    before = evaluate(loaded.network, loaded.validation, none_removed(loaded.network.units)).accuracy
    scores = scoring_job(loaded, none_removed(loaded.network.units))
    scores.wait(SECONDS)
    saliency = scaled(scores.result.saliencies["taylor"], loaded.network.units, "l2")
    found = spared(loaded.network, loaded.costs, loaded.validation, saliency, before - 0.01)
    assert found.accuracy >= before - 0.01
    gone = len(loaded.network.units) - found.units
    share = 1 - found.flops / loaded.costs.flops()
    said = app.again().fine().text
    assert f"can lose {gone:,} of its" in said and f"and {share:.0%} of its FLOPs" in said
    assert f"{before:.1%} before, {found.accuracy:.1%} after" in said


@pytest.mark.parametrize(("label", "page"), [("Prune this network", "prune"), ("Drag a threshold", "saliency")])
def test_what_to_try_leads_to_its_page(open_app: Open, label: str, page: str) -> None:
    app = open_app("").click(label).fine()
    assert f'<h1 class="page-name">{page.capitalize()}</h1>' in app.bar
