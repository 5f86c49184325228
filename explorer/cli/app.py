"""The command that starts the app.

It waits for no part of the engine: that is imported beside the server's own start, so that both are there soon.
"""

from __future__ import annotations

import atexit
import gc
import os
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import click

from explorer.cli.hosting import address, are_own, hosts, token_for
from explorer.cli.own_criteria import own_criteria
from explorer.core import workdir as places
from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.ui.frame import imports

SCRIPT = Path(__file__).resolve().parents[1] / "ui" / "frame" / "main.py"
GUARDED = SCRIPT.with_name("guarded.py")  # the same for others than who starts it
WORKDIR, TOKEN = "PRUNING_EXPLORER_WORKDIR", "PRUNING_EXPLORER_TOKEN"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port to listen on.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser window.")
@click.option(
    "--workdir",
    type=click.Path(path_type=Path),
    help="Folder of uploads, runs and results.  [default: ~/.pruning-explorer]",
)
@click.option(
    "--allow-host",
    "allowed",
    metavar="NAME",
    multiple=True,
    help="A further host name by which browsers may reach the app, as behind a proxy; *.NAME allows all its "
    "subdomains. May be repeated.",
)
@click.option(
    "--token",
    metavar="TEXT",
    envvar=TOKEN,
    show_envvar=True,
    help="The token that visitors need in the address.  [default: a new one where other computers can reach the app]",
)
@click.option(
    "--allow-paths/--no-allow-paths",
    "paths",
    default=None,
    help="Whether visitors may name folders and files of this computer.  [default: only where no other "
    "computer can reach the app]",
)
@click.option(
    "--allow-factories",
    "factories",
    is_flag=True,
    help="Let all visitors name package.module:factory as an architecture, which runs that code on this computer.",
)
@click.option(
    "--lesson",
    type=click.Path(path_type=Path),
    help="Your own lesson in place of the app's: a .toml file, in the format of assets/docs/lessons.md.",
)
@own_criteria
def app(
    host: str,
    port: int,
    no_browser: bool,
    workdir: Path | None,
    allowed: tuple[str, ...],
    token: str | None,
    paths: bool | None,
    factories: bool,
    lesson: Path | None,
    own: tuple[str, ...],
) -> None:
    """Start the app, as the program does without a command.

    With --host or --allow-host beyond this computer, or with --token, it prints the address with the token that
    visitors need, opens no browser, and gives each browser a workspace of its own.
    """
    os.environ.pop(TOKEN, None)  # not for the processes that the app starts
    names = hosts(host, allowed)
    needed = token_for(names, token)
    check_free(host, port)
    if lesson is not None:
        _teach(lesson)
    if workdir is not None:
        os.environ[WORKDIR] = str(_folder(workdir))
    url = address(host, port, needed)
    with sole_writer(places.workdir(), "open that, or give another --workdir", f", the app at {url.partition('?')[0]}"):
        if needed:
            click.echo(f"The app, for all who have this address: {url}")
        if factories:
            _allow_factories()
        allowed_paths = are_own(names) if paths is None else paths
        _serve(flags(host, port, names, alone=no_browser, guarded=bool(needed)), needed, allowed_paths)


def _allow_factories() -> None:
    from explorer.networks.architectures.families import allow_factories

    allow_factories()


def _teach(lesson: Path) -> None:
    from explorer.ui.lesson.panel import teach

    teach(lesson)


def _serve(settings: list[str], token: str, paths: bool) -> None:
    """Serve the script until it is ended; with a token, behind its guard; paths: whether paths of this computer may be
    named.
    """
    imports.wait_for(*imports.FIGURES)  # before a second thread imports anything: Streamlit itself makes a figure
    threading.Thread(target=_warm_up, args=(time.time(),), daemon=True).start()
    from streamlit.web import cli

    from explorer.ui.work.jobs import JOBS
    from explorer.ui.work.visitors import close_paths, serve_beyond

    if token:
        serve_beyond(token)
    if not paths:
        close_paths()
    serve = ["run", str(GUARDED if token else SCRIPT), *settings]
    try:
        cli.main(serve, prog_name="pruning-explorer", standalone_mode=False)
    finally:
        JOBS.shutdown()  # before the interpreter ends: from then on it gives no work to threads


def _warm_up(started: float) -> None:
    """Import what the first page needs, while the server starts and the browser opens; sessions wait for it.

    All that stays for good: else every collection of garbage, of which Streamlit asks for one after each run of the
    script, would look through it again, for 0.2 s.
    """
    for names in (imports.ENGINE, imports.SERVER, imports.FRAME, [imports.page("network")]):
        imports.wait_for(*names)
    from explorer.data.uploads import drop_unused
    from explorer.export.staging import clear_left_over

    home = places.workdir()
    for own in (home, *home.glob("people/*")):
        drop_unused(own, started)
    for exports in (home / "exports", *home.glob("people/*/exports")):
        clear_left_over(exports)
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries count what is left at the end


def flags(host: str, port: int, names: Iterable[str], *, alone: bool, guarded: bool) -> list[str]:
    """What Streamlit is told beyond the config.toml that lies beside the script.

    alone: no browser is opened; nor where it is guarded, since Streamlit knows only the address without the token.
    """
    settings = {
        "server.address": host,
        "server.port": str(port),
        "server.showEmailPrompt": "false",  # it would wait for an answer in the terminal
        **({"server.headless": "true"} if alone or guarded else {}),
        **({"logger.hideWelcomeMessage": "true"} if guarded else {}),
    }
    named = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return named + [part for name in names for part in ("--server.allowedHosts", name)]


def check_free(host: str, port: int) -> None:
    """Raise BadInput unless the app can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            if os.name == "posix":  # as the server does: a port that was just left is free
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"The app can't listen on {host}, port {port} ({reason}): give another --port or --host."
        ) from error


def _folder(workdir: Path) -> Path:
    folder = workdir.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"The folder --workdir {workdir} can't be made ({error.strerror}): give another.") from error
    return folder
