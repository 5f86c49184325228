"""A job: one piece of long work, seen by pages while it runs."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.reports import failure

# ahead, beside, spare: what nobody waits for, but may after the next click, what comes into a picture that is drawn
# without it meanwhile, and what may be wanted at some time
LANES = QUICK, SCORES, AHEAD, BESIDE, LONG, SPARE = ("quick", "scores", "ahead", "beside", "long", "spare")
SECONDS_LEFT_TO_PAGES = 0.2  # seconds that work ahead leaves to the page that asked for it, to be drawn
HELD, TURN = 4.0, 1.0  # seconds for which others hold work up, in all, before it goes on for a while beside them
PRIORITY_POLL_SECONDS = 0.01  # seconds between two looks at who goes first


class Cancelled(Exception):
    """Raised inside the work, at its next report, once it was asked to stop."""


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
    error: str = ""  # the sentence that says why it failed
    report_file: Path | None = None  # of a failure that nobody foresaw
    asked: float = field(default_factory=time.monotonic)
    started: float = 0.0
    seconds: float = 0.0
    lane: str = QUICK
    used: float = 0.0  # when somebody last asked for it
    size: int = 0  # bytes of its results, once it has ended
    who: str = ""  # the visitor who asked for it
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    _held: float = 0.0  # seconds since its last turn
    _turn_ends: float = 0.0
    _before: Callable[[Job], list[Job]] = field(default=lambda job: [], repr=False)  # those that it lets go first
    _on_pause: Callable[[Job], None] = field(default=lambda job: None, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _pause: threading.Event = field(default_factory=threading.Event, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)  # it begins, or is cancelled before

    def report(self, done: int, total: int, note: str = "") -> None:
        """Publish progress; wait while paused or others go first; raise Cancelled if it was asked to stop."""
        self._let_others_go_first()
        if self._stop.is_set():
            raise Cancelled
        self.done, self.total, self.note = done, total, note
        self.seconds = self.clock() - self.started

    def _let_others_go_first(self) -> None:
        """Wait for them, and while paused; but work that has been held up for HELD seconds in all has a turn.

        So it gets at least TURN / (HELD + TURN) of the time, however many short jobs follow each other.
        """
        now = self.clock()
        while not self._stop.is_set() and (self.paused or (now >= self._turn_ends and self._before(self))):
            self.sleep(PRIORITY_POLL_SECONDS)
            before, now = now, self.clock()
            self._held += now - before
            if self._held >= HELD:
                self._held, self._turn_ends = 0.0, now + TURN

    @property
    def where(self) -> str:
        """How far it is, in words; while it waits in the queue, for what."""
        first = self._before(self) if self.state == "queued" else []
        if not first:
            return self.note or self.state
        named = first[0].label if first[0].who == self.who else "what somebody else asked for"
        return f"waits for: {named}" + (f" and {len(first) - 1} more" if len(first) > 1 else "")

    def publish(self, partial: Any) -> None:
        """Make an intermediate result visible."""
        self.partial = partial
        self.published += 1

    @property
    def version(self) -> tuple[int, str]:
        """Changes whenever there is something new to see; that it has begun is none."""
        return self.published, "active" if self.active else self.state

    def cancel(self) -> None:
        """Ask the work to stop at its next report; a job that waits in the queue has ended at once."""
        with self._lock:
            self._stop.set()
            if self.state == "queued":
                self.state = "cancelled"

    @property
    def paused(self) -> bool:
        """Whether it was asked to wait at its next report."""
        return self._pause.is_set()

    def pause(self) -> None:
        """Ask the work to wait at its next report; its lane goes on with others meanwhile."""
        self._pause.set()
        self._on_pause(self)

    def resume(self) -> None:
        """Let paused work go on."""
        self._pause.clear()

    def hurry(self) -> None:
        """Go on before all that began later: a person waits for it now."""
        self.lane = QUICK

    def wait(self, patience: float, enough: Callable[[Any], bool] = lambda found: False) -> None:
        """Return when it has ended or published something that is `enough`, or after `patience` seconds."""
        deadline = time.monotonic() + patience
        while self.active and time.monotonic() < deadline:
            if self.partial is not None and enough(self.partial):
                return
            time.sleep(0.01)

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
        """Do the work and keep its result whole, or none; whatever it raises ends the job, never its worker."""
        try:
            if self.lane == AHEAD:
                self._stop.wait(self.asked + SECONDS_LEFT_TO_PAGES - time.monotonic())
            self.started = self.clock()
            self.report(0, self.total, self.note)
            self._begin()
            self.result = work(self)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except BadInput as problem:
            self.error, self.state = str(problem), "failed"
        except BaseException as problem:
            traceback.print_exc()
            self._fail(problem)
        finally:
            self.seconds = self.clock() - self.started

    def _begin(self) -> None:
        with self._lock:
            if self._stop.is_set():
                raise Cancelled
            self.state = "running"

    def _fail(self, problem: BaseException) -> None:
        self.error = type(problem).__name__  # should not even a report be possible
        try:
            told = failure(problem, "a job of the app")
            self.error, self.report_file = told.sentence, told.report
        finally:
            self.state = "failed"
