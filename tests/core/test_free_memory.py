"""What memory is free: the least that the system, the container and the process's own limit leave."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer.core import free_memory
from explorer.core.errors import BadInput

CPU = torch.device("cpu")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with 8 GiB free, without limits, whose files lie in a folder."""
    (tmp_path / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable: {8 << 20} kB\n")
    (tmp_path / "own").write_text("4:memory:/mine/deep\n0::/mine/deep\n")
    groups = tmp_path / "groups"
    (groups / "mine" / "deep").mkdir(parents=True)
    (groups / "memory" / "mine").mkdir(parents=True)
    for name, path in (("MEMINFO", "meminfo"), ("OWN_GROUPS", "own"), ("GROUPS", "groups")):
        monkeypatch.setattr(free_memory, name, tmp_path / path)
    monkeypatch.setattr(free_memory, "_of_process", lambda: [])
    return groups


def limit(folder: Path, files: tuple[str, str, str], most: object, used: int, cached: int) -> None:
    for name, value in ((files[0], most), (files[1], used), ("memory.stat", f"anon 1\n{files[2]} {cached}")):
        (folder / name).write_text(f"{value}\n")


def test_without_limits_it_is_what_the_system_says(system: Path) -> None:
    assert free_memory.free(CPU) == 8 << 30
    limit(system / "mine", free_memory.GROUP_FILES[0], "max", 5, 0)
    assert free_memory.free(CPU) == 8 << 30


@pytest.mark.parametrize(
    ("place", "version"), [("mine/deep", 0), ("mine", 0), ("", 0), ("memory/mine", 1), ("memory", 1)]
)
def test_the_limit_of_any_group_around_the_process_counts_without_cached_files(
    system: Path, place: str, version: int
) -> None:
    limit(system / place, free_memory.GROUP_FILES[version], 4 << 30, 3 << 30, 1 << 30)
    assert free_memory.free(CPU) == 2 << 30
    limit(system / place, free_memory.GROUP_FILES[version], 1 << 30, 3 << 30, 0)
    assert free_memory.free(CPU) == 0


def test_the_limit_of_the_process_counts() -> None:
    pytest.importorskip("resource")
    if not free_memory.STATM.is_file():
        pytest.skip("needs /proc")
    code = (
        "import resource, torch; from explorer.core.free_memory import free, STATM; import os\n"
        "used = int(STATM.read_text().split()[0]) * os.sysconf('SC_PAGE_SIZE')\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))\n"
        "print(free(torch.device('cpu')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) <= 2**28


def test_what_takes_more_than_its_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "free", lambda device: 4 << 30)
    free_memory.check_room(1 << 30, "It")
    with pytest.raises(BadInput, match=r"^It takes 2 GiB of memory, more than the 1 GiB that it may take here: "):
        free_memory.check_room(2 << 30, "It")
