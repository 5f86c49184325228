"""Verify exports: run each file in a clean process and compare what it computes with its proof."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

import explorer
from explorer.errors import BadInput
from explorer.export import proof as proofs
from explorer.export.formats import FORMATS, Format
from explorer.export.proof import Proof, Verdict, judge
from explorer.progress import Report, silent

TIMEOUT = 600  # seconds a file
ORIGINAL = "original"  # folder inside an export that holds the network before pruning

RUNNABLE = tuple(each for each in FORMATS.values() if each.runner)


def verify(where: Path, report: Report = silent) -> list[Verdict]:
    """Verify an export folder with the original's inside it, or one exported file, in the order of FORMATS.

    Each file is run by a fresh Python process on the inputs of the `proof.safetensors` beside it. A file that fails
    is reported, not raised.

    Raises BadInput if there is no exported file or no proof.
    """
    found = exported(where)
    if not found:
        names = ", ".join(each.file_name for each in RUNNABLE)
        raise BadInput(f"{where} holds no exported network: looked for {names}.")
    proven = {folder: proofs.read(folder / proofs.NAME) for folder in dict.fromkeys(path.parent for path, _ in found)}
    verdicts = []
    for done, (path, kind) in enumerate(found):
        report(done, len(found), path.name)
        verdicts.append(_verdict(path, kind, proven[path.parent]))
    return verdicts


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
        logits, error = _clean_run(path, kind, proof.pixels if kind.takes_pixels else proof.inputs)
    except OSError as problem:  # of a temporary folder without room
        logits, error = None, f"its images cannot be handed to a process: {problem.strerror or problem}"
    return judge(path, kind.name, kind.tolerance, proof, logits, time.perf_counter() - start, error)


def _clean_run(path: Path, kind: Format, inputs: Tensor) -> tuple[Tensor | None, str]:
    """The logits that a fresh process computes, or None and the reason."""
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "inputs.npy", Path(folder) / "logits.npy"
        np.save(given, inputs.numpy())
        command = [sys.executable, "-c", str(kind.runner), *map(str, (path.resolve(), given, made, proofs.BATCH))]
        try:
            done = subprocess.run(
                command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            return None, f"it ran longer than {TIMEOUT} s"
        try:
            return torch.from_numpy(np.load(made)), ""
        except (OSError, ValueError, TypeError):
            said = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
            return None, said[-1].removeprefix("explorer.errors.BadInput: ")


def _environment() -> dict[str, str]:
    """This process's environment, with the folder of the package on the path: it need not be installed."""
    root = str(Path(str(explorer.__file__)).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
