from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from exported import images, names, odd

from explorer.errors import BadInput
from explorer.export import verify as verifying
from explorer.export.formats import FORMATS, export
from explorer.export.proof import Proof, prove, read
from explorer.export.verify import verify


def write(folder: Path, formats: tuple[str, ...] = tuple(FORMATS), proof: Proof | None = None) -> dict[str, Path]:
    network = odd()
    proof = proof or prove(network, images(network, 80))
    return export(network, folder, formats, original_widths={}, metrics={"after": {}}, provenance={}, proof=proof)


def test_an_export_is_a_folder_of_files_and_their_proof(tmp_path: Path) -> None:
    files = write(tmp_path / "out")
    assert names(tmp_path / "out") == ["manifest.json", "network.safetensors", "proof.safetensors"]
    assert json.loads(files["manifest"].read_text())["metrics"] == {"after": {}}
    proof = read(files["proof"])
    assert torch.equal(proof.inputs, images(odd(), 80)[:64])
    with torch.no_grad():
        assert torch.allclose(proof.logits, odd().module(proof.inputs))


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^Export format 'docx' is unknown; the formats are: safetensors"):
        write(tmp_path / "out", ("safetensors", "docx"))
    assert not (tmp_path / "out").exists()


def test_verify_reloads_every_format_in_a_clean_process(tmp_path: Path) -> None:
    write(tmp_path)
    verdicts = verify(tmp_path)
    assert [v.format for v in verdicts] == list(FORMATS)
    for verdict in verdicts:
        assert verdict.ok, verdict
        assert verdict.max_abs_difference is not None and verdict.max_abs_difference < 1e-5
        assert verdict.agreement == 1.0
        assert verdict.seconds > 0


def test_verify_measures_the_difference_and_the_agreement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = prove(odd(), images(odd(), 4))
    path = write(tmp_path, proof=proof)["safetensors"]
    wrong = proof.logits.clone()
    wrong[0, wrong[0].argmin()] += 1000
    close = proof.logits + 0.9e-4 * proof.logits.abs().max()
    far = proof.logits + 1.1e-4 * proof.logits.abs().max()
    broken = torch.full_like(wrong, torch.nan)
    answers = iter([wrong, close, far, broken, wrong[:, :2]])
    monkeypatch.setattr(verifying, "_clean_run", lambda *_: (next(answers), ""))
    first, *rest = [verify(path)[0] for _ in range(5)]
    assert (first.ok, first.agreement) == (False, 3 / 4)
    assert first.max_abs_difference == pytest.approx(1000, rel=1e-5)
    assert [v.ok for v in rest] == [True, False, False, False]
    assert [v.max_abs_difference is None for v in rest] == [False, False, True, True]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(b"not an export", r"^/.*network\.safetensors is not a safetensors file"), (None, "ran longer than 0.01 s")],
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


def test_verify_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no exported network: looked for network\.safetensors"):
        verify(tmp_path)
    path = write(tmp_path)["proof"]
    path.write_bytes((tmp_path / "network.safetensors").read_bytes())
    with pytest.raises(BadInput, match=r"proof\.safetensors has the format None; only 'pruning-explorer proof 1'"):
        verify(tmp_path)
    path.unlink()
    with pytest.raises(BadInput, match=r"proof\.safetensors does not exist: an export is verified against"):
        verify(tmp_path)
