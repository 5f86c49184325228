"""Understood: the facts read from a person's files, in boxes that keep their place while reading goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from explorer.core.palette import BLUE, GREEN, ORANGE, PURPLE
from explorer.core.text import one_line
from explorer.data import ImageSet

COLOURS = {"finetune": BLUE, "calibration": GREEN, "validation": ORANGE, "test": PURPLE}
MOST = 200  # classes that are listed
SLOTS = 6  # thumbnails
NOTHING = "–"
STYLE = """
<style>
.understood { font-size: 0.86rem; line-height: 1.4; margin-bottom: 0.4rem; }
.understood h4 { font-size: 0.95rem; font-weight: 600; margin: 0 0 0.35rem; padding: 0; }
.understood dl.facts { display: grid; grid-template-columns: 6.2rem 1fr; gap: 0.15rem 0.8rem; min-height: 7.6rem; }
.understood dl.facts, .understood .facts dt, .understood .facts dd { margin: 0; padding: 0; font-size: inherit; }
.understood dt { color: var(--muted); } .understood dd { overflow-wrap: anywhere; }
.understood .stills { display: grid; grid-template-columns: repeat(6, 1fr); gap: 0.4rem; margin: 0 0 0.5rem; }
.understood .stills span, .understood .stills img { width: 100%; aspect-ratio: 1; border-radius: 0.3rem; display: block;
  object-fit: cover; background: color-mix(in srgb, currentColor 8%, transparent); }
.understood .classes { height: 8.4rem; overflow-y: auto; margin: 0 0 0.5rem; display: grid; align-content: start;
  grid-template-columns: minmax(5rem, max-content) 1fr max-content; gap: 0.1rem 0.6rem; padding-right: 0.4rem; }
.understood .classes i { align-self: center; height: 0.5rem; border-radius: 0.25rem; background: BLUE; opacity: 0.75; }
.understood .classes span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 13rem; }
.understood b { font-weight: 500; font-variant-numeric: tabular-nums; text-align: right; }
.understood .bar { display: flex; gap: 2px; height: 0.5rem; border-radius: 0.25rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 8%, transparent); }
.understood .splits { display: flex; flex-wrap: wrap; gap: 0 0.9rem; margin: 0.3rem 0 0.45rem; min-height: 1.3rem; }
.understood .splits i { display: inline-block; width: 0.6rem; height: 0.6rem; border-radius: 0.15rem;
  margin-right: 0.3rem; }
.understood .notes { margin: 0; max-height: 6.4rem; overflow-y: auto; border-left: 3px solid ORANGE;
  padding-left: 0.6rem; }
.understood .empty { color: var(--muted); }
</style>
""".replace("BLUE", BLUE).replace("ORANGE", ORANGE)


def facts_html(title: str, rows: Mapping[str, str]) -> str:
    """A box of facts; one that is not known yet is ""."""
    cells = "".join(f"<dt>{escape(what)}</dt><dd>{_text(value)}</dd>" for what, value in rows.items())
    return f"{STYLE}<div class='understood'><h4>{escape(title)}</h4><dl class='facts'>{cells}</dl></div>"


class Still(NamedTuple):
    """An image to look at."""

    uri: str
    label: str
    how: str  # it is drawn, where that is not as it is


def images_html(images: ImageSet | None, stills: Sequence[Still] = ()) -> str:
    """A box of images: some to look at, classes with their counts, splits, what was left out."""
    blank = ["<span></span>"] * (SLOTS - len(stills))
    shown = [f"<img src='{uri}' alt='{_text(name)}' title='{_text(name)}'>" for uri, name, _ in stills]
    parts = [f"<div class='stills'>{''.join([*shown, *blank])}</div>"]
    if images is None:
        title = "Images: none yet"
        parts.append(
            "<div class='classes empty'>Their classes and splits are shown here before anything is opened.</div>"
        )
        parts.append("<div class='bar'></div><div class='splits'></div>")
    else:
        noun = "clips" if images.clips else "images"
        title = f"{one_line(images.name)}: {len(images):,} {noun} of {len(images.classes):,} classes"
        parts += [_classes(images), _splits(images)]
        how = next((still.how for still in stills if still.how), "")
        if account := " ".join(filter(None, (images.account(), how))):
            parts.append(f"<p class='notes'>{_text(account)}</p>")
    return f"{STYLE}<div class='understood'><h4>{_text(title)}</h4>{''.join(parts)}</div>"


def _text(text: str) -> str:
    return escape(one_line(text)) if text else NOTHING


def _classes(images: ImageSet) -> str:
    counts = [int((images.labels == label).sum()) for label in range(len(images.classes))]
    rows = [
        f"<span title='{_text(name)}'>{_text(name)}</span><i style='width:{100 * count / max(counts):.1f}%'></i>"
        f"<b>{count:,}</b>"
        for name, count in list(zip(images.classes, counts, strict=True))[:MOST]
    ]
    more = len(counts) - MOST
    return f"<div class='classes'>{''.join(rows)}{f'<span>and {more:,} more</span>' if more > 0 else ''}</div>"


def _splits(images: ImageSet) -> str:
    parts = {name: len(members) for name, members in images.splits.items()}
    bar = "".join(f"<div style='flex:{count};background:{COLOURS[name]}'></div>" for name, count in parts.items())
    named = "".join(
        f"<span><i style='background:{COLOURS[name]}'></i>{name} <b>{count:,}</b></span>"
        for name, count in parts.items()
    )
    how = "as stored" if images.stored_splits else f"dealt by class, seed {images.seed}"
    return f"<div class='bar'>{bar}</div><div class='splits'>{named}<span class='empty'>{how}</span></div>"
