"""Reports of unexpected errors: all that an engineer needs, and no personal data.

A report holds versions, the task at hand, and the stack with file names of Python packages. It holds no folder, no file
name, no value of an option and no data: each message is cut before the first word that may be one of these.
"""

from __future__ import annotations

import os
import platform
import re
import sysconfig
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import strftime

from explorer.core.versions import versions
from explorer.core.workdir import workdir

PACKAGES = ("torch", "torchvision", "streamlit", "torch-pruning", "numpy", "plotly")
FRAMES = 40  # of a stack, half of them from its beginning
CHAIN = 5  # errors that led to each other
REPORTS_KEPT = 50  # reports in a folder; older ones go
NAME = "pruning-explorer-report-{0}-{1}.txt"
OWN_CODE = "(own code)"
SITE = re.compile(r"[\\/](?:site|dist)-packages[\\/](.+)")
NO_ROOM = re.compile(r"out of memory|not enough memory|can't allocate memory|cannot allocate memory", re.IGNORECASE)
HARMLESS = re.compile(r"[A-Za-z_]+[.,:;!?]?|[\[({'\"]*[-+]?\d[\d.,x]*[\])}'\",.:;]*")
MEMORY = (
    "There is not enough memory free for this: give fewer or smaller images, or a smaller batch, or end other programs."
)
UNFORESEEN = "Something failed that Pruning Explorer did not foresee ({0}); "
ATTACH = "{0} says what, without your paths and data: please attach it to an issue."
UNKEPT = "a report of it could not be written either."


@dataclass(frozen=True)
class Failure:
    """The sentence on an error, and the report of it, if there is one."""

    sentence: str
    report: Path | None = None
    outdated: bool = False  # nobody's fault: something has changed meanwhile


def failure(error: BaseException, doing: str) -> Failure:
    """The sentence that an unforeseen error gets, with its report kept; one for a lack of memory needs none."""
    if lacks_memory(error):
        return Failure(MEMORY)
    told = getattr(error, "strerror", None)  # of the operating system: "No space left on device"
    kind = UNFORESEEN.format(f"{type(error).__name__}: {told}" if told else type(error).__name__)
    report = _kept(report_of(error, doing))
    return Failure(kind + (ATTACH.format(report) if report else UNKEPT), report)


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out, Python's, torch's or a device's."""
    told = isinstance(error, (RuntimeError, OSError)) and NO_ROOM.search(str(error))
    return isinstance(error, MemoryError) or bool(told)


def report_of(error: BaseException, doing: str) -> str:
    """The report's text. doing: the task at hand, in the project's own words."""
    lines = ["Pruning Explorer: an error that was not foreseen", "", f"While: {doing}", *_versions()]
    for each in _chain(error):
        lines += ["", f"{type(each).__name__}: {scrubbed(str(each))}", *_stack(each)]
    return "\n".join(lines) + "\n"


def scrubbed(message: str) -> str:
    """The plain words and numbers that a message begins with; from a path, a quoted name or the like on, nothing."""
    words = message.split()
    end = next((place for place, word in enumerate(words) if not HARMLESS.fullmatch(word)), len(words))
    return " ".join(words[:end] + ["..."] * (end < len(words)))


def _versions() -> list[str]:
    python, *others = versions(PACKAGES).items()
    system = f"{platform.system()} {platform.machine()}"
    return [f"Python {python[1]} on {system}", ", ".join(f"{package} {found}" for package, found in others)]


def _chain(error: BaseException) -> list[BaseException]:
    """The error, and those that led to it."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found and len(found) < CHAIN:
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _stack(error: BaseException) -> Iterator[str]:
    frames = list(traceback.walk_tb(error.__traceback__))
    for place, (frame, line) in enumerate(frames):
        if place < FRAMES // 2 or place >= len(frames) - FRAMES // 2:
            file = _relative(frame.f_code.co_filename)
            inside = "" if file == OWN_CODE else f", line {line}, in {frame.f_code.co_name}"
            yield f"  {file}{inside}"
        elif place == FRAMES // 2:
            yield f"  ... {len(frames) - FRAMES} more ..."


def _relative(file: str) -> str:
    """A file's path inside this package, an installed one or Python; nothing of a file that is anywhere else."""
    own, python = Path(__file__).parents[1], sysconfig.get_path("stdlib")
    if installed := SITE.search(file):
        return Path(installed[1]).as_posix()
    for root, prefix in ((str(own), own.name), (python, "")):
        if file.startswith(root + os.sep):
            return (Path(prefix) / os.path.relpath(file, root)).as_posix()
    return OWN_CODE


def _kept(text: str) -> Path | None:
    """The file that the text was written to: in the work folder, or where that can't be, in the system's own."""
    for folder in (workdir() / "reports", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / NAME.format(strftime("%Y%m%d-%H%M%S"), os.urandom(3).hex())
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        _tidy(folder)
        return path
    return None


def _tidy(folder: Path) -> None:
    for old in sorted(folder.glob(NAME.format("*", "*")))[:-REPORTS_KEPT]:
        old.unlink(missing_ok=True)
