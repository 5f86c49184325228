"""Verify exports: load each file in a clean process and compare what it computes with its proof."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

import explorer
from explorer.errors import BadInput
from explorer.export import proof as proofs
from explorer.export.formats import FORMATS, Format
from explorer.export.proof import Proof

TOLERANCE = 1e-4  # of the largest |logit|
TIMEOUT = 600  # seconds a file

_RUN = """
import sys, torch
from safetensors.torch import load_file, save_file
path, inputs, outputs, batch = sys.argv[1:]
with torch.inference_mode():
    network = load(path)
    logits = torch.cat([network(x) for x in load_file(inputs)["inputs"].split(int(batch))])
save_file({"logits": logits.float().contiguous()}, outputs)
"""


@dataclass(frozen=True)
class Verdict:
    """How one file did against the proof.

    ok: max |difference| of logits <= 1e-4 * max |logit| of the proof, and agreement == 1.
    """

    path: Path
    format: str
    ok: bool
    max_abs_difference: float | None  # None if the file did not load or gave no comparable numbers
    agreement: float | None  # share of images with the same prediction, 0 to 1
    seconds: float  # start of the process, loading and running
    error: str = ""  # why there are no numbers, one line


def verify(where: Path, proof: Proof | None = None) -> list[Verdict]:
    """Verify an export folder, or one exported file, in the order of FORMATS.

    Each file is loaded by a fresh Python process and run on the proof's inputs; without `proof` it is the
    `proof.safetensors` beside the files. A file that fails is reported, not raised.

    Raises BadInput if there is no exported file or no proof.
    """
    found = _exported(where)
    if proof is None:
        proof = proofs.read((where if where.is_dir() else where.parent) / proofs.NAME)
    return [_verdict(path, kind, proof) for path, kind in found]


def _exported(where: Path) -> list[tuple[Path, Format]]:
    if where.is_dir():
        found = [(where / kind.file_name, kind) for kind in FORMATS.values() if (where / kind.file_name).is_file()]
    else:
        found = [(where, kind) for kind in FORMATS.values() if where.is_file() and where.suffix == kind.suffix]
    if not found:
        names = ", ".join(kind.file_name for kind in FORMATS.values())
        raise BadInput(f"{where} holds no exported network: looked for {names}.")
    return found


def _verdict(path: Path, kind: Format, proof: Proof) -> Verdict:
    start = time.perf_counter()
    logits, error = _clean_run(path, kind, proof.inputs)
    seconds = time.perf_counter() - start
    if logits is None:
        return Verdict(path, kind.name, False, None, None, seconds, error)
    if logits.shape != proof.logits.shape or not logits.isfinite().all():
        problem = f"its output has shape {tuple(logits.shape)} or values that are not finite"
        return Verdict(path, kind.name, False, None, None, seconds, problem)
    difference = float((logits - proof.logits).abs().max())
    agreement = float((logits.argmax(1) == proof.logits.argmax(1)).double().mean())
    ok = difference <= TOLERANCE * float(proof.logits.abs().max()) and agreement == 1.0
    return Verdict(path, kind.name, ok, difference, agreement, seconds)


def _clean_run(path: Path, kind: Format, inputs: Tensor) -> tuple[Tensor | None, str]:
    """The logits that a fresh process computes, or None and the reason."""
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "inputs.safetensors", Path(folder) / "logits.safetensors"
        safetensors.torch.save_file({"inputs": inputs.contiguous()}, given)
        code, places = f"{kind.loader}\n{_RUN}", [str(p) for p in (path.resolve(), given, made, proofs.BATCH)]
        command = [sys.executable, "-c", code, *places]
        try:
            done = subprocess.run(
                command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            return None, f"it ran longer than {TIMEOUT} s"
        try:
            return safetensors.torch.load_file(made)["logits"], ""
        except (OSError, SafetensorError, KeyError):
            said = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
            return None, said[-1].removeprefix("explorer.errors.BadInput: ")


def _environment() -> dict[str, str]:
    """This process's environment, with the folder of the package on the path: it need not be installed."""
    root = str(Path(str(explorer.__file__)).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
