"""The page to share: its numbers are the run's and the engine's, names are inert, nothing is asked elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from shared_pages import HOSTILE, explored, held, small, timeline_json

from explorer.core.errors import BadInput
from explorer.export.sharing import page as pages
from explorer.export.sharing.explored import NO_IMAGES, NO_ORACLE
from explorer.export.sharing.page import page
from explorer.export.sharing.pictures import SIDES, largest_side
from explorer.networks.feature_maps import unit_maps
from explorer.scoring.ranking import correlate, rank_statistics, ranks

WHOLE = explored()
PAGE = page(WHOLE)


class Elements(HTMLParser):
    """The tags of a page, the addresses that it names, and the scripts that it would run."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.named: list[str] = []
        self.run: list[bool] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.named += [name for name, _ in attrs if name in ("src", "href", "action", "style") or name.startswith("on")]
        if tag == "script":
            self.run.append(dict(attrs).get("type") is None)


def test_the_run_is_inside_as_its_file_has_it() -> None:
    run = held(PAGE, "run")
    assert run["timeline"] == timeline_json(WHOLE.run)
    assert run["settings"] == WHOLE.run.settings
    assert (run["network"], run["data"]) == ({"name": "small"}, {"seed": 0})  # and not where they lie


def test_saliencies_ranks_and_statistics_are_the_engines_own() -> None:
    found, units = held(PAGE, "measured"), WHOLE.network.units
    assert [layer["channels"] for layer in found["layers"]] == [[0, 1, 2, 3], [0, 1, 2]]
    assert {"taylor", "weight", "random", "activation_mean"} <= set(found["criteria"])
    for name, saliency in WHOLE.saliencies.items():
        assert found["criteria"][name]["saliency"] == pytest.approx(saliency.tolist(), rel=1e-5)
    chance = WHOLE.saliencies["random"]  # which is never scaled
    assert found["criteria"]["random"]["ranks"] == ranks(chance).tolist()
    assert found["criteria"]["random"]["statistics"][1] == pytest.approx(
        [*vars(rank_statistics(chance, units)[1]).values()][1:]
    )


def test_the_oracle_and_each_criterions_agreement_with_it_are_inside() -> None:
    found, truth = held(PAGE, "measured"), WHOLE.oracle
    assert truth is not None
    assert found["oracle"]["loss"] == pytest.approx(truth.oracle_loss.tolist(), rel=1e-5)
    agreement = correlate(WHOLE.saliencies["taylor"], truth.oracle_abs, WHOLE.network.units)
    assert found["agreement"]["taylor"] == pytest.approx(
        {name: agreement[name] for name in found["agreement"]["taylor"]}, rel=1e-5
    )
    assert set(found["agreement"]["taylor"]) == {"per_layer", "all_layers", "all_layers_l2"}
    assert found["missing"] == []


def test_each_unit_is_shown_on_the_image_that_excites_it_most() -> None:
    pictures = held(PAGE, "measured")["pictures"]
    assert WHOLE.images is not None and WHOLE.seen is not None
    for unit, (layer, channel) in enumerate(WHOLE.network.units.labels):
        image = int(WHOLE.seen.mean[:, unit].argmax())
        own = unit_maps(WHOLE.network, WHOLE.images.x[image])[layer][channel]
        drawn = pictures["maps"][layer]
        values = np.frombuffer(base64.b64decode(drawn["bytes"]), np.uint8).reshape(-1, *drawn["size"])[channel]
        assert pictures["tops"][unit] == pytest.approx(float(own.max()), rel=1e-3)
        assert np.abs(values / 255 - (own / own.max().clamp(min=1e-9)).numpy()).max() < 0.5 / 255 + 1e-4
        assert pictures["labels"][pictures["image_of_unit"][unit]] == int(WHOLE.images.y[image])


def test_pictures_of_a_large_network_are_smaller_and_never_more_than_there_is_room_for() -> None:
    assert largest_side([torch.Size((10, 8, 6))], 480) == SIDES[0]
    assert largest_side([torch.Size((1000, 56, 56)), torch.Size((2000, 7, 7))], 400_000) == 16  # 256,000 + 98,000
    assert largest_side([torch.Size((10**6, 56, 56))], 1000) == SIDES[-1]


def test_what_was_not_measured_is_null_and_is_said() -> None:
    found = held(page(explored(seen=False)), "measured")
    assert (found["oracle"], found["agreement"], found["pictures"], found["calibration"]) == (None,) * 4
    assert found["missing"] == [NO_IMAGES, NO_ORACLE]
    assert "weight" in found["criteria"] and "taylor" not in found["criteria"]


def test_a_run_without_a_measured_state_is_not_shared() -> None:
    with pytest.raises(BadInput, match="no measured state"):
        page(replace(WHOLE, run=replace(WHOLE.run, timeline=None)))


def test_foreign_names_end_no_element_and_begin_none() -> None:
    subject = replace(small(HOSTILE), classes=(HOSTILE,) * 3, arch=HOSTILE)
    content = page(explored(subject, HOSTILE))
    assert sorted(Elements(content).tags) == sorted(Elements(PAGE).tags)
    assert content.decode().count("<!--") == PAGE.decode().count("<!--")
    assert held(content, "measured")["classes"] == [HOSTILE] * 3
    assert held(content, "run")["timeline"]["states"]["1"]["how"] == HOSTILE


def test_nothing_is_loaded_and_nothing_runs_but_the_pages_own_script() -> None:
    found, text = Elements(PAGE), PAGE.decode()
    assert not {"link", "iframe", "img", "object", "form", "base", "a"} & set(found.tags)
    assert found.named == []
    assert found.run == [False, False, True]
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1])
    assert policy.startswith("default-src 'none'; ")
    for part, content in (("script", text.split("<script>")[1]), ("style", text.split("<style>")[1])):
        digest = base64.b64encode(hashlib.sha256(content.split(f"</{part}>")[0].encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy


def test_no_folder_of_the_computer_is_named() -> None:
    for private in (b"/home", b"/data/secret", str(Path.home()).encode(), str(Path.cwd()).encode()):
        assert private not in PAGE


def test_the_same_run_gives_the_same_bytes() -> None:
    assert page(explored()) == PAGE


def test_every_script_of_the_page_is_short_enough_to_be_read() -> None:
    for path in pages.PARTS.glob("*.js"):
        assert path.name in pages.SCRIPTS
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 200
