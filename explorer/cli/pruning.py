"""The command that prunes step by step, and keeps the run in a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from explorer.cli.limit_options import limit_options, limits_of
from explorer.cli.options import NamedNumber, Request, requests
from explorer.cli.output import progress, write_json
from explorer.cli.own_criteria import FORM, CriterionName
from explorer.cli.prune_report import results, settings_json, show
from explorer.cli.recipe_options import distillation_options, recipe_of, recipe_options, updates_option
from explorer.cli.run_storage import IN_USE, OTHER_RUN, check_out, run_to_end, stoppable
from explorer.cli.scoring import summaries
from explorer.cli.scratch_control import check_control, controlled
from explorer.cli.subject import Subject, open_subject, tell_unexportable
from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.data import Splits
from explorer.pruning.goals import GOALS
from explorer.pruning.joint import SHARE_PER_LINEARISATION
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import CALIBRATION, EVIDENCE, Settings
from explorer.runs.pruning_runs import Pruning, kept_run, pruning_run
from explorer.runs.store import Run
from explorer.scoring.ranking import FLOPS_PENALTY, PRICES, SCALINGS

TARGET = NamedNumber(GOALS, [goal.number for goal in GOALS.values()], "flops=0.5")
TARGET_SUMMARIES = "\n\n".join(f"{goal.name}={goal.number}: {goal.summary}" for goal in GOALS.values())
EVIDENCE_SUMMARIES = " ".join(f"{name}: {summary}" for name, summary in EVIDENCE.items())
PRICE = NamedNumber(PRICES, "PENALTY", f"flops={FLOPS_PENALTY:g}")
PRICE_SUMMARIES = "\n\n".join(f"{price.name}: {price.summary}" for price in PRICES.values())
CRITERIA_SUMMARIES = summaries(SELECTORS.values())


CUT_ANEW = "RUN gets no network.safetensors: commands with the same --arch prune the original again as the run did."
EPILOG = f"Targets:\n\n{TARGET_SUMMARIES}\n\nCriteria:\n\n{CRITERIA_SUMMARIES}\n\nPrices:\n\n{PRICE_SUMMARIES}"


@click.command(epilog=EPILOG)
@requests()
@click.option(
    "--criterion",
    type=CriterionName(list(SELECTORS)),
    required=True,
    help=f"How to value units; or your own {FORM}.",
)
@click.option(
    "--until",
    type=TARGET,
    metavar=TARGET.name,
    required=True,
    help="How far to prune; see Targets.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", required=True, help="Folder for the run.")
@click.option(
    "--step",
    type=click.IntRange(min=1),
    help="Units removed between two rankings.  "
    f"[default: 1 % of all, at least 1; joint: {SHARE_PER_LINEARISATION:.0%}, or more while they change nothing]",
)
@updates_option
@click.option(
    "--evidence",
    type=click.Choice(list(EVIDENCE)),
    default=CALIBRATION,
    show_default=True,
    help=f"What rankings come from. {EVIDENCE_SUMMARIES}",
)
@click.option(
    "--scaling",
    type=click.Choice(list(SCALINGS)),
    default="l2",
    show_default=True,
    help="How saliencies are scaled, layer by layer.",
)
@click.option(
    "--price",
    type=PRICE,
    metavar=PRICE.name,
    help="The price of a unit counts this much against its scaled saliency.  [default: no price]",
)
@click.option(
    "--flops-penalty",
    type=click.FloatRange(min=0),
    help=f"The same as --price flops=PENALTY; the paper's is {FLOPS_PENALTY:g}.",
)
@limit_options
@recipe_options
@distillation_options
@click.option(
    "--least-accuracy",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="A budget beside the target: the accuracy (0 to 1) stays at least this.",
)
@click.option(
    "--keep-weights",
    type=click.Choice(("all", "last")),
    default="all",
    show_default=True,
    help="Fine-tuned steps whose weights RUN keeps; last takes the least room on the disk.",
)
@click.option(
    "--from-scratch",
    is_flag=True,
    help="Then train the final shape from fresh weights by the same recipe, with as many updates, as a control.",
)
@click.option("--scratch-updates", type=click.IntRange(min=1), help="The same, with this many updates.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in RUN, which has the same settings; where there is none, start it.",
)
def prune(request: Request, until: tuple[str, float], out: Path, resume: bool, **options: Any) -> None:
    """Prune step by step until a target is reached, and keep the run in a folder.

    Before each step, saliencies are estimated anew on the calibration images; after it, the network is fine-tuned
    on the finetune images where --updates asks for it, and evaluated on the validation images. Criteria that read the
    weights alone prune without images too; losses and accuracies are not measured then. RUN gets run.json with every
    step, and once the target is reached network.safetensors, if the network can be exported. A run that is stopped
    before, in whatever way, goes on with --resume from the last step that RUN holds, and ends as it would have ended
    without the stop. The weights of every fine-tuned step stay in RUN, unless --keep-weights last is given.
    Prices and targets of latency are measured, and so anew when a run starts or goes on: no two runs need be the same.
    """
    check_out(out, resume)
    check_control(options)
    settings = _settings(until, options)  # a bad one is refused before the network is opened
    reads = _reads_images(settings, options)
    subject = open_subject(request, needs_images=bool(reads), reads=reads, needs_units=True, written=True)
    tell_unexportable(subject.network, CUT_ANEW)
    settings = _completed(settings, options, subject)
    splits = subject.splits(settings.updates)
    with sole_writer(out, IN_USE):
        run = _to_the_end(subject, settings, splits, out, last_weights=options["keep_weights"] == "last")
        run = controlled(subject, settings, run, out, options)
    show(subject, settings, run, splits.get("validation"))
    found = results(subject, settings, run)
    write_json(request.json, subject.result(found, *splits.values(), out=str(out), **settings_json(run)))


def _completed(settings: Settings, options: Mapping[str, Any], subject: Subject) -> Settings:
    """The settings with what takes a network to know."""
    units = subject.network.units
    selector, limits = SELECTORS[settings.criterion], limits_of(options, units)
    step = options["step"] or selector.default_step(units)
    further = selector.anew and not (options["step"] or settings.updates)
    return dataclasses.replace(settings, step=step, further=further, seed=subject.seed, limits=limits)


def _reads_images(settings: Settings, options: Mapping[str, Any]) -> str:
    """The option that can't do without images; "" where all can."""
    scratch = options["scratch_updates"]
    return settings.reads_images or (f"scratch-updates {scratch}" if scratch else "")


def _settings(until: tuple[str, float], options: Mapping[str, Any]) -> Settings:
    if options["price"] and options["flops_penalty"] is not None:
        raise BadInput("--flops-penalty is a price too: give it or --price, not both.")
    price, penalty = options["price"] or ("flops", options["flops_penalty"] or 0.0)
    return Settings(
        criterion=options["criterion"],
        measure=until[0],
        target=until[1],
        scaling=options["scaling"],
        price=price,
        penalty=penalty,
        step=options["step"] or 1,
        limits=limits_of(options),
        updates=options["updates"],
        recipe=recipe_of(options),
        least_accuracy=options["least_accuracy"],
        evidence=options["evidence"],
    )


def _to_the_end(subject: Subject, settings: Settings, splits: Splits, out: Path, *, last_weights: bool) -> Run:
    """The run that the folder holds, as it is if finished, else taken to its end; or a new one."""
    network, request = subject.network, subject.request
    asked = pruning_run(network, splits, settings, network_from=request.network, images_from=subject.images_from)
    with (
        stoppable(out, "the steps so far: --resume goes on with them"),
        progress(f"Pruning by {SELECTORS[settings.criterion].title}") as report,
    ):
        pruning = Pruning(network, splits, settings)
        runs = kept_run(pruning, asked, out, OTHER_RUN, last_weights=last_weights, report=report)
        return run_to_end(out, runs, "step")
