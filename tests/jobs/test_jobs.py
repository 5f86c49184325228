"""Jobs without a page: progress, results, cancelling, failing, and who shares what."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from explorer.core.errors import BadInput
from explorer.core.reports import MEMORY
from explorer.jobs import job as job_module
from explorer.jobs.job import AHEAD, HELD, LONG, QUICK, SPARE, TURN, Job
from explorer.jobs.manager import FINISHED_JOBS_KEPT, KEPT_BYTES, RECENT, JobManager

SECONDS = 5.0  # how long a test waits before it fails


class Held:
    """Work that stands still where the test wants it to."""

    def __init__(self) -> None:
        self.running, self.released = threading.Event(), threading.Event()

    def __call__(self, job: Job) -> str:
        job.report(1, 4, "first part")
        self.running.set()
        while not self.released.wait(0.005):
            job.report(1, 4, "first part")
        job.report(2, 4, "second part")
        return "all of it"


@pytest.fixture
def jobs() -> Iterator[JobManager]:
    manager = JobManager()
    yield manager
    manager.shutdown()


@pytest.fixture
def held() -> Iterator[Held]:
    work = Held()
    yield work
    work.released.set()


def ended(job: Job) -> Job:
    job.wait(SECONDS)
    assert not job.active
    return job


def started(jobs: JobManager, work: Held, key: str = "a", lane: str = QUICK) -> Job:
    job = jobs.submit(key, f"work {key}", work, lane)
    assert work.running.wait(SECONDS)
    return job


def test_a_job_shows_where_it_is_and_keeps_its_result(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    assert (job.state, job.share, job.note, job.result) == ("running", 0.25, "first part", None)
    assert job.active
    held.released.set()
    ended(job)
    assert (job.state, job.share, job.note, job.result, job.error) == ("done", 0.5, "second part", "all of it", "")


def test_time_left_is_estimated_from_the_pace() -> None:
    job = Job("a", "work", done=3, total=4, seconds=6.0)
    assert job.seconds_left == 2.0
    assert Job("a", "work").seconds_left is None


@pytest.mark.parametrize(("done", "total", "share"), [(0, 0, 0.0), (1, 4, 0.25), (5, 4, 1.0)])
def test_the_share_lies_between_0_and_1(done: int, total: int, share: float) -> None:
    assert Job("a", "work", done=done, total=total).share == share


def test_a_running_job_is_cancelled_at_its_next_report(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    job.cancel()
    ended(job)
    assert (job.state, job.result) == ("cancelled", None)
    assert job.done == 1


def test_a_waiting_job_that_is_cancelled_never_starts(jobs: JobManager, held: Held) -> None:
    started(jobs, held)
    ran = []
    waiting = jobs.submit("b", "waits", ran.append)
    assert waiting.state == "queued"
    waiting.cancel()
    assert not waiting.active, "nobody waits for its lane to be free"
    held.released.set()
    ended(waiting)
    assert (waiting.state, ran) == ("cancelled", [])
    ended(jobs.submit("c", "comes after both", lambda job: None))
    assert (waiting.state, ran) == ("cancelled", [])


def test_a_finished_job_can_not_be_cancelled(jobs: JobManager) -> None:
    job = ended(jobs.submit("a", "quick", lambda job: 3))
    job.cancel()
    assert (job.state, job.result) == ("done", 3)


def test_a_cancelled_job_may_be_submitted_again(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    job.cancel()
    ended(job)
    again = ended(jobs.submit("a", "again", lambda job: "new"))
    assert again is not job
    assert jobs.find("a") is again
    assert again.result == "new"


def _fail(problem: Exception) -> Callable[[Job], Any]:
    def work(job: Job) -> None:
        job.report(1, 2)
        raise problem

    return work


def test_bad_input_is_passed_on_as_its_sentence(jobs: JobManager, capsys: pytest.CaptureFixture[str]) -> None:
    job = ended(jobs.submit("a", "work", _fail(BadInput("The images have 3 channels, not 1."))))
    assert (job.state, job.error, job.result) == ("failed", "The images have 3 channels, not 1.", None)
    assert "Traceback" not in capsys.readouterr().err


def test_a_failure_says_what_it_was_and_leaves_its_trace_on_the_server(
    jobs: JobManager, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ended(jobs.submit("a", "work", _fail(RuntimeError("out of memory"))))
    assert (job.state, job.error) == ("failed", MEMORY)
    assert "Traceback" in capsys.readouterr().err


def test_the_worker_outlives_a_failure(jobs: JobManager) -> None:
    ended(jobs.submit("a", "work", _fail(BadInput("No."))))
    assert ended(jobs.submit("b", "work", lambda job: 1)).result == 1


def test_asking_twice_works_once(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    second = []
    assert jobs.submit("a", "work", second.append) is job
    assert jobs.ensure("a", "work", second.append) is job
    held.released.set()
    ended(job)
    assert second == []


def test_a_finished_job_is_kept_for_those_who_need_it_and_redone_for_those_who_submit(jobs: JobManager) -> None:
    job = ended(jobs.submit("a", "work", lambda job: 1))
    assert jobs.ensure("a", "work", lambda job: 2) is job
    assert ended(jobs.submit("a", "work", lambda job: 3)).result == 3


def test_the_quick_lane_does_not_wait_for_the_long_one(jobs: JobManager, held: Held) -> None:
    long = started(jobs, held, lane=LONG)
    assert ended(jobs.submit("b", "work", lambda job: 1)).result == 1
    assert long.active


def test_the_long_lane_pauses_while_a_quick_job_runs_and_can_still_be_cancelled(jobs: JobManager, held: Held) -> None:
    counted = []

    def count(job: Job) -> None:
        while True:
            job.report(0, 1)
            counted.append(job.key)
            time.sleep(0.002)

    long = jobs.submit("long", "counts", count, LONG)
    quick = started(jobs, held)
    time.sleep(0.05)  # the report under way may end
    before = len(counted)
    time.sleep(0.1)
    assert len(counted) <= before + 1
    held.released.set()
    ended(quick)
    long.wait(0.1)
    assert len(counted) > before + 1
    long.cancel()
    assert ended(long).state == "cancelled"


def test_a_lane_does_one_job_after_the_other_in_order(jobs: JobManager, held: Held) -> None:
    first, order = started(jobs, held), []
    waiting = [jobs.submit(key, key, lambda job: order.append(job.key)) for key in "bcd"]
    assert [job.state for job in (first, *waiting)] == ["running", "queued", "queued", "queued"]
    held.released.set()
    ended(waiting[-1])
    assert order == ["b", "c", "d"]


def test_forgetting_drops_what_has_ended_alone(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    jobs.forget("a")
    assert jobs.find("a") is job
    held.released.set()
    ended(job)
    jobs.forget("a")
    assert jobs.find("a") is None
    jobs.forget("a")


def test_only_the_latest_finished_jobs_are_kept(jobs: JobManager) -> None:
    for i in range(FINISHED_JOBS_KEPT + 3):
        last = jobs.submit(str(i), "work", lambda job: None)
    ended(last)
    jobs.submit("one more", "work", lambda job: None)
    kept = [i for i in range(FINISHED_JOBS_KEPT + 3) if jobs.find(str(i))]
    assert kept[-1] == FINISHED_JOBS_KEPT + 2
    assert FINISHED_JOBS_KEPT <= len(kept) + 1 <= FINISHED_JOBS_KEPT + 1


def test_the_version_changes_whenever_there_is_something_new_to_see(jobs: JobManager) -> None:
    seen, go, told = [], threading.Semaphore(0), threading.Semaphore(0)

    def work(job: Job) -> int:
        for partial in (10, 20):
            job.publish(partial)
            told.release()
            assert go.acquire(timeout=SECONDS)
        return 30

    job = jobs.submit("a", "work", work)
    for _ in range(2):
        assert told.acquire(timeout=SECONDS)
        seen.append((job.version, job.partial, job.result))
        go.release()
    ended(job)
    seen.append((job.version, job.partial, job.result))
    assert seen == [((1, "active"), 10, None), ((2, "active"), 20, None), ((2, "done"), 20, 30)]


def test_waiting_ends_with_enough_or_with_patience(jobs: JobManager, held: Held) -> None:
    job = started(jobs, held)
    start = time.monotonic()
    job.wait(0.1)
    assert 0.1 <= time.monotonic() - start < 2
    job.publish([1, 2])
    job.wait(SECONDS, enough=lambda found: len(found) == 2)
    assert time.monotonic() - start < 3
    assert job.active


def test_shutting_down_cancels_what_runs_and_what_waits(held: Held) -> None:
    jobs = JobManager()
    running, waiting = started(jobs, held), jobs.submit("b", "waits", lambda job: 1)
    start = time.monotonic()
    jobs.shutdown()
    assert time.monotonic() - start < 2
    assert (running.state, waiting.state) == ("cancelled", "cancelled")


def test_shutting_down_does_not_wait_for_ever(jobs: JobManager) -> None:
    running, release = threading.Event(), threading.Event()

    def deaf(job: Job) -> None:
        running.set()
        release.wait(SECONDS)

    job = jobs.submit("a", "deaf", deaf)
    assert running.wait(SECONDS)
    jobs.shutdown(patience=0.1)
    assert job.active
    release.set()
    ended(job)


def test_a_paused_job_waits_at_its_next_report_and_lets_others_work(jobs: JobManager) -> None:
    seen: list[int] = []

    def work(job: Job) -> None:
        for i in range(100_000):
            seen.append(i)
            job.report(i, 100_000)

    job = jobs.submit("long", "Long", work, LONG)
    job.pause()
    time.sleep(0.1)
    count = len(seen)
    assert job.paused and job.active
    assert ended(jobs.submit("spare", "Spare", lambda job: job.report(1, 1) or "done", SPARE)).result == "done"
    assert len(seen) == count
    job.resume()
    deadline = time.monotonic() + SECONDS
    while len(seen) == count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(seen) > count
    job.pause()
    job.cancel()
    assert ended(job).state == "cancelled"


def test_a_paused_job_leaves_its_lane_to_others_and_goes_before_them_when_it_goes_on(jobs: JobManager) -> None:
    counted: list[str] = []

    def count(job: Job) -> None:
        while True:
            job.report(0, 1)
            counted.append(job.key)
            time.sleep(0.002)

    first = jobs.submit("first", "First", count, LONG)
    first.pause()
    second = jobs.submit("second", "Second", count, LONG)
    until(lambda: counted[-5:] == ["second"] * 5)
    first.resume()
    until(lambda: counted[-5:] == ["first"] * 5)
    assert second.state == "running"
    first.cancel()
    ended(first)
    until(lambda: counted[-5:] == ["second"] * 5)
    second.cancel()
    assert ended(second).state == "cancelled"
    assert ended(jobs.submit("third", "Third", lambda job: "done", LONG)).result == "done"


def test_a_job_that_hurries_goes_before_those_that_it_let_go_first(jobs: JobManager, held: Held) -> None:
    ahead, quick = started(jobs, held, "ahead", AHEAD), Held()
    before = started(jobs, quick, "quick")
    held.released.set()
    ahead.wait(0.1)
    assert ahead.active  # it waits for the quick one
    ahead.hurry()
    assert ended(ahead).state == "done" and before.active
    quick.released.set()
    assert ended(before).state == "done"


def test_a_waiting_job_says_what_it_waits_for(jobs: JobManager, held: Held) -> None:
    running = started(jobs, held, "a", LONG)
    waiting = jobs.submit("b", "work b", lambda job: job.report(1, 1, "second part"), LONG)
    assert (running.where, waiting.where) == ("first part", "waits for: work a")
    held.released.set()
    assert ended(waiting).where == "second part"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Clock:
    """Time that passes when somebody works or sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def worked(others: Callable[[float], bool], seconds: float, step: float = 0.1) -> list[float]:
    """When a job that reports after every step of work took a step, while others are active at those times."""
    clock = Clock()
    blocking = Job("other", "Other")
    job = Job("long", "Long", clock=clock, sleep=clock.sleep, _before=lambda job: [blocking] * others(clock.now - 100))
    steps = []
    while clock.now < 100 + seconds:
        job.report(0, 1)
        steps.append(clock.now - 100)
        clock.now += step
    return steps


def test_steady_short_jobs_leave_a_long_one_its_share() -> None:
    share = 0.1 * len(worked(lambda now: True, 200)) / 200
    assert abs(share - TURN / (HELD + TURN)) < 0.02
    gaps = worked(lambda now: now % 0.6 < 0.55, 200)  # one after the other, with next to nothing between
    assert 0.1 * len(gaps) / 200 >= share


def test_a_job_that_others_hold_up_for_a_moment_waits_until_they_are_done() -> None:
    steps = worked(lambda now: 10 <= now < 10 + HELD - 0.1, 30)
    assert [now for now in steps if 10.1 < now < 10 + HELD - 0.1] == []
    assert len(steps) == pytest.approx((30 - HELD) / 0.1, abs=2)


def test_nobody_holds_up_a_job_that_is_alone() -> None:
    assert len(worked(lambda now: False, 30)) == pytest.approx(300, abs=2)


def test_a_long_job_ends_while_short_ones_follow_each_other(jobs: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "HELD", 0.05)
    over = threading.Event()

    def short(job: Job) -> None:
        job.report(0, 1)
        if not over.wait(0.002):
            jobs.submit(f"{job.key}+", "short", short)  # active before this one has ended

    jobs.submit("short", "short", short)
    long = jobs.submit("long", "long", lambda job: [job.report(i, 50) for i in range(50)], LONG)
    ended(long)
    over.set()
    assert long.state == "done"


def test_long_jobs_of_many_sessions_go_in_the_order_in_which_they_were_asked_for(jobs: JobManager, held: Held) -> None:
    order: list[str] = []
    started(jobs, held, "first", LONG)
    waiting = [jobs.submit(f"{i}", f"work {i}", lambda job: order.append(job.key), LONG) for i in range(9)]
    quick = Held()
    before = started(jobs, quick, "quick")
    assert waiting[0].where == "waits for: work first and 1 more"
    quick.released.set()
    ended(before)
    held.released.set()
    ended(waiting[-1])
    assert order == [f"{i}" for i in range(9)]


@pytest.mark.parametrize("problem", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), MemoryError()])
def test_no_error_ends_the_worker(jobs: JobManager, problem: BaseException) -> None:
    def work(job: Job) -> None:
        raise problem

    failed = ended(jobs.submit("a", "work", work))
    assert failed.state == "failed" and failed.error
    assert ended(jobs.submit("b", "work", lambda job: 1)).result == 1


def test_a_failure_that_can_not_even_be_reported_ends_the_job_alone(
    jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_report(*about: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(job_module, "failure", no_report)
    failed = ended(jobs.submit("a", "work", _fail(RuntimeError("lost"))))
    assert (failed.state, failed.error) == ("failed", "RuntimeError")
    assert ended(jobs.submit("b", "work", lambda job: 1)).result == 1


def test_many_who_ask_at_once_for_the_same_get_one_job(jobs: JobManager) -> None:
    for ask in (jobs.ensure, jobs.submit):
        done, together, found = [], threading.Barrier(16), []
        go = threading.Event()

        def work(job: Job, done: list[int] = done, go: threading.Event = go) -> None:
            go.wait(SECONDS)
            done.append(1)

        def session(ask: Any = ask, work: Any = work, together: Any = together, found: Any = found) -> None:
            together.wait(SECONDS)
            found.append(ask(ask.__name__, "work", work))

        threads = [threading.Thread(target=session) for _ in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        go.set()
        ended(found[0])
        assert len(found) == 16 and len(set(map(id, found))) == 1 and done == [1]


def test_those_who_submit_forget_and_look_at_once_lose_nothing(jobs: JobManager) -> None:
    over, lost = threading.Event(), []

    def forget() -> None:
        while not over.is_set():
            jobs.forget("a")

    def look() -> None:
        while not over.is_set():
            if (job := jobs.find("a")) and job.active and jobs.ensure("a", "work", lambda job: 1).key != "a":
                lost.append(job)

    threads = [threading.Thread(target=act) for act in (forget, look)]
    [thread.start() for thread in threads]
    results = [ended(jobs.submit("a", "work", lambda job, i=i: i)).state for i in range(100)]
    over.set()
    [thread.join() for thread in threads]
    assert results == ["done"] * 100 and lost == []


def test_large_results_go_once_nobody_has_asked_for_them_for_a_while_and_are_freed() -> None:
    clock = Clock()
    jobs = JobManager(clock)
    results = {}
    for key in "abc":
        job = ended(jobs.submit(key, "work", lambda job: torch.zeros(KEPT_BYTES // 2 + 1, dtype=torch.uint8)))
        until(lambda job=job: job.size > 0)
        results[key] = weakref.ref(job.result)
    small = ended(jobs.submit("small", "work", lambda job: "small"))
    del job
    clock.now += RECENT / 2
    jobs.tidy()
    assert all(found() is not None for found in results.values())  # somebody may look at them
    jobs.find("b")
    clock.now += RECENT / 2 + 1
    until(lambda: results["a"]() is None and results["c"]() is None)
    assert results["b"]() is not None
    assert jobs.find("small") is small
    jobs.shutdown()
