"""Criteria on the command line: those of the table, and a person's own, which are imported where they are named."""

from __future__ import annotations

from typing import Any

import click

FORM = "package.module:function"
BESIDE = f"Your own criterion beside the others, {FORM}: it is imported, so its code runs. May be repeated."


class CriterionName(click.Choice):
    """One of these names, or one's own criterion as package.module:function."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; one's own criterion is in the tables from then on."""
        name: str = imported_criterion(value) if ":" in value else super().convert(value, param, ctx)
        return name


def imported_criterion(name: str) -> str:
    """The name of one's own criterion, which is in the tables from then on; the engine is imported only now."""
    from explorer.pruning.own_criterion import import_criterion

    return import_criterion(name)


def imported_criteria(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The `imported_criterion` of each value of an option, without repetitions."""
    return tuple(dict.fromkeys(map(imported_criterion, names)))


own_criteria = click.option("--criterion", "own", multiple=True, metavar=FORM, callback=imported_criteria, help=BESIDE)
"""Give a command the option that names criteria of one's own, as `own`."""
