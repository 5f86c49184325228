"""Your own criterion on the pages: listed, scored and explained like the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from driving import App
from of_demo import UNITS
from own_code import importable

from explorer.cli.own_criteria import imported_criterion
from explorer.runs.store import Run
from explorer.ui.work.jobs import JOBS

NAME = "page_criteria:spread"
CODE = """
def spread(seen):
    \"\"\"Standard deviation, over images, of a unit's mean activation.\"\"\"
    return seen.mean.std(0)
"""


def forget_scores() -> None:
    """As in a process that has not scored anything: there all criteria are known before the first page."""
    for key, job in list(JOBS._jobs.items()):
        if key.startswith("score-"):
            job.cancel()
            job.wait(60)
            JOBS.forget(key)


@pytest.fixture
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The criterion, taken as when the app is started with it."""
    forget_scores()
    with importable(tmp_path_factory.mktemp("mine"), "page_criteria", CODE):
        imported_criterion(NAME)
        yield
        forget_scores()


def options(app: App, label: str) -> list[str]:
    fields = (*app.test.selectbox, *app.test.multiselect)
    return next(each for each in fields if each.label == label).options


def test_pages_list_it_score_by_it_and_prune_by_it(
    mine: None, open_app: Callable[..., App], saved: Callable[[str], Run]
) -> None:
    app = open_app("saliency").set("Criterion", NAME).fine()
    assert "Spread of every unit, by layer" in app.text
    assert "Standard deviation, over images, of a unit's mean activation. Higher means keep." in app.text
    app.go("prune").set("Criterion", NAME).fine().click("Remove 10").fine()
    assert app.facts["Units"] == str(UNITS - 10)
    timeline = saved(app.run).timeline
    assert timeline is not None and timeline.state.how == "10 units by Spread, layer-wise l2"
    app.go("compare").fine()
    assert "Spread" in options(app, "Criteria")
    assert "Spread" in options(app.choose("How to compare", "Race with fine-tuning").fine(), "Who races")
    assert "Spread" in options(app.go("oracle").fine(), "Compared with")
