"""Verify exports: run each file in a clean process and compare what it computes with its proof."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor

from explorer.confined import running
from explorer.confined.running import Ended, ProcessLimits
from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.export import proof as proofs
from explorer.export.formats import FORMATS, Format
from explorer.export.proof import Proof, ProofRun, Verdict, judge, unjudged
from explorer.networks.load import ORIGINAL

TIMEOUT = 600  # seconds a file
PROCESS_BYTES = 2 * 2**30  # bytes that a process may take whatever it runs
COPIES = 8  # of the bytes of its files: reading, checking and building the network hold some at a time
ACTIVATIONS = 512  # bytes a byte of a batch of images: wide layers near the input, and what convolving them takes
HEADER = 2**20  # bytes of a process's output beside its numbers
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+)+[/\\](?=\w)")  # absolute, up to the last name

RUNNABLE = tuple(each for each in FORMATS.values() if each.runner)


def verify(where: Path, report: Report = silent, *, trusted: bool = False) -> list[Verdict]:
    """Verify an export folder with the original's inside it, or one exported file, in the order of FORMATS.

    Each file is run by a fresh, confined Python process on the inputs of the `proof.safetensors` beside it. A file that
    fails is reported, not raised. A file that holds code is run where it is `trusted`, and else reported as not run.

    Raises BadInput if there is no exported file or no proof.
    """
    found = exported(where)
    if not found:
        names = ", ".join(each.file_name for each in RUNNABLE)
        raise BadInput(f"{where} holds no exported network: looked for {names}.")
    proven = {folder: proofs.read(folder / proofs.NAME) for folder in dict.fromkeys(path.parent for path, _ in found)}
    verdicts = []
    for done, (path, kind) in enumerate(found):
        report(done, len(found), f"proving {path.name}")
        run = trusted or not kind.code
        verdicts.append(_verdict(path, kind, proven[path.parent]) if run else unjudged(path, kind.name, kind.tolerance))
    return verdicts


def holding_code(where: Path) -> list[Path]:
    """The files at a place that can run code of whoever made them."""
    return [path for path, kind in exported(where) if kind.code]


def exported(where: Path) -> list[tuple[Path, Format]]:
    """The files at a place that can be run."""
    if where.is_dir():
        return [found for folder in (where, where / ORIGINAL) for found in _in_folder(folder)]
    by_name = [each for each in RUNNABLE if each.file_name == where.name]
    by_suffix = [each for each in RUNNABLE if Path(each.file_name).suffix == where.suffix]
    return [(where, each) for each in (by_name or by_suffix)[:1] if where.is_file()]


def _in_folder(folder: Path) -> Iterator[tuple[Path, Format]]:
    return ((folder / each.file_name, each) for each in RUNNABLE if (folder / each.file_name).is_file())


def _verdict(path: Path, kind: Format, proof: Proof) -> Verdict:
    start = time.perf_counter()
    try:
        logits, error = _clean_run(
            path, kind, proof.pixels if kind.takes_pixels else proof.inputs, proof.logits.numel()
        )
    except OSError as problem:  # of a temporary folder without room
        logits, error = None, f"its images can't be handed to a process: {problem.strerror or problem}"
    return judge(path, kind.name, kind.tolerance, proof, ProofRun(logits, time.perf_counter() - start, error))


def _clean_run(path: Path, kind: Format, inputs: Tensor, values: int) -> tuple[Tensor | None, str]:
    """The logits, `values` numbers, that a fresh and confined process computes, or None and the reason."""
    files = [path, *_beside(path, kind)]
    with TemporaryFile() as given, TemporaryFile() as made:
        np.save(given, inputs.numpy())
        given.seek(0)
        limits = ProcessLimits(TIMEOUT, _memory(files, inputs), 8 * values + HEADER)
        ended = running.run(str(kind.runner), files, given, made, limits, proofs.BATCH)
        made.seek(0)
        try:
            return torch.from_numpy(np.load(made)), ""
        except (OSError, EOFError, ValueError, TypeError, MemoryError):
            return None, _reason(ended)


def _beside(path: Path, kind: Format) -> list[Path]:
    """The files beside a file that it reads."""
    return [place for name in kind.needs if (place := path.with_name(FORMATS[name].file_name)).is_file()]


def _memory(files: Sequence[Path], inputs: Tensor) -> int:
    """Bytes that loading some files, and running a batch of the images, may take."""
    batch = inputs[: proofs.BATCH]
    return PROCESS_BYTES + COPIES * sum(path.stat().st_size for path in files) + ACTIVATIONS * batch.numel() * 4


def _reason(ended: Ended) -> str:
    """Why a process has made nothing, one line that names no folder."""
    if ended.code is None:
        return f"it ran longer than {TIMEOUT} s"
    said = ended.said.strip().splitlines() or [f"its process ended with {ended.code}"]
    return _FOLDERS.sub("", said[-1].removeprefix("explorer.core.errors.BadInput: "))[:200].rstrip(".")
