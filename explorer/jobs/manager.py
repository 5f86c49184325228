"""Jobs: long work that outlives reloads, tabs and browsers, and stops when asked."""

from __future__ import annotations

import atexit
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from typing import Any

from explorer.jobs.job import LANES, QUICK, SPARE, Job

FINISHED_JOBS_KEPT = 256  # finished jobs remembered, with their results
KEPT_BYTES = 64 * 2**20  # of their results, beside those that somebody asked for in the last
RECENT = 60.0  # seconds
WORKER_POLL_SECONDS = 0.2  # seconds in which a worker without work sees whether it is still needed
SECONDS_BETWEEN_CLEANUPS = (
    15.0  # seconds between two rounds in which memory that is free is given back, while people come and go
)
SECONDS_UNTIL_UNWANTED = 120.0  # seconds after which nobody does any more
Work = Callable[..., Any]


class JobManager:
    """The jobs that a server has done and has to do, one for each key.

    Lanes with a worker each: what a person waits for does not queue behind what takes minutes, and pauses it meanwhile.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        whose: Callable[[], str] = lambda: "",
        in_their_name: Callable[[Work], Work] = lambda work: work,
    ) -> None:
        """whose: the session that asks. in_their_name: the same work for it, in a thread of no session."""
        self._clock, self._used, self._tidied = clock, clock(), clock()
        self._whose, self._in_their_name = whose, in_their_name
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._lanes: dict[str, queue.SimpleQueue[Any]] = {lane: queue.SimpleQueue() for lane in LANES}
        for lane in LANES:
            self._hire(lane)
        atexit.register(self.shutdown)

    def submit(self, key: str, label: str, work: Callable[[Job], Any], lane: str = QUICK) -> Job:
        """The active job of this key, or a new one; asking twice, or in two tabs, works once."""
        return self._job(key, label, work, lane, lambda job: job.active)

    def ensure(self, key: str, label: str, work: Callable[[Job], Any], lane: str = QUICK) -> Job:
        """The job of this key, done or not; a new one only where there is none."""
        return self._job(key, label, work, lane, lambda job: True)

    def _job(self, key: str, label: str, work: Callable[[Job], Any], lane: str, serves: Callable[[Job], bool]) -> Job:
        with self._lock:
            if (existing := self.find(key)) and serves(existing):
                return existing
            self._jobs.pop(key, None)  # the new one comes last
            now, who = self._clock(), self._whose()
            job = Job(key, label, lane=lane, used=now, who=who, _before=self._before, _on_pause=self._stand_in)
            self._jobs[key] = job
            self._let_go()
            self._lanes[lane].put((job, self._in_their_name(work)))
        return job

    def find(self, key: str) -> Job | None:
        """The latest job of this key."""
        if job := self._jobs.get(key):
            job.used = self._used = self._clock()
        return job

    def forget(self, key: str) -> None:
        """Drop a job that has ended, so that the next one who needs it starts it anew."""
        with self._lock:
            if (job := self._jobs.get(key)) and not job.active:
                del self._jobs[key]

    def _let_go(self) -> None:
        """Drop ended jobs beyond FINISHED_JOBS_KEPT, and results beyond KEPT_BYTES: the longest unused first."""
        ended = sorted([job for job in reversed(self._jobs.values()) if not job.active], key=lambda job: -job.used)
        held = accumulate(job.size for job in ended)
        for place, (job, size) in enumerate(zip(ended, held, strict=True)):
            if place >= FINISHED_JOBS_KEPT or (size > KEPT_BYTES and self._clock() - job.used > RECENT):
                del self._jobs[job.key]

    def tidy(self) -> None:
        """Let go of results, and give back the memory that they and closed sessions held, now and then."""
        now = self._clock()
        if now - self._tidied < SECONDS_BETWEEN_CLEANUPS or now - self._used > SECONDS_UNTIL_UNWANTED:
            return
        self._tidied = now
        with self._lock:
            self._let_go()
        if "torch" in sys.modules:
            from explorer.speed.memory import (
                release_memory,  # late: it imports torch, for which the server does not wait
            )

            release_memory()

    def _before(self, job: Job) -> list[Job]:
        """Those to let go first: in lanes before its own, or begun earlier in it."""
        lanes, begun = LANES[: LANES.index(job.lane)], job.started or float("inf")
        return [
            other
            for other in list(self._jobs.values())
            if other.active
            and not other.paused
            and (other.lane in lanes or (other.lane == job.lane and other.state == "running" and other.started < begun))
        ]

    def shutdown(self, patience: float = 5.0) -> None:
        """Cancel everything and wait for the workers to notice, at most `patience` seconds."""
        for job in list(self._jobs.values()):
            job.cancel()
        deadline = time.monotonic() + patience
        while any(job.active for job in list(self._jobs.values())) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _stand_in(self, job: Job) -> None:
        self._hire(job.lane, lambda: job.paused and job.active)

    def _hire(self, lane: str, needed: Callable[[], bool] = lambda: True) -> None:
        threading.Thread(target=self._work, args=(lane, needed), name=f"jobs-{lane}", daemon=True).start()

    def _work(self, lane: str, needed: Callable[[], bool]) -> None:
        while needed():
            try:
                job, work = self._lanes[lane].get(timeout=WORKER_POLL_SECONDS)
            except queue.Empty:
                if lane == SPARE:
                    self.tidy()
                continue
            with suppress(BaseException):  # the job says how it ended
                job.run(work)
                job.size = _size(job)


def _size(job: Job) -> int:
    if job.result is None and job.partial is None:
        return 0
    from explorer.speed.memory import held_bytes  # late: it imports torch, for which the server does not wait

    return held_bytes(job.result, job.partial)
