"""The confined process: gives up what it is told to, runs source, and hands back what that makes of its input."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explorer.confined import hook, landlock, seccomp

KINDS = NETWORK, PROCESSES, WRITING, READING, MEMORY = (
    *("network", "processes", "writing files", "reading files", "memory"),
)


def offered() -> list[str]:
    """The kinds of access that this system can take from a process, of the names above."""
    return [
        *((NETWORK, PROCESSES, WRITING) if seccomp.supported() else ()),
        *((READING,) if landlock.supported() else ()),
        *((MEMORY,) if sys.platform == "linux" else ()),
    ]


def run(job: Mapping[str, Any]) -> None:
    """Run `job["source"]` with the images of stdin as `given`, and stdout as `made` for what becomes of them.

    The source imports what it needs, calls `ready` and then loads `path`: only then does memory count. Of
    `job["kinds"]`, see `offered`, all is given up before; OSError where the system refuses one.
    """
    made = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries' prints are not the output
    tempfile.tempdir = str(Path.cwd())  # asked for by some imports, that write nothing
    _confine(job)
    names = {name: job[name] for name in ("path", "batch")}
    with made:
        exec(job["source"], {"given": sys.stdin.buffer, "made": made, "ready": _ready(job), **names})


def _confine(job: Mapping[str, Any]) -> None:
    if sys.platform != "win32":
        _limit(job)
    if READING in job["kinds"]:
        landlock.read_only(job["readable"])
    if NETWORK in job["kinds"]:
        seccomp.filter_calls()


def _limit(job: Mapping[str, Any]) -> None:
    """No more seconds, bytes of a file, or images of memory than a proof takes; nor a life after its parent's."""
    import resource

    for kind, most in (
        (resource.RLIMIT_CPU, job["seconds"]),
        (resource.RLIMIT_FSIZE, job["output"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(ctypes.c_ulong(1), ctypes.c_ulong(signal.SIGKILL))  # PR_SET_PDEATHSIG


def _ready(job: Mapping[str, Any]) -> Callable[[], None]:
    """Called by the source before it loads a file: from then on memory is bounded, and Python refuses in words."""

    def ready() -> None:
        if MEMORY in job["kinds"]:
            _limit_memory(job["memory"])
        hook.refuse()

    return ready


def _limit_memory(more: int) -> None:
    """At most so many bytes more than now, counted in addresses: that includes what processes share."""
    import resource

    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = taken + more if hard == resource.RLIM_INFINITY else min(taken + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
