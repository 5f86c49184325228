"""Run folders: what is written comes back, whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from networks_at_hand import MODULES, at_hand
from safetensors.torch import load_file, save_file
from test_timeline import branched

from explorer.errors import BadInput
from explorer.export import files
from explorer.networks.network import Network, with_weights_of
from explorer.runs import FILE, FORMAT, Run, read_run, read_weights, write_run, write_weights

RUN = Run({"source": "demo", "arch": None, "digest": "ab" * 32}, {"source": "demo", "seed": 3}, branched(), {"step": 1})


@pytest.mark.parametrize("run", [RUN, Run({"source": "demo"}, {"source": "demo"})], ids=["full", "not yet measured"])
def test_a_run_comes_back_as_it_was_written(tmp_path: Path, run: Run) -> None:
    assert write_run(tmp_path / "new" / "folder", run) == tmp_path / "new" / "folder" / FILE
    assert read_run(tmp_path / "new" / "folder") == run


def test_the_file_is_json_with_its_format(tmp_path: Path) -> None:
    content = json.loads(write_run(tmp_path, RUN).read_text())
    assert content["format"] == FORMAT
    assert list(content) == ["format", "network", "data", "settings", "timeline", "weights", "finished"]
    assert [state["removed"] for state in content["timeline"]["states"]] == [[], [4], [1, 4], [4, 5]]


def test_writing_again_replaces_the_run_and_leaves_no_other_file(tmp_path: Path) -> None:
    write_run(tmp_path, RUN)
    other = Run(RUN.network, RUN.data)
    write_run(tmp_path, other)
    assert read_run(tmp_path) == other
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_run_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write_run(tmp_path, RUN)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with pytest.raises(BadInput, match=r"run\.json cannot be written: No space left on device"):
        write_run(tmp_path, Run({}, {}))
    monkeypatch.undo()
    assert read_run(tmp_path) == RUN
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write_run(tmp_path / "file" / "run", RUN)


@pytest.mark.parametrize("where", ["absent", "."])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(BadInput, match=r"is not a run folder: it holds no run\.json"):
        read_run(tmp_path / where)


def _with(**parts: object) -> bytes:
    return json.dumps({"format": FORMAT, "network": {}, "data": {}, "settings": {}, "timeline": None} | parts).encode()


DAMAGED = {
    "empty": (b"", "not JSON"),
    "text": (b"hello", "not JSON"),
    "cut short": (_with()[:-5], "not JSON"),
    "not text": (b"\xff\xfe\x00\x01", "not JSON"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "list": (b"[]", "not in the format"),
    "number": (b"1", "not in the format"),
    "another format": (_with(format="pruning-explorer run 99"), "not in the format 'pruning-explorer run 1'"),
    "network is a list": (_with(network=[]), "network, data and settings must be objects"),
    "no data": (_with(data=None), "network, data and settings must be objects"),
    "settings is text": (_with(settings="all"), "network, data and settings must be objects"),
    "finished is text": (_with(finished="no"), "finished must be true or false"),
    "weights is a number": (_with(weights=3), "must be the name of a .safetensors file beside it"),
    "weights elsewhere": (_with(weights="../weights-1.safetensors"), "must be the name of a .safetensors file"),
    "weights far away": (_with(weights="/tmp/weights-1.safetensors"), "must be the name of a .safetensors file"),
    "weights of another drive": (_with(weights="c:weights-1.safetensors"), "must be the name of a .safetensors file"),
    "weights of another kind": (_with(weights="weights-1.pt"), "must be the name of a .safetensors file"),
    "weights without end": (_with(weights=f"{'w' * 9999}.safetensors"), "must be the name of a .safetensors file"),
    "weights are gone": (_with(weights="weights-1.safetensors"), "that it names, weights-1.safetensors, are not there"),
    "timeline is a number": (_with(timeline=5), "timeline is damaged"),
    "timeline is an empty list": (_with(timeline=[]), "timeline is damaged"),
    "timeline without states": (_with(timeline={"states": [], "current": 0}), "no state 0"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gets_one_sentence(tmp_path: Path, name: str) -> None:
    content, words = DAMAGED[name]
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BadInput, match=words) as refusal:
        read_run(tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.name != "posix", reason="needs a folder in the file's place")
def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(BadInput, match="is not a run folder"):
        read_run(tmp_path)


def test_an_unfinished_run_names_its_weights(tmp_path: Path) -> None:
    run = dataclasses.replace(RUN, weights=write_weights(tmp_path, 3, at_hand("plain")), finished=False)
    write_run(tmp_path, run)
    assert run.weights == "weights-3.safetensors"
    assert read_run(tmp_path) == run


def test_a_file_that_does_not_say_so_is_of_a_finished_run(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(_with())
    assert read_run(tmp_path) == Run({}, {}, None, {}, weights=None, finished=True)


def _moved(name: str) -> Network:
    """A network with other weights than `at_hand` gives it, batch-norm statistics included."""
    network = at_hand(name)
    generator = torch.Generator().manual_seed(5)
    for value in network.module.state_dict().values():
        value.copy_(torch.rand(value.shape, generator=generator) if value.is_floating_point() else value + 7)
    return with_weights_of(network, network.module)


@pytest.mark.parametrize("name", MODULES)
def test_weights_come_back_bit_for_bit_and_change_no_network(tmp_path: Path, name: str) -> None:
    saved, before = _moved(name), at_hand(name)
    found = read_weights(tmp_path / write_weights(tmp_path, 1, saved), before)
    assert found.digest == saved.digest
    for key, value in saved.module.state_dict().items():
        assert torch.equal(found.module.state_dict()[key], value)
        assert torch.equal(before.module.state_dict()[key], at_hand(name).module.state_dict()[key])
    assert not found.module.training and not any(p.requires_grad for p in found.module.parameters())


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda path: path.unlink(), "does not hold the weights"),
    "empty": (lambda path: path.write_bytes(b""), "does not hold the weights"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "does not hold the weights"),
    "one bit flipped": (lambda path: path.write_bytes(_flipped(path.read_bytes())), "not those that were written"),
    "another network's": (lambda path: path.write_bytes(_written(path.parent, "fire")), "does not hold the weights"),
    "no digest": (lambda path: save_file(load_file(path), path), "not those that were written"),
}


def _flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def _written(folder: Path, name: str) -> bytes:
    return (folder / write_weights(folder, 9, at_hand(name))).read_bytes()


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_weights_get_one_sentence(tmp_path: Path, name: str) -> None:
    spoil, words = SPOILED[name]
    path = tmp_path / write_weights(tmp_path, 1, _moved("plain"))
    spoil(path)
    with pytest.raises(BadInput, match=rf"weights-1\.safetensors is damaged: .*{words}") as refusal:
        read_weights(path, at_hand("plain"))
    assert "\n" not in str(refusal.value)
