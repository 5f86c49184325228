"""A lesson over the pages: begun, gone through, done in earnest, reloaded, ended, and a teacher's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from driving import TERM, App
from samples_at_hand import checkpoint

from explorer.ui.lesson import panel
from explorer.ui.lesson.panel import NOT_YET
from explorer.ui.lesson.reading import built_in
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.workspace import Source, open_workspace

Open = Callable[..., App]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Call with the text of a lesson: the app teaches it, until the test ends."""

    def give(text: str) -> None:
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        panel.teach(tmp_path / "mine.toml")

    yield give
    panel._given.clear()


def card(app: App) -> str:
    """The words of the panel; "" where no lesson is taken."""
    found = [html.proto.body for html in app.test.get("html") if 'class="lesson"' in html.proto.body]
    text = TERM.sub("", found[0].partition("</style>")[2]) if found else ""
    return unescape(" ".join(re.sub("<[^>]+>", " ", text).split()))


def place(app: App) -> tuple[str, ...]:
    """Step and steps done, as the address has them."""
    return tuple(app.test.query_params.get(name, "") for name in ("lesson", "lesson-done"))


def test_a_lesson_is_begun_on_the_first_page_done_in_earnest_reloaded_and_ended(open_app: Open) -> None:
    app = open_app().click("Take the lesson").fine()
    steps = built_in().steps
    assert place(app) == ("1", "") and steps[0].question in card(app) and NOT_YET in card(app)
    assert app.buttons["Next step"] and not app.buttons["Step back"]
    app.click("Look at this unit").fine()
    assert re.search(r"Seen: (Of the \d+ calibration images|\S+, channel 0 sees nothing)", card(app))
    assert place(app) == ("1", "1")
    app.click("Next step").fine()
    assert place(app) == ("2", "1") and "step 2 of 8 · done: 1" in card(app) and steps[1].do in card(app)
    app.click("Run the oracle")
    next(job for job in JOBS._jobs.values() if job.label.startswith("The oracle")).wait(60)
    app.again().fine()
    known = oracle(open_workspace(Source()))
    assert known
    layer, channel = known.units.labels[int(known.oracle_loss.argmax())]
    assert f"{layer}, channel {channel} costs most" in card(app) and place(app) == ("2", "1.2")
    again = open_app("oracle", run=app.run, lesson="2", **{"lesson-done": "1.2"}).fine()
    assert card(again) == card(app) and place(again) == place(app)
    again.click("Next step").fine()
    criterion = next(each for each in again.test.selectbox if each.label == "Compared with")
    assert (criterion.value, place(again)[0]) == ("weight", "3")
    again.click("End the lesson").fine()
    assert card(again) == "" and place(again) == ("", "")
    assert card(again.go("prune")) == ""


def test_a_step_that_the_lesson_does_not_have_is_said_and_the_first_is_shown(open_app: Open) -> None:
    app = open_app("export", lesson="<b>99</b>").fine()
    assert "names the step '<b>99</b>' of a lesson of 8 steps" in app.said
    assert "step 1 of 8" in card(app) and app.buttons["Open Saliency"]


def test_without_images_a_step_that_needs_them_says_so(open_app: Open) -> None:
    app = open_app().click("Open another network").upload("mine.pt", checkpoint()).choose("Images", "none")
    app.click("Open").fine().click("Take the lesson").click("Next step").fine()
    assert "Seen: nothing yet, because this step needs images" in card(app)


def test_the_words_of_a_teachers_lesson_are_shown_as_they_are(open_app: Open, own: Callable[[str], None]) -> None:
    own(
        'title = "<i>T</i>"\n[[step]]\npage = "prune"\nquestion = "<img src=x onerror=alert(1)>?"\n'
        'do = "Press **it** & go"\nsettings = { criterion = "oracle", target = 30 }\n'
    )
    app = open_app("prune", lesson="1").fine()
    assert "&lt;img src=x onerror=alert(1)&gt;?" in next(
        html.proto.body for html in app.test.get("html") if 'class="lesson"' in html.proto.body
    )
    assert "Press **it** & go Not offered here yet, and so not chosen: Oracle." in card(app)
    assert "so not chosen: Oracle." in card(app.again())
    assert not app.buttons["Next step"] and place(app) == ("1", "1")
    assert next(each.value for each in app.test.number_input if each.key == "target") == 30
