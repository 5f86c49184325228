"""The Draw page: pictures from a canvas and from files, and what is said of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from driving import App
from PIL import Image, ImageDraw
from samples_at_hand import checkpoint

from explorer.core.errors import BadInput
from explorer.data import to_tensor
from explorer.data.drawing import from_canvas
from explorer.evaluation.answers import answers
from explorer.networks.units import none_removed
from explorer.ui.components.canvas.canvas import BLANK, EXAMPLE, IMAGE, Drawn
from explorer.ui.pages.draw import asked
from explorer.ui.pages.draw.asked import form_of
from explorer.ui.pages.draw.taking import canvas_pixels
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source, Workspace, open_workspace

Open = Callable[..., App]
PNG = "data:image/png;base64,"


@pytest.fixture
def demo() -> Workspace:
    return open_workspace(Source())


def html(app: App, mark: str) -> str:
    """What an element of the page's own HTML says, without tags."""
    body = next(h.proto.body for h in app.test.get("html") if mark in h.proto.body)
    return " ".join(re.sub("<[^>]*>", " ", re.sub("<style>.*?</style>", "", body, flags=re.S)).split())


def drawing(app: App) -> Any:
    return app.test.session_state["drawing"]


def png(pixels: np.ndarray) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def uri(content: bytes) -> str:
    return PNG + base64.b64encode(content).decode()


def stored(demo: Workspace, position: int) -> tuple[np.ndarray, str]:
    """A validation image, and the name of its class."""
    index = int(demo.validation.indices[position])
    image = np.asarray(demo.images.image(index, demo.network.preprocessing.channels))
    return image, demo.network.classes[demo.images.labels[index]]


def settled(app: App) -> App:
    """The same page, once all that it waits for is there."""
    app.again()
    for job in list(JOBS._jobs.values()):
        job.wait(60)
    return app.again().fine()


def test_at_first_one_of_the_networks_own_images_is_on_the_canvas_to_the_pixel(open_app: Open, demo: Workspace) -> None:
    app = open_app("draw").fine()
    assert drawing(app).drawn.on == EXAMPLE
    form = form_of(demo)
    image, name = stored(demo, 0)
    found = from_canvas(canvas_pixels(drawing(app).drawn.picture, form), form, fit=False)
    assert torch.equal(found.x, to_tensor(image, demo.network.preprocessing))
    probabilities = answers(demo.network, found.x, none_removed(demo.network.units)[None])[0]
    assert html(app, "class='answer'").startswith(f"as loaded {demo.network.classes[int(probabilities.argmax())]}")
    assert f"{probabilities.max():.1%}" in html(app, "class='answer'")
    assert app.test.selectbox[0].label == "It is" and app.test.selectbox[0].value == demo.network.classes.index(name)


def test_the_next_image_comes_by_a_button_and_a_blank_canvas_waits(open_app: Open, demo: Workspace) -> None:
    app = open_app("draw").click("One of its images").fine()
    assert drawing(app).drawn.on == IMAGE and drawing(app).label == demo.network.classes.index(stored(demo, 1)[1])
    app.test.session_state["drawing"] = drawing(app)._replace(drawn=Drawn("", BLANK, 9), label=None)
    assert "Draw one of its classes" in app.again().fine().said
    assert not [h for h in app.test.get("html") if "class='answer'" in h.proto.body]


def test_a_file_of_an_image_is_answered_like_the_image(open_app: Open, demo: Workspace) -> None:
    image, _ = stored(demo, 3)
    app = open_app("draw").choose("Picture", "file").upload("three.png", png(image), "Picture").fine()
    x = to_tensor(image, demo.network.preprocessing)
    probabilities = answers(demo.network, x, none_removed(demo.network.units)[None])[0]
    assert f"{probabilities.max():.1%}" in html(app, "class='answer'")
    assert "pixel by pixel" in html(app, "class='gets'")


def bomb() -> bytes:
    """A picture of 81 megapixels in ten kilobytes."""
    stream = BytesIO()
    Image.new("1", (9000, 9000)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("content", [b"", b"no image", bomb()], ids=["empty", "text", "bomb"])
def test_a_file_that_is_no_picture_is_refused_in_a_sentence(open_app: Open, content: bytes) -> None:
    app = open_app("draw").choose("Picture", "file").upload("<b>it</b>.png", content, "Picture")
    assert not app.test.exception and not app.test.error
    assert "image '<b>it</b>.png'" in app.said


@pytest.mark.parametrize(
    "sent",
    ["", "nonsense", PNG + "no base64!", uri(b"no PNG"), uri(png(np.zeros((5, 5), np.uint8))), PNG + "A" * 5_000_000],
    ids=["nothing", "text", "no base64", "no PNG", "too small", "too large"],
)
def test_what_no_canvas_sends_is_refused(demo: Workspace, sent: str) -> None:
    with pytest.raises(BadInput, match="What the browser sent is not the canvas"):
        canvas_pixels(sent, form_of(demo))


def test_states_of_a_run_stand_beside_the_network_as_loaded(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").click("Prune to this goal").go("draw").fine()
    assert "as loaded" in html(app, "class='answer'") and "state 2" in html(app, "class='answer'")
    assert "While this run was pruned" in app.text and "units left, at each state" in html(app, "units left, at each")
    settled(app)
    assert "If units went from here, all at once" in app.text
    assert "the least by Taylor first; each answer is measured" in html(app, "the least by")


def test_what_would_take_long_is_first_estimated_and_measured_when_asked(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "EAGER", 0)
    app = open_app("draw").fine()
    assert "to first order, not measured" in app.text and app.buttons["Measure each unit"]
    app.click("Measure each unit")
    job = asked.JOBS.find(app.test.session_state["effects-job"])
    assert job
    job.wait(60)
    assert "each measured with its gate closed" in app.again().fine().text and "Measure each unit" not in app.buttons


def test_without_images_the_canvas_is_blank_and_units_go_by_their_weights(open_app: Open) -> None:
    app = open_app().click("Open another network").upload("mine.pt", checkpoint()).choose("Images", "none").fine()
    app.click("Open").go("draw").fine()
    assert "Draw one of its classes" in app.said and "One of its images" not in app.buttons
    assert "the ground is chosen by the mean of the preprocessing: 0.13" in app.text
    picture = Image.new("L", (280, 280))
    ImageDraw.Draw(picture).line([(60, 60), (200, 220)], fill=255, width=24)
    now = drawing(app)
    app.test.session_state["drawing"] = now._replace(drawn=Drawn(uri(png(np.asarray(picture))), BLANK, 5))
    settled(app)
    assert "averaged to 28×28" in html(app, "class='gets'")
    assert "the least by Weight first" in html(app, "the least by")


def test_a_network_of_clips_says_why_there_is_nothing_to_draw(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def clips(workspace: Workspace) -> None:
        raise BadInput("This network takes clips.")

    monkeypatch.setattr(asked, "form_of", clips)
    assert open_app("draw").fine().said == "This network takes clips."


def test_the_units_that_matter_are_measured_one_by_one(open_app: Open, demo: Workspace) -> None:
    app = open_app("draw").fine()
    assert "each measured with its gate closed" in app.text
    assert html(app, "class='tops'").count("channel") == 0 and html(app, "class='tops'").count("·") == 12
    layer = demo.network.units.layers[1]
    app.set("Feature maps of", layer.name).fine()
    body = next(h.proto.body for h in app.test.get("html") if "class='lit'" in h.proto.body)
    assert body.count("<li ") == len(layer)
