"""Command line: in come words, out files, tables, and one line where something is wrong.

Nothing here imports torch before a command needs it: the app must be up in a second.
"""

from __future__ import annotations

import importlib
import json
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from explorer import __version__
from explorer.core.errors import BadInput
from explorer.core.text import one_line

PACKAGES = ("torch", "torchvision", "torch-pruning", "streamlit", "plotly", "numpy", "click", "timm", "onnxruntime")
COMMANDS = {
    "app": ("explorer.cli.app", "Start the app, as the program does without a command."),
    "inspect": ("explorer.cli.inspecting", "List layers, units, parameters, FLOPs, and what can't be pruned and why."),
    "score": ("explorer.cli.scoring", "Compute the saliency of every unit."),
    "oracle": ("explorer.cli.oracle", "Measure what removing each single unit does to the loss."),
    "correlate": ("explorer.cli.correlating", "Compare every criterion's ranking with the oracle's."),
    "prune": ("explorer.cli.pruning", "Prune step by step until a target is reached, and keep the run in a folder."),
    "race": ("explorer.cli.racing", "Prune by several criteria on equal terms, over several seeds, and compare them."),
    "study": ("explorer.cli.studying", "Measure the paper's tables and figures, beside the published ones."),
    "finetune": (
        "explorer.cli.finetuning",
        "Fine-tune an architecture on your own images, for a network to prune.",
    ),
    "export": ("explorer.cli.exporting", "Write a run's network to files that load without its class, with a proof."),
    "share": ("explorer.cli.sharing", "Make one HTML file of a run, to be explored in any browser."),
    "verify": ("explorer.cli.exporting", "Load exported files in a clean process and compare their outputs."),
    "speed": (
        "explorer.cli.speeding",
        "Time a run's network before and after pruning, in turns, under many conditions.",
    ),
    "replay": ("explorer.cli.replaying", "Remove the units of an exported plan from the original network again."),
    "check": ("explorer.cli.checking", "Check every kept file of a work folder or a run against its SHA-256."),
    "evaluate": ("explorer.cli.inspecting", "Measure loss, accuracy, parameters, FLOPs and latency."),
}
"""Command -> the module that holds it under its own name, and what it does."""
HELP = Path(__file__).parent / "help"  # of each command, written by assets/make_docs.py: its options need seconds
HELP_OPTIONS = ["-h", "--help"]


class Commands(click.Group):
    """The commands, each imported when it is called."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """No command at all means the app; a command's help is read, and nothing imported for it."""
        name, *words = args or ["app"]
        if name in COMMANDS and any(word in HELP_OPTIONS for word in words):
            click.echo(HELP.joinpath(f"{name}.txt").read_text(encoding="utf-8"))
            ctx.exit()
        return super().parse_args(ctx, [name, *words])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table as help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": HELP_OPTIONS})
@click.option("--version", is_flag=True, help="Show the version, and do nothing else.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="With --version: the machine and the packages too, as a bug report needs them.",
)
@click.pass_context
def commands(context: click.Context, version: bool, as_json: bool) -> None:
    """Explore and prune convolutional networks.

    NETWORK is "demo", a checkpoint (with --arch), an exported file, or a run folder.
    """
    if as_json and not version:
        raise click.UsageError("--json belongs after a command, or beside --version.")
    if version:
        click.echo(json.dumps(surroundings(), indent=1) if as_json else f"pruning-explorer {__version__}")
        context.exit()


def surroundings() -> dict[str, Any]:
    """The versions and the system that the project runs on here, for an issue: no path, no person, no computer."""
    import torch

    from explorer.core.device import available, title
    from explorer.core.versions import versions

    system = [platform.system(), *re.findall(r"^[\d.]*\d", platform.release()), platform.machine()]
    return {
        "versions": versions(PACKAGES),
        "system": " ".join(system),
        "devices": {name: title(name) for name in available()},
        "threads": torch.get_num_threads(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with 0, with 2 and one clear line for bad input, or with 1 for everything else."""
    try:
        sys.exit(commands.main(arguments, prog_name="pruning-explorer", standalone_mode=False) or 0)
    except (click.ClickException, BadInput) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(one_line(f"Error: {' '.join(message.split())}"), err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Cancelled; nothing was written.", err=True)
        sys.exit(1)
    except Exception as error:  # the boundary: an unexpected error becomes a sentence, never a traceback
        told = _unforeseen(error, sys.argv[1:] if arguments is None else arguments)
        click.echo(one_line(f"Error: {told}"), err=True)
        sys.exit(1)


def _unforeseen(error: Exception, arguments: Sequence[str]) -> str:
    from explorer.core.reports import failure

    return failure(error, f"the command {_asked(arguments)}").sentence


def _asked(arguments: Sequence[str]) -> str:
    """The command and the names of the options that were given: their values may be a person's own."""
    name = next((each for each in arguments if each in COMMANDS), "app")
    command = commands.get_command(click.Context(commands), name)
    known = {option for each in (command.params if command else ()) for option in (*each.opts, *each.secondary_opts)}
    given = dict.fromkeys(each.partition("=")[0] for each in arguments)
    return " ".join([name, *(each for each in given if each in known and each.startswith("-"))])
