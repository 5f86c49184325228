"""Checkpoints: what is read, in all its wrappings; and a corpus of hostile files, each refused in one sentence."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
import torch
from hostile import WEIGHTS, Refused, corpus, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.checkpoints import reading as checkpoints
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.networks.checkpoints.state_dicts import plain

MARKER = Path("/nonexistent/marker")


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


def plain_weights(data: bytes, name: str) -> dict[str, Tensor]:
    """All tensors of a file, judged as those that a network takes from it."""
    read = read_checkpoint(data, name).weights
    try:
        return {path: plain(path, tensor) for path, tensor in read.items()}
    except BadInput as error:
        raise BadInput(f"{name} {error}.") from error


@pytest.mark.parametrize("file", corpus(MARKER), ids=lambda file: f"{file.name}-{len(file.data)}")
def test_hostile_file_is_refused_in_one_sentence(file: Refused) -> None:
    start = time.process_time()
    with pytest.raises(BadInput, match=file.match) as refusal:
        plain_weights(file.data, file.name)
    assert time.process_time() - start < 1
    text = str(refusal.value)
    assert re.fullmatch(rf"{re.escape(file.name)} \S.*[^.]\.", text) and len(text) < 320


def test_pickled_code_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for file in corpus(marker):
        path = tmp_path / file.name
        path.write_bytes(file.data)
        with pytest.raises(BadInput):
            plain_weights(path.read_bytes(), file.name)
    assert not marker.exists()


def test_refusal_comes_before_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    frombuffer = torch.frombuffer
    monkeypatch.setattr(torch, "frombuffer", lambda *args, **rest: made.append(args) or frombuffer(*args, **rest))
    for file in corpus(MARKER):
        if re.search("claims|compressed|code|unsafe|nested", file.match):
            with pytest.raises(BadInput):
                read_checkpoint(file.data, file.name)
    assert not made
    read_checkpoint(saved(WEIGHTS), "good.pt")
    assert len(made) == len(WEIGHTS)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@settings(max_examples=150)
@given(
    kind=st.sampled_from(["pt", "th", "safetensors"]),
    place=st.floats(0, 1),
    bits=st.integers(1, 255),
    cut=st.booleans(),
)
def test_damaged_file_is_read_or_refused(kind: str, place: float, bits: int, cut: bool) -> None:
    good = {"pt": saved(WEIGHTS), "th": saved(WEIGHTS, False), "safetensors": save_safetensors(WEIGHTS)}[kind]
    index = int(place * (len(good) - 1))
    damaged = good[:index] if cut else good[:index] + bytes([good[index] ^ bits]) + good[index + 1 :]
    try:
        weights = plain_weights(damaged, f"damaged.{kind}")
    except BadInput as refusal:
        assert str(refusal).startswith("damaged.")
    else:
        assert not cut and all(tensor.isfinite().all() for tensor in weights.values())


def test_training_checkpoint_gives_its_tensors_under_their_paths() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 3, 4, 4)).sum().backward()
    optimizer.step()
    steps = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])
    extras = {"optimizer": optimizer.state_dict(), "scheduler": steps.state_dict(), "random": torch.get_rng_state()}
    assert isinstance(extras["scheduler"]["milestones"], Counter)
    content = {"net": {"state_dict": net.state_dict()}, "best": 0.9, "device": torch.device("cpu"), **extras}
    found = read_checkpoint(saved(content), "a.ckpt")
    start = "net/state_dict/"
    read = {path.removeprefix(start): value for path, value in found.weights.items() if path.startswith(start)}
    assert same(read, dict(net.state_dict())) and read["1.num_batches_tracked"].dtype == torch.int64
    assert torch.equal(found.weights["optimizer/state/0/exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"])
    assert {"best", "optimizer/param_groups/0/lr"} <= {*found.others}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["a.pt", "a.th", "a.safetensors"])
def test_other_floats_become_float32(dtype: torch.dtype, name: str) -> None:
    stored = {key: tensor.to(dtype) for key, tensor in WEIGHTS.items()}
    data = save_safetensors(stored) if name.endswith("safetensors") else saved(stored, name == "a.pt")
    read = plain_weights(data, name)
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    assert all(torch.equal(read[key], WEIGHTS[key]) for key in WEIGHTS)  # small whole numbers are exact in all three


def test_shared_and_strided_tensors_are_read() -> None:
    whole = torch.arange(6.0).reshape(2, 3)
    read = plain_weights(saved({"a": whole, "b": whole.T, "c": whole[1]}), "a.pt")
    assert same(read, {"a": whole, "b": whole.T, "c": torch.tensor([3.0, 4.0, 5.0])})
    assert all(tensor.is_contiguous() for tensor in read.values())


def test_path_bytes_and_stream_give_the_same(tmp_path: Path) -> None:
    data = saved(WEIGHTS, zipped=False)
    path = tmp_path / "weights.th"
    path.write_bytes(data)
    for source in (path, data, io.BytesIO(data)):
        checkpoint = read_checkpoint(source, "weights.th")
        assert same(dict(checkpoint.weights), WEIGHTS) and checkpoint.digest == hashlib.sha256(data).hexdigest()
        assert checkpoint.name == "weights.th" and checkpoint.metadata == {}


def test_manifest_is_read() -> None:
    manifest = {"arch": "explorer:vgg_small", "classes": ["a", "b"]}
    data = save_safetensors(WEIGHTS, {"manifest": json.dumps(manifest), "format": "pt"})
    checkpoint = read_checkpoint(data, "a.safetensors")
    assert checkpoint.metadata == manifest and sorted(checkpoint.weights) == sorted(WEIGHTS)


def test_missing_file_folder_and_oversized_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"^none\.pt can't be opened: No such file or directory\.$"):
        read_checkpoint(tmp_path / "none.pt")
    with pytest.raises(BadInput, match=r"^folder\.pt is no regular file"):
        read_checkpoint(tmp_path, "folder.pt")
    monkeypatch.setattr(checkpoints, "LIMIT", 1000)
    with pytest.raises(BadInput, match=r"a checkpoint has 1 to 1,000\.$"):
        read_checkpoint(saved(WEIGHTS), "a.pt")


def test_real_checkpoints(shared_data: Path) -> None:
    cifar = read_checkpoint(shared_data / "cifar10" / "resnet20-12fca82f.th")
    assert cifar.weights["state_dict/module.linear.weight"].shape == (10, 64) and cifar.digest.startswith("12fca82f")
    leaf = read_checkpoint(shared_data / "leaf" / "squeezenet1_0_leaf.pth")
    assert leaf.weights["classifier.1.weight"].shape == (4, 512, 1, 1)
