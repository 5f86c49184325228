from __future__ import annotations

import copy
import errno
import json
import os
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch
from exported import bare, export_bytes, images, logits, names, odd
from torch import nn

from explorer.core.errors import BadInput
from explorer.export import load_pruned
from explorer.networks.graph.safetensors_file import ENTRY, load_network, write_network


def write(path: Path) -> Path:
    return write_network(odd(), path, metrics={}, provenance={"seed": 3})


def test_the_file_holds_the_bytes_of_the_download_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = write_network(odd(), tmp_path / "new" / "net.safetensors", metrics={}, provenance={})
    assert path.read_bytes() == export_bytes(odd())
    assert names(path.parent) == ["net.safetensors"]


def test_load_pruned_gives_a_frozen_network_that_knows_itself(tmp_path: Path) -> None:
    network, loaded = odd(), load_pruned(write(tmp_path / "net.safetensors"))
    assert torch.equal(logits(loaded, images(network)), logits(network.module, images(network)))
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())
    assert loaded.classes == network.classes
    assert loaded.preprocessing == network.preprocessing
    assert loaded.manifest.provenance["seed"] == 3
    assert copy.deepcopy(loaded).classes == network.classes


def test_weights_stand_under_their_state_dict_keys(tmp_path: Path) -> None:
    tensors = safetensors.torch.load_file(write(tmp_path / "net.safetensors"))
    expected = odd().module.state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[key], value) for key, value in expected.items())


def test_tied_weights_and_views_are_saved() -> None:
    network = bare(nn.Sequential(nn.Flatten(), nn.Linear(9, 9), nn.Linear(9, 9)), (1, 3, 3))
    network.module[2].weight = nn.Parameter(network.module[1].weight.t(), requires_grad=False)
    reloaded, _ = load_network(export_bytes(network))
    assert torch.allclose(logits(reloaded, images(network)), logits(network.module, images(network)), atol=1e-6)


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        BadInput, match=r"net\.safetensors can't be written \(No space left on device\): give another place"
    ):
        write(path)
    assert names(tmp_path) == ["net.safetensors"]
    assert path.read_bytes() == b"old"


def test_a_file_in_the_folder_s_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadInput, match=r"can't be written \((File exists|Not a directory)\): give another"):
        write(tmp_path / "taken" / "net.safetensors")


def with_entry(entry: str) -> bytes:
    return safetensors.torch.save({"a": torch.ones(1)}, metadata={ENTRY: entry})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "This file is not a safetensors file"),
        (b"PK\x03\x04 a pickled checkpoint", "This file is not a safetensors file"),
        (export_bytes(odd())[:-4], "This file is not a safetensors file"),
        (struct.pack("<Q", 2**60) + b"{}", "This file is not a safetensors file"),
        (safetensors.torch.save({"a": torch.ones(1)}), "This file holds no manifest of Pruning Explorer"),
        (safetensors.torch.save({"a": torch.ones(1)}, {"format": "pt"}), "holds no manifest of Pruning Explorer"),
        (with_entry("{"), "has a manifest that is not JSON"),
        (with_entry("[" * 100_000), "has a manifest that is not JSON"),
        (with_entry("null"), "has the format None"),
    ],
)
def test_another_file_is_refused_in_one_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        load_network(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.safetensors can't be read: No such file or directory\.$"):
        load_pruned(tmp_path / "gone.safetensors")


def test_metadata_is_json_that_any_reader_opens(tmp_path: Path) -> None:
    with safetensors.safe_open(write(tmp_path / "net.safetensors"), "pt") as file:
        manifest = json.loads(file.metadata()[ENTRY])
    assert manifest["classes"] == list(odd().classes)
