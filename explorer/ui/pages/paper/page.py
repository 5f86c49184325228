"""Paper page: every table and figure of the paper, and beside it what a study measured on one's own network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import markdown
from explorer.figures.study_pictures import Picture, parts_by_name, pictures, published_picture, setting_of
from explorer.figures.study_tables import Table, findings, published_table, tables
from explorer.study import PARTS, REPORT, read_study
from explorer.study.folders import unmeasured_part
from explorer.study.papers import like
from explorer.study.published import CAVEAT, LIKE
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.elements.readable import main_part
from explorer.ui.work.session import View
from explorer.ui.work.visitors import paths_allowed

HOLDS = {True: "yes", False: "no", None: "can't be told here"}
CLOSED = "This server opens no folders by their path: read the study's report, which is a page by itself."
MAKE = "pruning-explorer study NETWORK --data DATA --out FOLDER"

Values = Mapping[str, Any]


def page(view: View) -> None:
    """Answer: what did the paper find, and what of it is so on my network?"""
    main_part()
    say.subheader("The paper's study, published and measured")
    where = st.text_input(
        "Folder of a study",
        key="study",
        placeholder=f"made by: {MAKE}",
        persist_state="session",
        help="A folder on the machine that this app runs on; an unfinished study will do.",
    )
    content = _opened(where.strip()) if where.strip() else None
    if content is None:
        say.info(f"The published figures. To measure them on a network of yours: {MAKE}; demo takes a few minutes.")
    say.caption(CAVEAT)
    row = like(content) if content else LIKE
    for name in PARTS:
        _part(name, content, row)


def _opened(where: str) -> Values | None:
    """A study's values; None, with a sentence, where the folder holds none that can be shown."""
    try:
        if not paths_allowed():
            raise BadInput(CLOSED)
        folder = Path(where).expanduser()
        content = read_study(folder).to_json()
        say.caption(setting_of(content))
    except (BadInput, RuntimeError) as problem:  # RuntimeError: "~" of an unknown user
        say.error(str(problem))
        return None
    if content["missing"]:
        missing = ", ".join(f"{PARTS[name].title} ({PARTS[name].paper})" for name in content["missing"])
        say.warning(f"Unfinished; missing: {missing}. The command that began it goes on with --resume.")
    else:
        say.caption(f"The same as one page for others: {folder / REPORT}")
    return content


def _part(name: str, content: Values | None, row: str) -> None:
    """Measured on the left where there is something, published on the right."""
    parts = parts_by_name(content) if content else {}
    part = parts.get(name) or unmeasured_part(PARTS[name])
    say.subheader(f"{part['paper']}: {part['title']}")
    say.body("{} **Look for:** {}", part["computes"], part["look"])
    if content is None:
        _published(part, row)
        _printed(part)
        return
    left, right = st.columns([3, 2], gap="large")
    with left.container(border=True):
        _measured(name, parts, content)
    with right.container(border=True):
        _published(part, row)
    _printed(part)


def _measured(name: str, parts: Mapping[str, Values], content: Values) -> None:
    st.markdown(":blue[**Measured here**]")
    if name not in parts:
        say.caption("Missing: this part of the study is not finished.")
        return
    try:
        for i, picture in enumerate(pictures(name, parts)):
            _picture(picture, f"{name}-{i}")
        for table in tables(name, parts, content["measured"]):
            _table(table)
        verdicts = [(f["claim"], f["here"], HOLDS[f["holds"]]) for f in findings(parts[name], content["measured"])]
        _table(Table("The paper's findings here", ("Finding of the paper", "Measured", "Holds"), tuple(verdicts)))
        say.caption(str(parts[name]["setting"]))
    except BadInput as problem:
        say.error(str(problem))


def _published(part: Values, row: str) -> None:
    st.markdown(":gray[**Published** (Molchanov et al. 2017)]")
    say.body("{}", part["published"]["says"])
    if picture := published_picture(part, row):
        _picture(picture, f"{part['name']}-published")
    if not part["published"]["rows"]:
        say.caption("The paper draws this and prints no numbers.")
    say.caption(f"Its setting: {part['published']['setting']}")


def _printed(part: Values) -> None:
    """The numbers of the paper, over the whole width."""
    if printed := published_table(part):
        with st.expander(markdown(printed.title), expanded=False):
            _table(printed)


def _picture(picture: Picture, key: str) -> None:
    say.body("**{}**", picture.title)
    chart(picture.figure, key)


def _table(table: Table) -> None:
    say.body("**{}**", table.title)
    columns = {column or " ": [markdown(row[i]) for row in table.rows] for i, column in enumerate(table.columns)}
    st.table(columns, border="horizontal", hide_index=True)
