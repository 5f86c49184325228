"""The tables of a study's parts, from the plain values that its JSON holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.figures.study_pictures import Parts, Values, checked, no_pictures
from explorer.figures.style import criterion_style


@dataclass(frozen=True)
class Table:
    """A table under a title, its cells as people read them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(name: str, parts: Parts, measured: Values) -> list[Table]:
    """A part's results in numbers; `measured` is what was timed."""
    found = checked(name, TABLES.get(name, no_pictures), parts)
    return found + (checked(name, lambda values: _speed(values, measured), parts) if name == "speed" else [])


def published_table(part: Values) -> Table | None:
    """The numbers that the paper prints, if it does."""
    published = part["published"]
    if not published["rows"]:
        return None
    rows = tuple(tuple(_cell(cell) for cell in row) for row in published["rows"])
    return Table(f"{part['paper']} as published", tuple(published["columns"]), rows)


def _in_numbers(parts: Parts) -> list[Table]:
    found = parts["agreement"]["result"]
    names = found["columns"]
    rows = [
        (criterion_style(name).label, *(f"{_cell(row[m])} ({_span(found['intervals'][name][m])})" for m in names))
        for name, row in found["table"].items()
    ]
    chance = [
        (
            title,
            f"{each['value']:.3f}",
            " to ".join(f"{end:.3f}" for end in each["expected"] or ()) or "no formula",
            f"{each['mean']:.4f}",
            " to ".join(f"{end:.4f}" for end in each["interval"]),
            str(each["draws"]),
        )
        for title, each in ((names[m], found["random"][m]) for m in names)
    ]
    told = ("", "one draw", "where 95 % of draws lie", "mean of all draws", "95 % t-interval of the mean", "draws")
    return [
        Table("In numbers, with intervals over the images", ("Criterion", *names.values()), tuple(rows)),
        Table("What chance gives: random rankings", told, tuple(chance)),
    ]


def _speed(parts: Parts, measured: Values) -> list[Table]:
    sizes, times = parts["speed"]["result"]["networks"], measured["speed"]["latency"]
    rows = []
    for name, size in sizes.items():
        facts = [f"{size['maps']:.1%}", f"{size['parameters']:,}", _flops(size["flops"]), f"{size['accuracy']:.1%}"]
        for of_batch in times.values():
            own, full = of_batch[name], of_batch["full"]
            ratio = "" if name == "full" else f", {full['median'] / own['median']:.1f}x"
            quartiles = f"{own['lower_quartile']:.2f}–{own['upper_quartile']:.2f}"
            facts.append(f"{own['median']:.2f} ms ({quartiles}){ratio}")
        rows.append((name, *facts))
    columns = ("Network", "Maps", "Parameters", "FLOPs", "Accuracy", *(f"Latency, batch {batch}" for batch in times))
    return [Table("Sizes, accuracy and latency", columns, tuple(rows))]


def _flops(count: float) -> str:
    return f"{count / 1e9:.2f} G" if count >= 1e9 else f"{count / 1e6:.1f} M"


def _span(ends: Sequence[Any]) -> str:
    return " to ".join(map(_cell, ends))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


TABLES: dict[str, Callable[[Parts], list[Table]]] = {"agreement": _in_numbers}


def findings(part: Values, measured: Values) -> Sequence[Values]:
    """The paper's findings and whether they hold, those that rest on timings included."""
    return [*part["findings"], *measured.get(part["name"], {}).get("findings", ())]
