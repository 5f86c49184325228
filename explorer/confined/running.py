"""Running source in a confined process: a fresh Python, in an empty folder, with nothing of this process at hand."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from explorer.confined.child import KINDS, MEMORY, READING, offered

ROOT = Path(__file__).resolve().parents[2]  # of the package
PACKAGES = ("numpy", "torch", "torchvision", "safetensors", "onnxruntime", "sympy", "scipy")  # that source may import
SAID = 40960  # bytes at the end of a process's output that are read
ALWAYS = ("time", "environment", "folder")  # limits that need no support of the system
ENVIRONMENT = (
    *("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
)
FOLDERS = ("HOME", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR")  # of libraries; all of them the process's own
SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/dev/null", "/dev/urandom"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
BOOT = (
    "import json, sys; job = json.loads(sys.argv[1]); sys.path += job['paths'];"
    "from explorer.confined.child import run; run(job)"
)


@dataclass(frozen=True)
class ProcessLimits:
    """The time, memory and disk that a confined process may take."""

    seconds: float  # from its start to its end
    memory: int  # bytes, beyond what the packages take that it imports
    output: int  # bytes


@dataclass(frozen=True)
class Ended:
    """How a confined process ended."""

    code: int | None  # None where it took too long
    said: str  # its last words


def run(
    source: str, files: Sequence[Path], given: IO[bytes], made: IO[bytes], limits: ProcessLimits, batch: int
) -> Ended:
    """Run source on the first of some files, which lie in a folder of their own; see `child.run` for its names.

    given: an open file with its input; made: one for its output. Whatever it starts ends with it.
    """
    with TemporaryDirectory() as folder, TemporaryFile() as errors:
        for path in files:
            _place(path.resolve(), Path(folder) / path.name)
        readable = [folder, *(str(path.resolve()) for path in files)]
        job = _job(source, limits, readable) | {"path": files[0].name, "batch": batch}
        code = _end_of(_started(job, folder, given, made, errors), limits.seconds)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - SAID))
        return Ended(code, errors.read().decode(errors="replace"))


@cache
def in_force() -> tuple[str, ...]:
    """The kinds of access that a confined process lacks here, tried out: names of `child.offered`, and ALWAYS."""
    kinds = offered()
    groups = [[kind] for kind in (READING, MEMORY) if kind in kinds]
    groups += [calls] if (calls := [kind for kind in kinds if kind not in (READING, MEMORY)]) else []
    found = kinds if _works(kinds) else [kind for group in groups if _works(group) for kind in group]
    return (*(kind for kind in kinds if kind in found), *ALWAYS)


def described() -> str:
    """One sentence on the limits in force, and another on those that this system does not offer."""
    found = in_force()
    unavailable = [kind for kind in KINDS if kind not in found]
    missing = f" This system can't confine: {', '.join(unavailable)}." if unavailable else ""
    return f"Confined: {', '.join(found)}.{missing}"


def _works(kinds: Sequence[str]) -> bool:
    """Whether a process can give up these."""
    with TemporaryDirectory() as folder, TemporaryFile() as nothing:
        job = _job("ready()", ProcessLimits(10, 2**30, 0), [folder], kinds) | {"path": "", "batch": 1}
        return _end_of(_started(job, folder, nothing, nothing, nothing), 10) == 0


def _job(
    source: str, limits: ProcessLimits, readable: Iterable[str], kinds: Sequence[str] | None = None
) -> dict[str, Any]:
    paths = _paths()
    return {
        "source": source,
        "kinds": in_force() if kinds is None else kinds,
        "paths": [*paths, str(ROOT)],
        "readable": [*paths, *_libraries(), *SYSTEM, *readable],
        "seconds": math.ceil(limits.seconds) * (os.cpu_count() or 1),  # of all its threads together
        "memory": limits.memory,
        "output": limits.output,
    }


def _place(path: Path, where: Path) -> None:
    try:
        where.symlink_to(path)
    except OSError:  # a system on which that is a privilege
        shutil.copyfile(path, where)


def _started(
    job: dict[str, Any], folder: str, given: IO[bytes], made: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-B", "-c", BOOT, json.dumps(job)]
    return subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdin=given, stdout=made, stderr=errors, start_new_session=True
    )


def _end_of(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The process's exit code, or None if it was killed. Its whole process group ends with it."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):  # nothing of the group is left
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _environment(folder: str) -> dict[str, str]:
    """Of this process's environment only what the system's own libraries read."""
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    kept["PATH"] = os.environ.get("PATH", "") if os.name == "nt" else ""  # there libraries lie on it, too
    return {**kept, **dict.fromkeys(FOLDERS, folder), "CUDA_VISIBLE_DEVICES": ""}


@cache
def _paths() -> list[str]:
    """The folders of this process's packages that source may import."""
    holding = [path for path in sys.path if any((Path(path) / name).is_dir() for name in PACKAGES)]
    return [str(Path(path).resolve()) for path in holding if path]


def _libraries() -> list[str]:
    """The folders that Python reads, and those of the libraries that this process has loaded."""
    own = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    with suppress(OSError):  # no Linux
        lines = (line.split() for line in Path("/proc/self/maps").read_text().splitlines())
        loaded = {line[5] for line in lines if len(line) == 6 and ".so" in line[5]}
        own += sorted({str(Path(name).parent) for name in loaded})
    return [*own, str(ROOT / "explorer")]
