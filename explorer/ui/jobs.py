"""Jobs: long work that outlives reloads, tabs and browsers, and stops when asked."""

from __future__ import annotations

import atexit
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import BadInput

KEPT = 32  # finished jobs remembered


class Cancelled(Exception):
    """Raised inside the work at its next report once somebody asked it to stop."""


@dataclass(eq=False)
class Job:
    """One piece of work; written by its worker, read by any number of pages."""

    key: str
    label: str
    state: str = "queued"  # then running, then done, cancelled or failed
    done: int = 0
    total: int = 1
    note: str = ""
    partial: Any = None  # the latest intermediate result, if the work publishes any
    result: Any = None
    error: str = ""  # one sentence where the input was at fault, else the last line of the traceback
    started: float = 0.0
    seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def report(self, done: int, total: int, note: str = "") -> None:
        """Publish progress; raise Cancelled if somebody asked for it."""
        if self._stop.is_set():
            raise Cancelled
        self.done, self.total, self.note = done, total, note
        self.seconds = time.monotonic() - self.started

    def cancel(self) -> None:
        """Ask the work to stop at its next report; a job that waits in the queue never starts."""
        self._stop.set()

    @property
    def active(self) -> bool:
        """Whether it is still to be waited for."""
        return self.state in ("queued", "running")

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None before there is one."""
        return self.seconds * (self.total - self.done) / self.done if self.done else None

    def run(self, work: Callable[[Job], Any]) -> None:
        """Do the work and keep its result whole, or none."""
        self.started = time.monotonic()
        try:
            self.report(0, self.total, self.note)
            self.state = "running"
            self.result = work(self)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except BadInput as problem:
            self.error, self.state = str(problem), "failed"
        except Exception as problem:
            traceback.print_exc()
            self.error, self.state = f"{type(problem).__name__}: {problem}", "failed"
        finally:
            self.seconds = time.monotonic() - self.started


class JobManager:
    """One worker thread and the jobs that it has done and has to do, one for each key."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Job, Callable[[Job], Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="pruning-explorer-jobs", daemon=True).start()
        atexit.register(self.shutdown)

    def submit(self, key: str, label: str, work: Callable[[Job], Any]) -> Job:
        """The active job of this key, or a new one; asking twice, or in two tabs, works once."""
        with self._lock:
            existing = self._jobs.get(key)
            if existing and existing.active:
                return existing
            job = self._jobs[key] = Job(key, label)
            for old in [j for j in self._jobs.values() if not j.active][:-KEPT]:
                del self._jobs[old.key]
        self._queue.put((job, work))
        return job

    def find(self, key: str) -> Job | None:
        """The latest job of this key."""
        return self._jobs.get(key)

    def shutdown(self, patience: float = 5.0) -> None:
        """Cancel everything and wait for the worker to notice, at most `patience` seconds."""
        for job in list(self._jobs.values()):
            job.cancel()
        deadline = time.monotonic() + patience
        while any(job.active for job in self._jobs.values()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _work(self) -> None:
        while True:
            job, work = self._queue.get()
            job.run(work)
