"""The command that starts the app.

It waits for no part of the engine: that is imported beside the server's own start, so that both are there soon.
"""

from __future__ import annotations

import atexit
import gc
import ipaddress
import os
import socket
import threading
from pathlib import Path

import click

from explorer import workdir as places
from explorer.errors import BadInput
from explorer.locks import alone
from explorer.ui import imports

SCRIPT = Path(__file__).resolve().parents[1] / "ui" / "main.py"
LOCAL = ("localhost", "127.0.0.1")
WORKDIR = "PRUNING_EXPLORER_WORKDIR"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is everywhere.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Port to listen on.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser window.")
@click.option(
    "--workdir",
    type=click.Path(path_type=Path),
    help="Folder of uploads, runs and results.  [default: ~/.pruning-explorer]",
)
def app(host: str, port: int, no_browser: bool, workdir: Path | None) -> None:
    """Start the app; so does no command at all."""
    check_free(host, port)
    if workdir is not None:
        os.environ[WORKDIR] = str(_folder(workdir))
    with alone(places.workdir(), "open that, or give another --workdir", f", the app at http://{host}:{port}"):
        _serve(host, port, no_browser)


def _serve(host: str, port: int, no_browser: bool) -> None:
    imports.whole(*imports.FIGURES)  # before a second thread imports anything: Streamlit itself makes a figure
    threading.Thread(target=_warm_up, daemon=True).start()
    from streamlit.web import cli

    from explorer.ui.jobs import JOBS

    serve = ["run", str(SCRIPT), *flags(host, port, no_browser)]
    try:
        cli.main(serve, prog_name="pruning-explorer", standalone_mode=False)
    finally:
        JOBS.shutdown()  # before the interpreter ends: from then on it gives no work to threads


def _warm_up() -> None:
    """Import what the first page needs, while the server starts and the browser opens; sessions wait for it.

    All that stays for good: else every collection of garbage, of which Streamlit asks for one after each run of the
    script, would look through it again, for 0.2 s.
    """
    for names in (imports.ENGINE, imports.SERVER, imports.FRAME, [imports.page("network")]):
        imports.whole(*names)
    from explorer.export.staging import clear_left_over

    clear_left_over(places.workdir() / "exports")
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries count what is left at the end


def flags(host: str, port: int, no_browser: bool) -> list[str]:
    """What Streamlit is told beyond the config.toml that lies beside the script."""
    settings = {
        "server.address": host,
        "server.port": str(port),
        "server.showEmailPrompt": "false",  # it would wait for an answer in the terminal
        **({"server.headless": "true"} if no_browser else {}),
    }
    named = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return named + [part for name in hosts(host) for part in ("--server.allowedHosts", name)]


def hosts(host: str) -> list[str]:
    """The names under which a browser may ask for the app: any other is refused, which stops DNS rebinding."""
    if host in LOCAL:
        return list(LOCAL)
    return list(dict.fromkeys([*LOCAL, host, *(_own_names() if _is_everywhere(host) else [])]))


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _own_names() -> list[str]:
    name = socket.gethostname()
    try:
        addresses = sorted({str(info[4][0]) for info in socket.getaddrinfo(name, None)})
    except OSError:
        addresses = []
    return [name, socket.getfqdn(name), *addresses]


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
        raise BadInput(f"--workdir {workdir} can't be made: {error.strerror}.") from error
    return folder
