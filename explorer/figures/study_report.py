"""A study as one page that needs nothing else: every figure beside its published counterpart, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from plotly.offline import get_plotlyjs

from explorer.core.palette import page_variables
from explorer.figures.study_pictures import Picture, parts_by_name, pictures, published_picture, setting_of
from explorer.figures.study_tables import Table, findings, published_table, tables
from explorer.figures.style import alt_text

STYLE = """
body { margin: 0 auto; max-width: 84rem; padding: 1.2rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--ground); }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .2rem; }
h3 { font-size: 1rem; margin: .2rem 0; } h4 { font-size: .9rem; margin: .9rem 0 .2rem; }
.pair { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1rem;
  align-items: start; }
.pair > .published { position: sticky; top: 1rem; }
@media (max-width: 60rem) {
  .pair { grid-template-columns: minmax(0, 1fr); } .pair > .published { position: static; }
}
.own, .published { padding: .7rem .9rem; border-radius: .4rem; min-width: 0; }
.wide { margin-top: .8rem; }
.own { border: 1px solid var(--line); border-top: 3px solid var(--primary); }
.published { border: 1px dashed var(--line); background: var(--box); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .22rem .6rem .22rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.numbers th, .numbers td { white-space: nowrap; }
.findings td:last-child { font-weight: 600; white-space: nowrap; }
.note { font-size: .82rem; opacity: .8; margin: .3rem 0; } .look { margin: .2rem 0 .8rem; }
.caveat { border-left: 3px solid var(--removed); padding: .2rem .8rem; }
.figure { width: 100%; }
"""
SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)"), narrow = matchMedia("(max-width: 40rem)");
const below = {orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom"}, row = 20;
const figures = [...document.querySelectorAll(".figure")];
const drawn = new Map(figures.map(place => [place, JSON.parse(place.querySelector("script").textContent)]));
function suit(place) {  // the page's ink; on a narrow page a list beside the plot goes above it
  const {data, layout: {height, legend}} = drawn.get(place), moved = narrow.matches && legend?.orientation === "v";
  place.style.height = `${height + (moved ? row * data.filter(trace => trace.name).length : 0)}px`;
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  return Plotly.relayout(place, {"font.color": ink, legend: moved ? {...legend, ...below} : legend, autosize: true});
}
for (const [place, {data, layout: {height, ...layout}}] of drawn)  // as high as its place
  Plotly.newPlot(place, data, layout, {responsive: true, displayModeBar: false}).then(suit);
for (const each of [dark, narrow]) each.addEventListener("change", () => figures.forEach(suit));
"""
HOLDS = {True: "yes", False: "no", None: "can't be told here"}

Values = Mapping[str, Any]


def report_page(content: Values, caveat: str, like: str) -> str:
    """The page of a study's JSON. like: the row of Table 1 that stands beside the measured one."""
    parts = parts_by_name(content)
    sections = "".join(_section(part, parts, content, like) for part in parts.values())
    missing = ", ".join(content["missing"])
    unfinished = f"<p class='caveat'>Unfinished; missing: {escape(missing)}.</p>" if missing else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Study: '
        f"{escape(str(content['network']['name']))}</title><style>{page_variables()}{STYLE}</style></head><body>"
        f"{_head(content)}{_verdict(content)}<p class='caveat'>{escape(caveat)}</p>{unfinished}{sections}"
        f"<script>{get_plotlyjs()}</script><script>{SCRIPT}</script></body></html>"
    )


def _head(content: Values) -> str:
    return (
        f"<h1>The paper's study of {escape(str(content['network']['name']))}</h1>"
        f"<p>{escape(setting_of(content))} Beside it "
        'what Molchanov et al. 2017 (<a href="https://arxiv.org/abs/1611.06440">arXiv:1611.06440</a>) published, on a '
        "shaded ground with a dashed edge.</p>"
    )


def _verdict(content: Values) -> str:
    """How many of the paper's findings hold, in one sentence."""
    holds = [found["holds"] for part in content["parts"] for found in findings(part, content["measured"])]
    said = {True: "hold here", False: "do not", None: "can't be told here"}
    counts = ", ".join(f"{holds.count(each)} {words}" for each, words in said.items() if each in holds)
    return f"<p>Of the paper's findings {counts}; each stands below with its numbers.</p>"


def _section(part: Values, parts: Mapping[str, Values], content: Values, like: str) -> str:
    name, measured = part["name"], content["measured"]
    own = "".join(_figure(name, i, picture) for i, picture in enumerate(pictures(name, parts)))
    own += "".join(map(_table, tables(name, parts, measured)))
    verdicts = tuple((f["claim"], f["here"], HOLDS[f["holds"]]) for f in findings(part, measured))
    own += _table(
        Table("The paper's findings here", ("Finding of the paper", "Measured", "Holds"), verdicts), "findings"
    )
    return (
        f"<section><h2>{escape(part['paper'])}: {escape(part['title'])}</h2>"
        f'<p class="look">{escape(part["computes"])} <b>Look for:</b> {escape(part["look"])}</p><div class="pair">'
        f'<div class="own"><h3>Measured here</h3>{own}<p class="note">{escape(part["setting"])}</p></div>'
        f'<div class="published"><h3>Published</h3>{_published(part, like)}</div></div>{_printed(part)}</section>'
    )


def _published(part: Values, like: str) -> str:
    published, picture = part["published"], published_picture(part, like)
    text = f"<p>{escape(published['says'])}</p>"
    text += _figure(f"{part['name']}-published", 0, picture) if picture else ""
    text += "" if published["rows"] else '<p class="note">The paper draws this and prints no numbers.</p>'
    return text + f'<p class="note">Its setting: {escape(published["setting"])}</p>'


def _printed(part: Values) -> str:
    """The numbers of the paper, over the whole width."""
    printed = published_table(part)
    return f'<div class="published wide">{_table(printed)}</div>' if printed else ""


def _figure(name: str, number: int, picture: Picture) -> str:
    figure = picture.figure
    drawn = figure.to_json().replace("<", "\\u003c")
    return (
        f'<h4>{escape(picture.title)}</h4><div class="figure" id="{escape(name)}-{number}" role="img" '
        f'aria-label="{escape(alt_text(figure))}" style="height: {figure.layout.height}px">'
        f'<script type="application/json">{drawn}</script></div>'
    )


def _table(table: Table, kind: str = "numbers") -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return (
        f'<h4>{escape(table.title)}</h4><div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
