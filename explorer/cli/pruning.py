"""The command that prunes step by step, and keeps the run in a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from explorer import procedure
from explorer.cli.keeping import Splits, check_out, run_to_the_end
from explorer.cli.limiting import limit_options, limits_of
from explorer.cli.options import NamedNumber, Request, requests
from explorer.cli.output import table, write_json
from explorer.cli.recipes import distillation_options, recipe_of, recipe_options
from explorer.cli.scoring import SUMMARIES
from explorer.cli.subject import Subject, open_subject
from explorer.costs import FLOPS_CONVENTION
from explorer.criteria import CRITERIA
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.joint import EVERY, default_step
from explorer.limits import keeping
from explorer.networks.units import Units
from explorer.plan import MEASURES, to_json
from explorer.ranking import FLOPS_PENALTY, PRICES, SCALINGS
from explorer.runs import Run
from explorer.selectors import JOINT, SELECTORS
from explorer.timeline import Metrics, removed_at

TARGET = NamedNumber(MEASURES, "SHARE", "flops=0.5")
PRICE = NamedNumber(PRICES, "PENALTY", f"flops={FLOPS_PENALTY:g}")
PRICE_SUMMARIES = "\n\n".join(f"{price.name}: {price.summary}" for price in PRICES.values())
OTHERS = "\n\n".join(f"{name}: {SELECTORS[name].summary}" for name in SELECTORS if name not in CRITERIA)


@click.command(epilog=f"Criteria:\n\n{SUMMARIES}\n\n{OTHERS}\n\nPrices:\n\n{PRICE_SUMMARIES}")
@requests()
@click.option("--criterion", type=click.Choice(list(SELECTORS)), required=True, help="How to value units.")
@click.option(
    "--until",
    type=TARGET,
    metavar=TARGET.name,
    required=True,
    help="Stop when at most this share (0 to 1) of it is left.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", required=True, help="Folder for the run.")
@click.option(
    "--step",
    type=click.IntRange(min=1),
    help="Units removed between two rankings.  "
    f"[default: 1 % of all, at least 1; {JOINT}: {EVERY:.0%}, or more while they change nothing]",
)
@click.option(
    "--updates",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fine-tuning minibatches after each step.",
)
@click.option(
    "--scaling",
    type=click.Choice(list(SCALINGS)),
    default="l2",
    show_default=True,
    help="Of saliencies, layer by layer.",
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
    help=f"The same as --price flops=PENALTY; paper: {FLOPS_PENALTY:g}.",
)
@limit_options
@recipe_options
@distillation_options
@click.option(
    "--least-accuracy",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="On the validation images, 0 to 1: a step that ends below it is the last, and the one before it the result.",
)
@click.option("--resume", is_flag=True, help="Go on with the run of the same settings that RUN holds; else start it.")
def prune(request: Request, until: tuple[str, float], out: Path, resume: bool, **options: Any) -> None:
    """Prune step by step until a target is reached, and keep the run in a folder.

    Before each step, saliencies are estimated anew on the calibration images; after it, the network is fine-tuned
    on the finetune images where --updates asks for it, and evaluated on the validation images. RUN gets run.json
    with every step, and network.safetensors once the target is reached. A run that is stopped before, in whatever
    way, goes on with --resume from the last step that RUN holds, and ends as it would have ended without the stop.
    The weights of every fine-tuned step stay in RUN.
    Only --price latency is measured, and so anew when a run starts or goes on: there no two runs need be the same.
    """
    check_out(out, resume)
    settings = _settings(until, options)  # a bad one is refused before the network is opened
    subject = open_subject(request)
    units = subject.network.units
    limits = keeping(units, options["keep"], settings.limits)
    step = options["step"] or _default_step(settings, units)
    further = settings.criterion == JOINT and not (options["step"] or settings.updates)
    settings = dataclasses.replace(settings, step=step, further=further, seed=subject.seed, limits=limits)
    splits = _splits(subject, settings)
    run = run_to_the_end(subject, settings, splits, out)
    _show(subject, settings, run, splits["validation"])
    write_json(request.json, subject.result(_results(subject, run), *splits.values(), out=str(out), **run.settings))


def _settings(until: tuple[str, float], options: Mapping[str, Any]) -> procedure.Settings:
    if options["price"] and options["flops_penalty"] is not None:
        raise BadInput("--flops-penalty is a price too: give it or --price, not both.")
    price, penalty = options["price"] or ("flops", options["flops_penalty"] or 0.0)
    return procedure.Settings(
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
    )


def _default_step(settings: procedure.Settings, units: Units) -> int:
    return default_step(units) if settings.criterion == JOINT else max(1, round(len(units) / 100))


def _splits(subject: Subject, settings: procedure.Settings) -> Splits:
    """The images of every job; those for fine-tuning only where there is any."""
    finetune = {"finetune": subject.batches("finetune")} if settings.updates else {}
    return {"calibration": subject.calibration(), **finetune, "validation": subject.batches("validation")}


def _results(subject: Subject, run: Run) -> dict[str, Any]:
    assert run.timeline is not None, "a finished run has one"
    before, after = (_figures(state.metrics) for state in (run.timeline.root, run.timeline.state))
    units = subject.network.units
    return {"before": before, "after": after, "removed": to_json(units, removed_at(run.timeline, units))}


def _figures(metrics: Metrics) -> dict[str, Any]:
    return {name: getattr(metrics, name) for name in ("units", "parameters", "flops", "loss", "accuracy")}


def _show(subject: Subject, settings: procedure.Settings, run: Run, validation: Batches) -> None:
    assert run.timeline is not None, "a finished run has one"
    before, after = run.timeline.root.metrics, run.timeline.state.metrics
    rows: list[list[object]] = [
        ["Units", before.units, after.units, f"{after.units / before.units:.1%} left"],
        ["Parameters", before.parameters, after.parameters, f"{after.parameters / before.parameters:.1%} left"],
        ["MFLOPs", before.flops / 1e6, after.flops / 1e6, f"{after.flops / before.flops:.1%} left"],
        ["Loss, nats", before.loss, after.loss, f"{after.loss - before.loss:+.4f}"],
        [
            "Accuracy",
            f"{before.accuracy:.2%}",
            f"{after.accuracy:.2%}",
            f"{100 * (after.accuracy - before.accuracy):+.2f} points",
        ],
    ]
    steps = len(run.timeline.states) - 1
    title = f"{subject.network.name} pruned by {SELECTORS[settings.criterion].title}, {steps} steps"
    stage = f"after fine-tuning ({settings.updates} updates a step)" if settings.updates else "before fine-tuning"
    notes = [
        f"Measured on {validation.describe()}, on {subject.network.device}, {stage}.",
        f"FLOPs: {FLOPS_CONVENTION}.",
    ]
    table(title, ("What", "Before", "After", "Change"), rows, notes)
