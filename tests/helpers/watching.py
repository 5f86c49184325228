"""Watching a process from within: what it runs, starts, connects to and writes outside of one folder."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORBIDDEN = frozenset(
    {
        *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "pty.spawn"),
        *("subprocess.Popen", "socket.connect", "socket.bind", "socket.getaddrinfo", "ctypes.dlopen"),
        "pickle.find_class",
    }
)
CHANGING = frozenset(f"os.{what}" for what in ("mkdir", "remove", "rename", "rmdir", "symlink", "link", "chmod"))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PLANTED = "PWNED"  # stands in every text that would be code
PARSED = "<unknown>"  # the name that ast.parse gives to what it reads and never runs


class Watch:
    """The events of this process that break a rule, while it is on; Python never lets go of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.seen = str(folder.resolve()), False, list[str]()
        sys.addaudithook(self._hear)

    def taken(self) -> list[str]:
        """What broke a rule since the last time."""
        seen, self.seen = self.seen, []
        return seen

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and self._breaks(event, args):
            self.seen.append(f"{event} {args!r:.300}")

    def _breaks(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "open":
            return bool(isinstance(args[2], int) and args[2] & WRITING) and self._outside(args[0])
        if event == "compile":
            return args[1] != PARSED and PLANTED in str(args[0])
        return event in FORBIDDEN or (event in CHANGING and self._outside(args[0]))

    def _outside(self, path: object) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False  # a file that is open already
        where = os.path.realpath(os.fsdecode(path))
        return where != os.devnull and os.path.commonpath([where, self.folder]) != self.folder


@contextmanager
def little_memory(most: int) -> Iterator[None]:
    """Fails if Python holds more than so many bytes more at any time within; what other threads hold counts too."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()  # else all that follows in this process is slow
    assert peak < most, f"{peak:,} bytes"
