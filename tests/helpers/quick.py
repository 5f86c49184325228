"""The tests that `python -m pytest -m quick` runs: some of every room, in a minute and a half."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SECONDS = 10.0  # of this process, that a quick test may take: a few times what the longest of them takes
QUICK = {
    "core": ("test_bounds.py", "test_parallel.py", "test_reports.py", "test_text.py"),
    "confined": ("",),
    "data": ("test_batches.py", "test_preprocessing.py", "test_splits.py", "test_tensors.py"),
    "networks": ("graph/test_kinds.py", "test_chains.py", "test_coupling.py", "test_gates.py", "test_surgery.py"),
    "evaluation": ("",),
    "scoring": ("criteria", "ranking", "oracle/test_reference.py", "test_linearise.py", "test_observe.py"),
    "training": ("test_distillation.py", "test_finetune.py", "test_schedules.py", "test_scratch.py"),
    "pruning": ("joint/test_greedy.py", "test_goals.py", "test_plan.py", "test_search.py", "test_threshold_curve.py"),
    "runs": ("test_places.py", "test_runs.py", "test_stages.py", "test_timeline.py"),
    "export": ("test_confirming.py", "test_plan_file.py", "test_source_allowed.py"),
    "speed": ("test_memory.py",),
    "study": ("test_chance.py", "test_rank_findings.py"),
    "upkeep": ("",),
    "figures": ("",),
    "jobs": ("",),
    "ui": ("components", "elements/test_say.py", "elements/test_wording.py", "pages/network/test_network_page.py"),
    "cli": ("test_help.py", "test_hosting.py"),
}
"""Room -> files and folders of its tests; "" is all of them."""


@cache
def paths() -> list[Path]:
    """All of them."""
    return [TESTS / room / name for room, names in QUICK.items() for name in names]


@cache
def is_quick(path: Path) -> bool:
    """Whether a test file is among them."""
    return any(path.is_relative_to(each) for each in paths())
