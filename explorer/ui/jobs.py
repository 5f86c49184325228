"""Jobs: long work that outlives reloads, tabs and browsers, and stops when asked."""

from __future__ import annotations

import atexit
import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import BadInput

KEPT = 256  # finished jobs remembered, with their results
LOOK = 0.2  # seconds in which a worker without work sees whether it is still needed
QUICK, SCORES, LONG, SPARE = LANES = ("quick", "scores", "long", "spare")  # spare: what nobody has asked for yet


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
    published: int = 0  # how many there have been
    live: Any = None  # what changes between two of them, for whoever looks at it now
    result: Any = None
    error: str = ""  # one sentence where the input was at fault, else the last line of the traceback
    started: float = 0.0
    seconds: float = 0.0
    lane: str = QUICK
    _others: Callable[[Job], bool] = field(default=lambda job: False, repr=False)  # whether it lets others go first
    _on_pause: Callable[[Job], None] = field(default=lambda job: None, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _pause: threading.Event = field(default_factory=threading.Event, repr=False)

    def report(self, done: int, total: int, note: str = "") -> None:
        """Publish progress; wait while paused or others go first; raise Cancelled if somebody asked for it."""
        while (self.paused or self._others(self)) and not self._stop.is_set():
            time.sleep(0.01)
        if self._stop.is_set():
            raise Cancelled
        self.done, self.total, self.note = done, total, note
        self.seconds = time.monotonic() - self.started

    def publish(self, partial: Any) -> None:
        """Make an intermediate result visible."""
        self.partial = partial
        self.published += 1

    @property
    def version(self) -> tuple[int, str]:
        """Changes whenever there is something new to see."""
        return self.published, self.state

    def cancel(self) -> None:
        """Ask the work to stop at its next report; a job that waits in the queue never starts."""
        self._stop.set()

    @property
    def paused(self) -> bool:
        """Whether somebody asked it to wait at its next report."""
        return self._pause.is_set()

    def pause(self) -> None:
        """Ask the work to wait at its next report; its lane goes on with others meanwhile."""
        self._pause.set()
        self._on_pause(self)

    def resume(self) -> None:
        """Let paused work go on."""
        self._pause.clear()

    def wait(self, patience: float, enough: Callable[[Any], bool] = lambda found: False) -> None:
        """Return when it has ended or published something that is `enough`, or after `patience` seconds."""
        deadline = time.monotonic() + patience
        while self.active and time.monotonic() < deadline:
            if self.partial is not None and enough(self.partial):
                return
            time.sleep(0.02)

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.done / max(1, self.total))

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
    """The jobs that a server has done and has to do, one for each key.

    Lanes with a worker each: what a person waits for does not queue behind what takes minutes, and pauses it meanwhile.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._lanes: dict[str, queue.SimpleQueue[Any]] = {lane: queue.SimpleQueue() for lane in LANES}
        for lane in LANES:
            self._hire(lane)
        atexit.register(self.shutdown)

    def submit(self, key: str, label: str, work: Callable[[Job], Any], lane: str = QUICK) -> Job:
        """The active job of this key, or a new one; asking twice, or in two tabs, works once."""
        with self._lock:
            existing = self._jobs.pop(key, None)
            fresh = Job(key, label, lane=lane, _others=self._go_first, _on_pause=self._stand_in)
            job = existing if existing and existing.active else fresh
            self._jobs[key] = job
            for old in [j for j in self._jobs.values() if not j.active][:-KEPT]:
                del self._jobs[old.key]
        if job is not existing:
            self._lanes[lane].put((job, work))
        return job

    def ensure(self, key: str, label: str, work: Callable[[Job], Any], lane: str = QUICK) -> Job:
        """The job of this key, done or not; a new one only where there is none."""
        return self.find(key) or self.submit(key, label, work, lane)

    def find(self, key: str) -> Job | None:
        """The latest job of this key."""
        return self._jobs.get(key)

    def forget(self, key: str) -> None:
        """Drop a job that has ended, so that the next one who needs it starts it anew."""
        with self._lock:
            if (job := self.find(key)) and not job.active:
                del self._jobs[key]

    def _go_first(self, job: Job) -> bool:
        """Whether there are others to let go first: in lanes before its own, or begun earlier in it."""
        before = LANES[: LANES.index(job.lane)]
        return any(
            other.lane in before
            or (other.lane == job.lane and other.state == "running" and other.started < job.started)
            for other in list(self._jobs.values())
            if other.active and not other.paused
        )

    def shutdown(self, patience: float = 5.0) -> None:
        """Cancel everything and wait for the workers to notice, at most `patience` seconds."""
        for job in list(self._jobs.values()):
            job.cancel()
        deadline = time.monotonic() + patience
        while any(job.active for job in self._jobs.values()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _stand_in(self, job: Job) -> None:
        self._hire(job.lane, lambda: job.paused and job.active)

    def _hire(self, lane: str, needed: Callable[[], bool] = lambda: True) -> None:
        threading.Thread(target=self._work, args=(lane, needed), name=f"jobs-{lane}", daemon=True).start()

    def _work(self, lane: str, needed: Callable[[], bool]) -> None:
        while needed():
            with suppress(queue.Empty):
                job, work = self._lanes[lane].get(timeout=LOOK)
                job.run(work)


JOBS = JobManager()  # of this process, for all browser sessions
