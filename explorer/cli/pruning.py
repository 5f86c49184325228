"""The command that prunes step by step, and keeps the run in a folder."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from explorer import procedure
from explorer.cli.keeping import Splits, check_out, run_to_the_end
from explorer.cli.options import Request, requests
from explorer.cli.output import table, write_json
from explorer.cli.scoring import SUMMARIES
from explorer.cli.subject import Subject, open_subject
from explorer.costs import FLOPS_CONVENTION
from explorer.criteria import CRITERIA
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.finetune import OPTIMIZERS, Recipe
from explorer.plan import MEASURES, to_json
from explorer.ranking import FLOPS_PENALTY, SCALINGS
from explorer.runs import Run
from explorer.timeline import Metrics, removed_at

PAPER = Recipe()


class Target(click.ParamType):
    """What to prune until: a measure, and the share of it that is left."""

    name = "|".join(f"{measure}=SHARE" for measure in MEASURES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Measure and share; `explorer.plan.check_target` judges them."""
        measure, _, share = value.partition("=")
        try:
            return measure, float(share)
        except ValueError:
            self.fail(f"{value!r} is not of the form {self.name}, such as flops=0.5.", param, ctx)


@click.command(epilog=f"Criteria:\n\n{SUMMARIES}")
@requests()
@click.option("--criterion", type=click.Choice(list(CRITERIA)), required=True, help="How to value units.")
@click.option(
    "--until",
    type=Target(),
    metavar=Target.name,
    required=True,
    help="Stop when at most this share (0 to 1) of it is left.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", required=True, help="Folder for the run.")
@click.option(
    "--step", type=click.IntRange(min=1), help="Units removed between two rankings.  [default: 1 % of all, at least 1]"
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
    "--flops-penalty",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help=f"A map's MFLOPs count this much against it; paper: {FLOPS_PENALTY:g}.",
)
@click.option("--learning-rate", type=float, default=PAPER.learning_rate, show_default=True, help="Of fine-tuning.")
@click.option("--momentum", type=float, default=PAPER.momentum, show_default=True, help="Of fine-tuning.")
@click.option("--weight-decay", type=float, default=PAPER.weight_decay, show_default=True, help="Of fine-tuning.")
@click.option(
    "--minibatch", type=click.IntRange(min=1), default=PAPER.batch_size, show_default=True, help="Images an update."
)
@click.option(
    "--optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    default=PAPER.optimizer,
    show_default=True,
    help="Of fine-tuning.",
)
@click.option("--resume", is_flag=True, help="Go on with the run of the same settings that RUN holds; else start it.")
def prune(request: Request, until: tuple[str, float], out: Path, resume: bool, **options: Any) -> None:
    """Prune step by step until a target is reached, and keep the run in a folder.

    Before each step, saliencies are estimated anew on the calibration images; after it, the network is fine-tuned
    on the finetune images where --updates asks for it, and evaluated on the validation images. RUN gets run.json
    with every step, and network.safetensors once the target is reached. A run that is stopped before, in whatever
    way, goes on with --resume from the last step that RUN holds, and ends as it would have ended without the stop.
    """
    check_out(out, resume)
    settings = _settings(until, options)  # a bad one is refused before the network is opened
    subject = open_subject(request)
    step = options["step"] or max(1, round(len(subject.network.units) / 100))
    settings = dataclasses.replace(settings, step=step, seed=subject.seed)
    splits = _splits(subject, settings)
    run = run_to_the_end(subject, settings, splits, out)
    _show(subject, settings, run, splits["validation"])
    write_json(request.json, subject.result(_results(subject, run), *splits.values(), out=str(out), **run.settings))


def _settings(until: tuple[str, float], options: Mapping[str, Any]) -> procedure.Settings:
    recipe = Recipe(
        options["learning_rate"],
        options["momentum"],
        options["weight_decay"],
        options["minibatch"],
        options["optimizer"],
    )
    if not math.isfinite(options["flops_penalty"]):
        raise BadInput(f"--flops-penalty {options['flops_penalty']} must be a finite number.")
    return procedure.Settings(
        criterion=options["criterion"],
        measure=until[0],
        target=until[1],
        scaling=options["scaling"],
        flops_penalty=options["flops_penalty"],
        step=options["step"] or 1,
        updates=options["updates"],
        recipe=recipe,
    )


def _splits(subject: Subject, settings: procedure.Settings) -> Splits:
    """The images of every job; those for fine-tuning only where there is any."""
    finetune = {"finetune": subject.batches("finetune")} if settings.updates else {}
    return {"calibration": subject.calibration(), **finetune, "validation": subject.batches("validation")}


def _results(subject: Subject, run: Run) -> dict[str, Any]:
    assert run.timeline is not None, "a finished run has one"
    before, after = (_figures(state.metrics) for state in (run.timeline.root, run.timeline.state))
    units = subject.network.units
    return {"before": before, "after": after, "removed": to_json(units, removed_at(run.timeline.state, len(units)))}


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
    title = f"{subject.network.name} pruned by {CRITERIA[settings.criterion].title}, {steps} steps"
    stage = f"after fine-tuning ({settings.updates} updates a step)" if settings.updates else "before fine-tuning"
    notes = [
        f"Measured on {validation.describe()}, on {subject.network.device}, {stage}.",
        f"FLOPs: {FLOPS_CONVENTION}.",
    ]
    table(title, ("What", "Before", "After", "Change"), rows, notes)
