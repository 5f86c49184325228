"""Jobs: long work that outlives reloads, tabs and browsers, and stops when asked."""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from explorer.ui.job import LANES, QUICK, Job

KEPT = 256  # finished jobs remembered, with their results
LOOK = 0.2  # seconds in which a worker without work sees whether it is still needed


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
            fresh = Job(key, label, lane=lane, _before=self._before, _on_pause=self._stand_in)
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
