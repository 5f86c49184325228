from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import torch
from exported import described, names, odd, proven

from explorer.core.errors import BadInput
from explorer.export import formats
from explorer.export import proof as proofs
from explorer.export import verify as verifying
from explorer.export.folders import export, export_proven
from explorer.export.formats import FORMATS, formats_for
from explorer.export.proof import ProofRun, judge, read
from explorer.export.verify import RUNNABLE, verify


def write(folder: Path, *wanted: str) -> dict[str, Path]:
    return export(described(odd()), folder, wanted or ("safetensors",), proven(odd()))


def test_every_format_computes_the_same_in_a_clean_process(tmp_path: Path) -> None:
    files, verdicts = export_proven(described(odd()), tmp_path / "out", ["all"], proven(odd()))
    assert names(tmp_path / "out") == sorted([*(f.file_name for f in FORMATS.values()), "manifest.json", proofs.NAME])
    assert [v.format for v in verdicts] == ["safetensors", "model", "pt2", "onnx", "onnx-pixels"]
    assert [v.tolerance for v in verdicts] == [1e-4, 1e-4, 1e-4, 1e-3, 1e-3]
    assert [v.path for v in verdicts] == [files[v.format] for v in verdicts]
    for verdict in verdicts:
        assert verdict.ok, verdict
        assert verdict.max_relative_difference is not None and verdict.max_relative_difference < 1e-5
        assert verdict.agreement == 1.0
        assert verdict.accuracy == pytest.approx(read(files["proof"]).accuracy)
    report = files["report"].read_text()
    assert all(verdict.path.name in report for verdict in verdicts)


def test_a_proof_gives_back_the_pixels() -> None:
    proof = proven(odd())
    assert torch.allclose(proof.pixels, proof.inputs * 0.25 + 0.5)


def test_what_a_format_needs_is_written_too() -> None:
    assert [each.name for each in formats_for(["model"])] == ["safetensors", "model"]
    assert [each.name for each in formats_for(["report", "all"])] == list(FORMATS)


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^Export format 'docx' is unknown; the formats are: safetensors"):
        write(tmp_path / "out", "safetensors", "docx")
    assert not (tmp_path / "out").exists()


def test_a_format_without_its_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "onnxscript" else importlib)
    with pytest.raises(BadInput, match=r"^The format onnx needs the package onnxscript, which is not installed: pip"):
        write(tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()


def test_a_verdict_tells_difference_agreement_and_accuracy() -> None:
    proof = proven(odd(), 4)
    largest = float(proof.logits.abs().max())
    wrong = proof.logits.clone()
    wrong[0, wrong[0].argmin()] += 1000
    first = judge(Path(), "pt2", 1e-4, proof, ProofRun(wrong, 1.0))
    assert (first.ok, first.agreement) == (False, 3 / 4)
    assert first.max_abs_difference == pytest.approx(1000, rel=1e-5)
    assert first.max_relative_difference == pytest.approx(1000 / largest, rel=1e-5)
    for share, ok in ((0.9e-4, True), (1.1e-4, False)):
        assert judge(Path(), "pt2", 1e-4, proof, ProofRun(proof.logits + share * largest, 1.0)).ok == ok
    for broken in (torch.full_like(wrong, torch.nan), wrong[:, :2]):
        found = judge(Path(), "pt2", 1e-4, proof, ProofRun(broken, 1.0))
        assert (found.ok, found.max_abs_difference) == (False, None)
        assert found.error.startswith("its output has shape (4, ")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(b"not an export", r"^network\.safetensors is not a safetensors file"), (None, "ran longer than 0.01 s")],
)
def test_a_file_that_fails_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None, reason: str
) -> None:
    path = write(tmp_path)["safetensors"]
    if damage is None:
        monkeypatch.setattr(verifying, "TIMEOUT", 0.01)
    else:
        path.write_bytes(damage)
    (verdict,) = verify(tmp_path)
    assert not verdict.ok
    assert verdict.max_abs_difference is None
    assert re.search(reason, verdict.error)


def test_only_safetensors_may_use_this_package() -> None:
    assert [f.name for f in RUNNABLE if "explorer.export" in str(f.runner)] == ["safetensors"]
    assert all('sys.modules["explorer"] = None' in str(f.runner) for f in RUNNABLE[1:])


def test_verify_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no exported network: looked for network\.safetensors"):
        verify(tmp_path)
    path = write(tmp_path)["proof"]
    path.write_bytes((tmp_path / "network.safetensors").read_bytes())
    with pytest.raises(BadInput, match=r"proof\.safetensors has the format None; only 'pruning-explorer proof 2'"):
        verify(tmp_path)
    path.unlink()
    with pytest.raises(BadInput, match=r"proof\.safetensors does not exist: an export is verified against"):
        verify(tmp_path)
