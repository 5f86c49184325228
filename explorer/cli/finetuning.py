"""The command that makes a network for one's own classes out of weights trained on others."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from explorer.cli.options import Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.recipe_options import recipe_of, recipe_options
from explorer.cli.run_storage import IN_USE, OTHER_RUN, check_out, run_to_end
from explorer.cli.subject import Subject, open_subject, tell_account, tell_unexportable
from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.data import Batches, Splits
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.networks.costs import measure_costs
from explorer.runs.store import Run
from explorer.runs.tuning_runs import start_of, tuned, tuning_run
from explorer.runs.tunings import Tuning
from explorer.training.finetune import IMAGENET, NONE, Recipe

WEIGHTS_ALONE = "RUN gets its weights alone: open them as a checkpoint, with the same --arch."
WEIGHTS = click.option(
    "--weights",
    "network",
    default=IMAGENET,
    show_default=True,
    metavar=f"{IMAGENET}|{NONE}|FILE|RUN",
    help="What --arch starts from: published weights, downloaded where they are not on this disk; a "
    f"checkpoint; or {NONE}. Without --arch: a run or an export, pruned or not.",
)


@click.command()
@requests(WEIGHTS)
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Passes over the images.")
@recipe_options
@click.option("--out", type=click.Path(path_type=Path), metavar="RUN", required=True, help="Folder for the run.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in RUN, which has the same settings; where there is none, start it.",
)
def finetune(request: Request, epochs: int, out: Path, resume: bool, **options: Any) -> None:
    """Fine-tune an architecture on your own images, or a run's network once more, and keep the run in a folder.

    An architecture gets a new head for the classes of --data; a run's network, which may be pruned, is taken as it is.
    All weights are updated, on the finetune images, by the paper's recipe unless options say otherwise, and measured
    on the validation images after every epoch. The folder of --out is a network for every other command. A run that is
    stopped goes on with --resume after the last epoch that this folder holds, and ends as it would have ended without
    the stop.
    """
    check_out(out, resume)
    recipe = recipe_of(options)  # a bad one is refused before anything is opened
    subject, splits, run = finetuned(request, recipe, epochs, out)
    states = [dataclasses.asdict(state.metrics) for state in run.states.states.values()]
    write_json(request.json, subject.result({"epochs": states}, *splits.values(), out=str(out), **run.settings))


def finetuned(request: Request, recipe: Recipe, epochs: int, out: Path) -> tuple[Subject, dict[str, Batches], Run]:
    """The network at its start, its images, and the run that the folder keeps, taken to its end and shown."""
    subject, splits = _opened(request)
    tell_unexportable(subject.network, WEIGHTS_ALONE)
    with sole_writer(out, IN_USE):
        run = _train_to_the_end(subject, splits, recipe, epochs, out)
    _show(subject, run, splits["validation"])
    return subject, splits, run


def _opened(request: Request) -> tuple[Subject, dict[str, Batches]]:
    """The network at its start, and the images that it is trained and measured on."""
    again = request.arch is None and request.network not in (IMAGENET, NONE)
    subject = open_subject(request) if again else _fresh(request)
    return subject, {
        "finetune": subject.batches("finetune", request.limit),
        "validation": subject.batches("validation"),
    }


def _fresh(request: Request) -> Subject:
    """An architecture with a head for the classes of the images."""
    if not request.arch or not request.data:
        raise BadInput("Give --arch, the architecture, and --data, the images that it is to learn.")
    tuning = Tuning(request.arch, request.network, data=request.data, seed=request.seed or 0, changes=request.changes)
    with progress(f"Opening {request.arch}"):
        network, images = start_of(
            tuning,
            lambda path: read_checkpoint(Path(path)),
            device=request.device,
            download=request.download,
            trusted=True,
        )
        tell_account(images)
    return Subject(request, network, measure_costs(network), images, None, tuning.seed)


def _train_to_the_end(subject: Subject, splits: Splits, recipe: Recipe, count: int, out: Path) -> Run:
    """The run that the folder holds, as it is if finished, else taken to its end; or a new one."""
    request = subject.request
    tuning = tuning_run(
        subject.network, splits, recipe, count, network_from=request.network, images_from=subject.images_from
    )
    with progress("Fine-tuning") as report:
        return run_to_end(out, tuned(subject.network, splits, tuning, out, OTHER_RUN, report), "epoch")


def _show(subject: Subject, run: Run, validation: Batches) -> None:
    rows = [[place, state.metrics.loss, f"{state.metrics.accuracy:.2%}"] for place, state in run.states.states.items()]
    notes = [f"Measured on {validation.describe()}, on {subject.network.device}; epoch 0 is before fine-tuning."]
    notes += filter(None, [subject.network.origin])
    table(f"{subject.network.arch} fine-tuned", ("Epoch", "Loss, nats", "Accuracy"), rows, notes)
