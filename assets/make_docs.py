"""Writes what the documentation takes from the code: `python assets/make_docs.py`.

In README.md, .github/CONTRIBUTING.md and assets/docs, what stands between two lines of comment,

    <!-- made by assets/make_docs.py: NAME -->
    <!-- end -->

is one of the BLOCKS below; in explorer/cli/help, what each command says to --help. Tests say when to run this again.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import click

import explorer
from explorer.cli import COMMANDS, HELP, commands
from explorer.core.bounds import BOUNDS
from explorer.core.glossary import FIRST, GROUPS, TERMS
from explorer.data import SOURCES
from explorer.export.formats import FORMATS, Format
from explorer.pruning.goals import GOALS
from explorer.pruning.selectors import SELECTORS
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.ranking import PRICES, SCALINGS
from explorer.speed.engines import ENGINES
from explorer.training import schedules
from explorer.ui.lesson.reading import PAGES, SETTINGS
from explorer.ui.lesson.sightings import SIGHTINGS

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- made by assets/make_docs.py: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Everything that people read."""
    return [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted((ROOT / "assets" / "docs").glob("*.md"))]


def renewed(text: str) -> str:
    """A page with each of its blocks as the code has it now."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    head, body = [*columns], [[str(cell).replace("|", r"\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(line)} |" for line in (head, *body)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def code(text: str) -> str:
    """Inline code."""
    return f"`{text}`"


def first_line(described: object) -> str:
    """Of a docstring."""
    return (inspect.getdoc(described) or "").partition("\n")[0]


def glossary() -> str:
    """A table for each group of terms."""
    columns = ("word", "what it means", "where")
    tables = (
        (title, table(columns, ((f"**{t.word}**", t.means, code(t.where)) for t in terms)))
        for title, terms in GROUPS.items()
    )
    return "\n\n".join(f"## {title}\n\n{rows}" for title, rows in tables)


def words() -> str:
    """The terms that nobody gets by without."""
    return "\n".join(f"- **{word}**: {TERMS[word].means}" for word in FIRST)


def criteria() -> str:
    """One row a criterion."""
    rows = ((code(c.name), c.summary, c.cost, c.source) for c in CRITERIA.values())
    return table(("name", "what it is; higher means keep", "cost", "source"), rows)


def selectors() -> str:
    """Those that are no criterion."""
    rows = ((code(s.name), s.summary, s.cost, s.source) for s in SELECTORS.values() if s.name not in CRITERIA)
    return table(("name", "what it chooses by", "cost", "source"), rows)


def scalings() -> str:
    """One row a scaling."""
    return table(("name", "what it makes of a layer's saliencies"), named(SCALINGS, first_line))


def prices() -> str:
    """One row a price."""
    return table(
        ("name", "unit", "what a unit is charged for"), ((code(p.name), p.unit, p.summary) for p in PRICES.values())
    )


def goals() -> str:
    """One row a goal."""
    return table(("`--until`", "what it says"), ((code(f"{g.name}={g.number}"), g.summary) for g in GOALS.values()))


def rates() -> str:
    """One row a schedule of the learning rate."""
    return table(("name", "the learning rate"), named(schedules.SCHEDULES, first_line))


def engines() -> str:
    """One row an engine that `speed` times."""
    return table(("name", "what it is"), named(ENGINES, lambda engine: engine.summary))


def formats() -> str:
    """One row an export format."""
    rows = ((code(f.name), code(f.file_name), f.description, _runs(f)) for f in FORMATS.values())
    return table(("`--format`", "file", "what it is", "opening it"), rows)


def _runs(form: Format) -> str:
    needs = f"; needs `pip install 'pruning-explorer[{form.extra}]'`" if form.extra else ""
    return ("runs its maker's code" if form.code else "runs no code from it") + needs


def bounds() -> str:
    """One row a reader."""
    rows: dict[str, list[str]] = {}
    for bound in BOUNDS:
        rows.setdefault(bound.reader, []).append(bound.shown(bound.most))
    return table(("reader", "at most"), ((reader, ", ".join(most)) for reader, most in rows.items()))


def sources() -> str:
    """What --data may be."""
    return "\n".join(f"- `{source}`" for source in SOURCES)


def sightings() -> str:
    """What a step of a lesson can show."""
    return table(("`seen`", "the sentence says"), named(SIGHTINGS, lambda sighting: sighting.what))


def lesson_settings() -> str:
    """The controls that a step of a lesson can set."""
    rows = ((code(name), setting.what, setting.may_be) for name, setting in SETTINGS.items())
    return table(("`settings`", "what it sets", "to what"), rows)


def lesson_pages() -> str:
    """The pages that a step of a lesson can be on."""
    return ", ".join(map(code, PAGES))


def named(rows: Mapping[str, Any], told: Callable[[Any], str]) -> list[tuple[str, str]]:
    """Name and description of each row of a table."""
    return [(code(name), told(row)) for name, row in rows.items()]


def options() -> str:
    """Those that every command about a network has."""
    command = _command("inspect")
    return "\n".join(_option(each, click.Context(command)) for each in command.params if each.name in shared())


@cache
def shared() -> frozenset[str | None]:
    """Names of the options that every command with --arch has."""
    names = [
        frozenset(each.name for each in _command(name).params if isinstance(each, click.Option)) for name in COMMANDS
    ]
    return frozenset.intersection(*(found for found in names if "arch" in found))


def reference() -> str:
    """Every command, with the options that it alone has."""
    return "\n\n".join(map(_described, COMMANDS))


def _command(name: str) -> click.Command:
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    return found


def help_of(name: str) -> str:
    """What a command's --help says, as terminals of 80 columns have it."""
    within = click.Context(commands, info_name="pruning-explorer", terminal_width=78, **commands.context_settings)
    command = copy.copy(_command(name))
    command._help_option = None  # click keeps the one of the first context that asked, which may have other names
    return command.get_help(click.Context(command, within, name))


def _described(name: str) -> str:
    command = _command(name)
    context = click.Context(command, info_name=name)
    usage = " ".join(["pruning-explorer", name, *command.collect_usage_pieces(context)])
    of_network = any(each.name == "arch" for each in command.params)
    common = shared() if of_network else frozenset()
    own = [each for each in command.params if isinstance(each, click.Option) and each.name not in common]
    also = ["And the options that [all of them take](#options-of-every-command-about-a-network)."] if of_network else []
    listed = "\n".join(_option(each, context) for each in own)
    return "\n\n".join(
        [f"### {name}", f"    {usage}", inspect.cleandoc(command.help or ""), *filter(None, [listed]), *also]
    )


def _option(option: click.Parameter, context: click.Context) -> str:
    written, told = option.get_help_record(context) or ("", "")
    return f"- `{written}`: {' '.join(told.split())}"


def python() -> str:
    """Every public function, as its docstring tells of it."""
    functions = [getattr(explorer, name) for name in explorer.__all__ if name != "__version__"]
    return "\n\n".join(map(_function, sorted(functions, key=lambda function: function.__code__.co_firstlineno)))


def _function(function: FunctionType) -> str:
    name = function.__name__
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))  # annotations are texts there
    return f"### {name}\n\n    {name}{signature}\n\n{inspect.getdoc(function)}"


BLOCKS: dict[str, Callable[[], str]] = {
    "glossary": glossary,
    "words": words,
    "criteria": criteria,
    "selectors": selectors,
    "scalings": scalings,
    "prices": prices,
    "goals": goals,
    "schedules": rates,
    "engines": engines,
    "formats": formats,
    "bounds": bounds,
    "sources": sources,
    "sightings": sightings,
    "lesson-settings": lesson_settings,
    "lesson-pages": lesson_pages,
    "options": options,
    "reference": reference,
    "python": python,
}


def main() -> None:
    """Renew every page, and the help of every command."""
    for page in pages():
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    for name in COMMANDS:
        (HELP / f"{name}.txt").write_text(help_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
