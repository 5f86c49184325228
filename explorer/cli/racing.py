"""The command that races criteria: the same network, steps and updates for each, over several seeds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from explorer.cli.limit_options import limit_options, limits_of
from explorer.cli.options import Request, requests
from explorer.cli.output import check_writable, progress, tell, write_json
from explorer.cli.own_criteria import FORM, imported_criterion, own_criteria
from explorer.cli.pruning import TARGET
from explorer.cli.race_report import overlaps, show, write_page
from explorer.cli.recipe_options import distillation_options, recipe_of, recipe_options, updates_option
from explorer.cli.run_storage import IN_USE
from explorer.cli.subject import Subject, open_subject
from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.data import Splits
from explorer.figures.curve import AGAINST, QUANTITIES
from explorer.pruning.limits import with_layers_kept
from explorer.pruning.race import Race, RaceTerms, check
from explorer.pruning.race_bands import LATENCY
from explorer.pruning.selectors import SELECTORS, selectors_for
from explorer.pruning.settings import Settings
from explorer.runs import run_folders
from explorer.runs.race_folders import FILE, begin_race, kept_race
from explorer.scoring.ranking import SCALINGS

ALL = "all"


@click.command()
@requests()
@click.option(
    "--criteria",
    metavar="a,b,c|all",
    default="taylor,random",
    show_default=True,
    help=f"The selectors that race: {', '.join(SELECTORS)}, your own {FORM}; {ALL}: each that can score the network.",
)
@own_criteria
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="The number of seeds, from --seed upwards.",
)
@click.option(
    "--until", type=TARGET, metavar=TARGET.name, required=True, help="Stop when at most this share of it is left."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the race.")
@click.option(
    "--step", type=click.IntRange(min=1), help="Units removed in each step.  [default: 2 % of all, at least 1]"
)
@updates_option
@click.option(
    "--scaling",
    type=click.Choice(list(SCALINGS)),
    default="l2",
    show_default=True,
    help="How saliencies are scaled, layer by layer; random ones never are.",
)
@limit_options
@recipe_options
@distillation_options
@click.option("--latency", is_flag=True, help="Time every pruned network, in turn with the one as given.")
@click.option("--resume", is_flag=True, help="Go on with the same race in DIR: run the lanes that are missing.")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Write the curves as a web page.")
@click.option(
    "--show",
    "quantity",
    type=click.Choice(list(QUANTITIES)),
    default="accuracy",
    show_default=True,
    help="What the figure shows.",
)
@click.option(
    "--against", type=click.Choice(list(AGAINST)), default="units", show_default=True, help="What it is drawn against."
)
def race(request: Request, out: Path, resume: bool, figure: Path | None, **options: Any) -> None:
    """Race criteria: the same network, images, steps and fine-tuning for each, over several seeds.

    A lane is one criterion with one seed, from the network as given to the target. It is measured on the validation
    images after every step, before and after the step's fine-tuning. The seed decides the order of the minibatches,
    dropout and chance; where it decides nothing, as for most criteria without updates, there is one lane for all
    seeds. DIR gets race.json and a file of every finished lane; a race that is stopped goes on with --resume.
    """
    _check_files(out, resume, figure)
    if options["against"] == LATENCY and not options["latency"]:
        raise BadInput("--against latency needs --latency: only what was timed can be drawn.")
    asked = _terms(options)  # bad ones are refused before the network is opened
    subject = open_subject(request, needs_units=True)
    terms = _for_subject(asked, subject, options)
    splits = subject.splits(terms.settings.updates)
    lanes = _run(subject, terms, splits, out)
    notes = show(subject, terms, splits["validation"], lanes)
    if figure is not None:
        write_page(figure, lanes, options["quantity"], options["against"], notes)
    found = {"lanes": [asdict(lane) for lane in lanes], "overlap": overlaps(terms, lanes)}
    write_json(request.json, subject.result(found, *splits.values(), out=str(out), **asdict(terms)))


def _check_files(out: Path, resume: bool, figure: Path | None) -> None:
    check_writable(out, "--out", folder=True)
    if (out / FILE).is_file() and not resume:
        raise BadInput(f"--out {out} already holds a {FILE}: give another folder, or --resume to go on with that race.")
    if figure is not None:
        check_writable(figure, "--figure")


def _terms(options: Mapping[str, Any]) -> RaceTerms:
    """The terms as far as they are known without the network."""
    settings = Settings(
        measure=options["until"][0],
        target=options["until"][1],
        scaling=options["scaling"],
        step=options["step"] or 1,
        limits=limits_of(options),
        updates=options["updates"],
        recipe=recipe_of(options),
    )
    named = SELECTORS if options["criteria"] == ALL else map(str.strip, options["criteria"].split(","))
    selectors = [imported_criterion(name) if ":" in name else name for name in named]
    beside = [name for name in options["own"] if name not in selectors]
    return RaceTerms((*selectors, *beside), tuple(range(options["seeds"])), settings, options["latency"])


def _for_subject(asked: RaceTerms, subject: Subject, options: Mapping[str, Any]) -> RaceTerms:
    network = subject.network
    step = options["step"] or max(1, round(len(network.units) / 50))
    limits = with_layers_kept(network.units, options["keep"], asked.settings.limits)
    return replace(
        asked,
        selectors=tuple(selectors_for(network)) if options["criteria"] == ALL else asked.selectors,
        seeds=tuple(subject.seed + seed for seed in asked.seeds),
        settings=replace(asked.settings, step=step, limits=limits, seed=subject.seed),
    )


def _run(subject: Subject, terms: RaceTerms, splits: Splits, out: Path) -> Race:
    request, network = subject.request, subject.network
    check(network, splits, terms)
    about = run_folders.described(network, splits, {}, network_from=request.network, images_from=subject.images_from)
    lanes: Race = ()
    try:
        with sole_writer(out, IN_USE), progress("Racing") as report:
            begin_race(out, about, terms)
            for so_far in kept_race(network, splits, terms, out, report):
                lanes = so_far
    except KeyboardInterrupt:
        tell(f"Stopped; {out} holds the finished lanes: --resume goes on with the others.")
        sys.exit(1)
    return lanes
