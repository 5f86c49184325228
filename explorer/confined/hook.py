"""Python's audit hook: refuses with a sentence where the system gives an error number, and where it refuses nothing.

Alone it stops no attacker, as machine code bypasses it. So it never counts as confinement.
"""

from __future__ import annotations

import os
import sys

REFUSED = {
    "use the network": ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "poplib.", "imaplib."),
    "start or stop processes": (
        *("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "os.kill"),
        *("pty.spawn", "signal.pthread_kill", "_winapi.CreateProcess"),
    ),
    "change files": (
        *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
        *("os.chown", "os.chflags", "os.utime", "os.setxattr", "os.removexattr", "shutil."),
    ),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def refuse() -> None:
    """From now on what Python is told to do with the network, processes and files ends with PermissionError."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        flags = arguments[2] if len(arguments) > 2 else 0
        if isinstance(flags, int) and flags & WRITING:
            raise PermissionError(f"it may not write files, but opens {str(arguments[0])[:100]!r} for writing")
        return
    for what, events in REFUSED.items():
        if event.startswith(events):
            raise PermissionError(f"it may not {what}, but asks for {event}")
