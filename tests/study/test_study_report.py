"""The report: one page that needs nothing else, with every number of the JSON's figures."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.study_pictures import parts_by_name, pictures, published_picture
from explorer.figures.study_report import report_page
from explorer.figures.study_tables import tables
from explorer.study.published import CAVEAT, LIKE, TABLE_1


def test_it_asks_nobody_and_holds_plotly_once(whole: Path) -> None:
    page = (whole / "report.html").read_text()
    assert not re.search(r'<(script|link|img|iframe)[^>]+(src|href)="', page)
    assert page.count("plotly.js v") == 1
    assert "prefers-color-scheme: dark" in page


def test_study_json_alone_gives_the_whole_report_with_every_number_of_its_figures(
    whole: Path, content: dict[str, Any]
) -> None:
    assert report_page(content, CAVEAT, LIKE) == (whole / "report.html").read_text()


def test_every_part_stands_beside_its_published_counterpart(whole: Path, content: dict[str, Any]) -> None:
    page = unescape((whole / "report.html").read_text())
    assert CAVEAT in page
    for part in content["parts"]:
        assert f"{part['paper']}: {part['title']}" in page and part["look"] in page
        assert part["setting"] in page and part["published"]["says"] in page
        assert all(finding["here"] in page for finding in part["findings"])
    assert page.count(">Measured here<") == page.count(">Published<") == 7


def test_figures_are_drawn_from_the_jsons_numbers(whole: Path, content: dict[str, Any]) -> None:
    page = (whole / "report.html").read_text()
    drawn = {
        name: json.loads(text)
        for name, text in re.findall(
            r'class="figure" id="([^"]+)".*?<script type="application/json">(.*?)</script>', page
        )
    }
    assert {name.rsplit("-", 1)[0] for name in drawn} == {
        "agreement",
        "agreement-published",
        "ranks",
        "one-shot",
        "race",
        "scratch",
        "updates",
    }
    lines = parts_by_name(content)["race"]["result"]["lines"]
    labels = {trace["name"] for trace in drawn["race-0"]["data"] if trace.get("name")}
    assert labels == {line["label"] for line in lines}
    panels = pictures("race", parts_by_name(content))
    y = {trace.name: trace.y for trace in panels[1].figure.data}
    assert all(np.allclose(y[line["label"]], line["after"]["median"]) for line in lines)


def test_the_published_heat_map_is_that_of_the_row(content: dict[str, Any]) -> None:
    picture = published_picture(parts_by_name(content)["agreement"], LIKE)
    assert picture is not None and picture.title == LIKE
    heat = picture.figure.data[0]
    taylor = heat.z[list(heat.y).index("Taylor")]
    assert taylor.tolist() == pytest.approx([TABLE_1[LIKE][m]["taylor"] for m in TABLE_1[LIKE]])
    assert published_picture(parts_by_name(content)["ranks"], LIKE) is None


def test_names_of_others_are_text_and_no_markup(content: dict[str, Any]) -> None:
    network = {**content["network"], "name": "<script>alert(1)</script>"}
    page = report_page({**content, "network": network}, CAVEAT, LIKE)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_a_damaged_part_is_one_sentence(content: dict[str, Any]) -> None:
    parts = parts_by_name(content)
    parts["ranks"] = {**parts["ranks"], "result": {"panels": {"oracle": [{}]}}}
    with pytest.raises(BadInput, match=r"The study's part 'ranks' is damaged: its results can't be shown\."):
        pictures("ranks", parts)
    with pytest.raises(BadInput, match="'speed' is damaged"):
        tables("speed", parts, {})


def test_a_control_that_could_not_be_trained_has_no_picture(content: dict[str, Any]) -> None:
    parts = parts_by_name(content)
    assert len(pictures("scratch", parts)) == 2
    parts["scratch"] = {**parts["scratch"], "result": {"points": []}}
    assert pictures("scratch", parts) == []


def test_an_unfinished_study_says_what_is_missing(content: dict[str, Any]) -> None:
    page = report_page({**content, "parts": content["parts"][:2], "missing": ["race"]}, CAVEAT, LIKE)
    assert "Unfinished; missing: race." in page and page.count(">Published<") == 2
