"""Free memory: the least that the system, the container and the process's own limit leave."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from explorer.core.errors import BadInput

MEMINFO = Path("/proc/meminfo")
STATM = Path("/proc/self/statm")
GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
UNKNOWN = 4 << 30  # bytes taken as free if the system does not say
CPU = torch.device("cpu")
SHARE = 0.25  # of what is free that one thing may take
GROUP_FILES = (  # limit, use, and what of the use is but cached files: of control groups version 2 and 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free(device: torch.device) -> int:
    """Bytes free on the device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return max(0, min([_of_system(), *_of_groups(), *_of_process()]))


def check_room(need: int, what: str, device: torch.device = CPU) -> None:
    """Raise BadInput if `need` bytes are more than a SHARE of the free ones; what: the beginning of the sentence."""
    room = int(SHARE * free(device))
    if need > room:
        raise BadInput(
            f"{what} takes {need / 2**30:,.2g} GiB of memory, more than the {room / 2**30:,.2g} GiB that it may take "
            "here: give smaller images, or use a machine with more memory."
        )


def _of_system() -> int:
    if not MEMINFO.is_file():
        return UNKNOWN
    lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _of_groups() -> list[int]:
    """Bytes that the limits of this process's control groups leave, up to the outermost; none without limits."""
    return [left for folder in _folders() for files in GROUP_FILES if (left := _left(folder, *files)) is not None]


def _folders() -> list[Path]:
    """The folders of the process's own memory group and of those around it."""
    try:
        lines = [line.split(":", 2) for line in OWN_GROUPS.read_text().splitlines()]
    except OSError:
        lines = []
    own = [GROUPS / kind / path.lstrip("/") for _, kind, path in lines if kind in ("", "memory")]
    places = [*own, GROUPS, GROUPS / "memory"]  # in the last two a container sees its own
    around = (each for place in places for each in (place, *place.parents))
    return list(dict.fromkeys(each for each in around if each.is_relative_to(GROUPS)))


def _left(folder: Path, limit: str, use: str, cached: str) -> int | None:
    try:
        most, used = int((folder / limit).read_text()), int((folder / use).read_text())
        numbers = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return most - used + int(numbers.get(cached, 0))
    except (OSError, ValueError):  # not there, or "max"
        return None


def _of_process() -> list[int]:
    """Bytes that the limit of the process's address space leaves."""
    try:
        import resource  # not on every system
    except ImportError:
        return []
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY or not STATM.is_file():
        return []
    return [most - int(STATM.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")]
