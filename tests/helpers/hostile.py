"""Files that a checkpoint reader must refuse: each made here, with what the refusal has to say."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save as save_safetensors
from torch import nn
from torch._utils import _rebuild_tensor_v2

from explorer.networks.checkpoints.legacy import MAGIC

WEIGHTS = {"conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "conv.bias": torch.tensor([1.0, -1.0])}


class Refused(NamedTuple):
    """A file and the words that its refusal must hold."""

    name: str
    data: bytes
    match: str


def saved(content: object, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(content: Mapping[str, bytes] | list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in content.items() if isinstance(content, Mapping) else content:
            made.writestr(name, data)
    return buffer.getvalue()


class Evil:
    """Makes the folder `marker` when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.marker,)


class Storage(NamedTuple):
    key: str
    items: int


class View:
    """Pickles as a float tensor that views a storage in any way it likes."""

    def __init__(self, storage: Storage, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> None:
        self.arguments = (storage, offset, size, stride, False, OrderedDict())

    def __reduce__(self) -> tuple:
        return _rebuild_tensor_v2, self.arguments


class Crafted(pickle.Pickler):
    """A pickler in torch's form, for storages that need not exist."""

    def persistent_id(self, value: object) -> object:
        if isinstance(value, Storage):
            return ("storage", torch.FloatStorage, value.key, "cpu", value.items)
        return None


def crafted(content: object) -> bytes:
    buffer = io.BytesIO()
    Crafted(buffer, 2).dump(content)
    return buffer.getvalue()


def zipped(pickled: bytes, storage: bytes = b"\0" * 8) -> bytes:
    """A zip checkpoint with this pickle and one storage of key "0"."""
    return archive({"a/data.pkl": pickled, "a/byteorder": b"little", "a/data/0": storage, "a/version": b"3\n"})


def legacy(pickled: bytes, storage: bytes = struct.pack("<qff", 2, 1, 2)) -> bytes:
    """A checkpoint in the older format with this pickle and one storage of key "0"."""
    head = [pickle.dumps(value, 2) for value in (MAGIC, 1001, {"little_endian": True})]
    return b"".join(head) + pickled + pickle.dumps(["0"], 2) + storage


def safetensors(header: object, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def nested(depth: int) -> dict:
    content: dict = dict(WEIGHTS)
    for _ in range(depth):
        content = {"inner": content}
    return content


def code(marker: Path) -> list[Refused]:
    """Files that run code for a careless reader."""
    evil = Evil(marker)
    net = nn.Sequential(nn.Conv2d(3, 2, 2))
    return [
        Refused("code.pt", saved({**WEIGHTS, "x": evil}), r"pickled code \((posix|nt)\.mkdir\); only weights are read"),
        Refused("code.th", saved({**WEIGHTS, "x": evil}, zipped=False), "pickled code"),
        Refused("later.ckpt", legacy(crafted({}))[:-30] + pickle.dumps(evil, 2), "pickled code|truncated"),
        *(Refused(f"plain{n}.bin", pickle.dumps(evil, n), "pickled code|not a torch checkpoint") for n in range(6)),
        Refused("module.pth", saved(net), r"whole pickled module \(torch\.nn\.modules\.container\.Sequential\)"),
        Refused("module.th", saved(net, zipped=False), "whole pickled module"),
        Refused("sparse.pt", saved({"a.weight": torch.eye(2).to_sparse()}), "holds a.weight as a sparse tensor"),
        Refused("array.pt", zipped(pickle.dumps({"a": bytearray(9)}, 2)), "holds no weights"),
    ]


def giants() -> list[Refused]:
    """Files that claim far more than they hold."""
    bomb = archive(members(saved({"a": torch.zeros(5_000_000)})), zipfile.ZIP_DEFLATED)
    two = Storage("0", 2)
    many = {f"{n}.weight": View(two, (2,), (1,)) for n in range(5)}
    return [
        Refused("bomb.pt", bomb, "compressed zip member"),
        Refused(
            "giant.pt", saved({"a.weight": torch.zeros(1).expand(100_000, 100_000)}), "claims 40,000,000,000 bytes"
        ),
        Refused(
            "giant.th", saved({"a.weight": torch.zeros(1).expand(10**5, 10**5)}, False), "claims 40,000,000,000 bytes"
        ),
        Refused("stride.pt", zipped(crafted({"a": View(two, (2,), (10**10,))})), "claims 40,000,000,004 bytes"),
        Refused("offset.pt", zipped(crafted({"a": View(two, (1,), (1,), 10**10)})), "claims 40,000,000,004 bytes"),
        Refused("storage.pt", zipped(crafted({"a": View(Storage("0", 10**10), (2,), (1,))})), "not in the file"),
        Refused("storage.th", legacy(crafted({"a": View(Storage("0", 10**10), (2,), (1,))})), "storages claim more"),
        Refused("views.pt", zipped(crafted(many)), "claims 40 bytes of tensors, and holds 8"),
        Refused("absent.pt", zipped(crafted({"a": View(Storage("1", 2), (2,), (1,))})), "not in the file"),
        Refused("header.safetensors", struct.pack("<Q", 1 << 60) + b"{}", "header is longer than the file"),
    ]


def archives() -> list[Refused]:
    """Zip archives that play tricks on their readers."""
    good = saved(WEIGHTS)
    parts = members(good)
    pickled = parts["archive/data.pkl"]
    evil = [("../evil", b"1"), ("archive/../../evil", b"1"), ("/archive/evil", b"1"), ("archive/a\\b", b"1")]
    twins = [("archive/data.pkl", pickled), ("archive/DATA.pkl", pickled)]
    return [
        *(Refused(f"path{n}.pt", archive([*parts.items(), trick]), "unsafe name") for n, trick in enumerate(evil)),
        Refused("twins.pt", archive([*parts.items(), *twins[1:]]), "two zip members of the same name"),
        Refused("folders.pt", archive([*parts.items(), ("other/data.pkl", pickled)]), "several folders"),
        Refused("arrays.pt", archive({"x/weights": b"1"}), "no data.pkl"),
        Refused("prefixed.pt", b"PK\x03\x04" + good, "inconsistent.* zip directory"),
        Refused("trailing.pt", good + b"\0" * 40, "does not end with a directory"),
        Refused("empty.pt", b"PK\x03\x04" + archive({})[:-6] + struct.pack("<LH", 4, 0), "is an empty zip archive"),
        Refused("many.pt", archive([(f"a/{n}", b"") for n in range(20_001)]), "has 20,001 files in its archive"),
    ]


def pickles() -> list[Refused]:
    """Pickles that no state dict has."""
    twice = b"\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u."
    deep_key = b"\x80\x02})" + b"\x85" * 100_000 + b"K\x01s."
    return [
        Refused("twice.pt", zipped(twice), "has the key 'a' twice"),
        Refused("deep.pt", saved(nested(40)), "nested more than 32 levels"),
        Refused("deep.th", saved(nested(40), zipped=False), "nested more than 32 levels"),
        Refused("deep_key.pt", zipped(deep_key), "nested more than 32 levels"),
        Refused("tuple_key.pt", zipped(b"\x80\x02})K\x01s."), "holds no weights"),
        Refused(
            "attributes.pt", zipped(b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\0\0\0itemsK\x01sb."), "no weights"
        ),
        Refused("underflow.pt", zipped(b"\x80\x02R."), "no plain state dict"),
        Refused("harmless.pt", pickle.dumps({"a": 1}, 2), "holds no weights"),
    ]


def contents() -> list[Refused]:
    """Sound files that hold something else than a network's weights."""
    inf, nan = float("inf"), float("nan")
    return [
        Refused("integers.pt", saved({"conv.weight": torch.ones(2, dtype=torch.int64)}), "conv.weight of type int64"),
        Refused("complex.pt", saved({"a.bias": torch.ones(2, dtype=torch.complex64)}), "a.bias of type complex64"),
        Refused("nan.pt", saved({**WEIGHTS, "b.weight": torch.tensor([1, nan])}), "NaN or infinite values in b.weight"),
        Refused("inf.th", saved({"b.bias": torch.tensor([inf])}, zipped=False), "NaN or infinite values in b.bias"),
        Refused("big.pt", saved({"b.bias": torch.tensor([1e300], dtype=torch.float64)}), "infinite values in b.bias"),
        Refused("nan.safetensors", save_safetensors({"w": torch.tensor([nan])}), "NaN or infinite values in w"),
        Refused("int.safetensors", save_safetensors({"w": torch.ones(2, dtype=torch.int8)}), "w of type int8"),
        Refused("list.pt", saved([torch.ones(2)]), "holds tensors without names"),
        Refused("tensor.pt", saved(torch.ones(2)), "holds a single tensor, not a dictionary"),
        Refused("none.pt", saved({"epoch": 3, "optimizer": {}}), "holds no weights"),
        Refused("key.pt", saved({"a\nb": torch.ones(2)}), "which no network has"),
    ]


def safetensors_files() -> list[Refused]:
    """Headers that do not describe their bytes."""
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    twice = b'{"a":' + json.dumps(entry).encode() + b',"a":' + json.dumps(entry).encode() + b"}"
    files = {
        "overlap": ({"a": entry, "b": {**entry, "data_offsets": [2, 6]}}, b"\0" * 6),
        "outside": ({"a": {**entry, "data_offsets": [0, 400], "shape": [100]}}, b"\0" * 8),
        "backwards": ({"a": {**entry, "data_offsets": [4, 0]}}, b"\0" * 4),
        "claims": ({"a": {**entry, "shape": [10**12]}}, b"\0" * 4),
        "dtype": ({"a": {**entry, "dtype": "PICKLE"}}, b"\0" * 4),
        "hole": ({"a": entry}, b"\0" * 400),
    }
    return [
        *(
            Refused(f"{name}.safetensors", safetensors(*file), "does not match its bytes")
            for name, file in files.items()
        ),
        Refused("twice.safetensors", safetensors(twice, b"\0" * 4), "has the key 'a' twice"),
        Refused("deep.safetensors", safetensors(b"[" * 100_000), "header that is not JSON"),
        Refused("list.safetensors", safetensors(b"[]"), "no JSON object"),
        Refused(
            "manifest.safetensors", save_safetensors({"w": torch.ones(1)}, {"manifest": "{"}), "manifest.*not JSON"
        ),
        Refused("huge.safetensors", safetensors(b" " * (17 << 20)), "has 17 MiB of a header"),
    ]


def other_files() -> list[Refused]:
    """No checkpoints at all."""
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
    return [
        *(Refused(f"empty{suffix}", b"", "is empty") for suffix in (".pt", ".safetensors", ".th")),
        *(
            Refused(f"text{n}.pt", text, "not a torch")
            for n, text in enumerate([b"hello", b"class,path\na,b\n", b"{}"])
        ),
        Refused("image.pt", png, "not a torch checkpoint"),
        Refused("photo.pth", b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 50, "not a torch checkpoint"),
        Refused("text.safetensors", b"hello, world and all", "header is longer than the file"),
        Refused("network.onnx", b"\x08\x08\x12\x07pytorch", r"is an ONNX graph.*torch\.save\(model\.state_dict"),
        Refused("network.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "is an HDF5 file, as Keras writes"),
        Refused("network.keras", archive({"config.json": b"{}", "model.weights.h5": b"1"}), "is a Keras network"),
        Refused("network.tflite", b"\x1c\0\0\0TFL3" + b"\0" * 50, "is a TensorFlow Lite network"),
        Refused("weights.pth.gz", b"\x1f\x8b\x08" + b"\0" * 50, "compressed with gzip; unpack it first"),
        Refused("weights.npz", archive({"a.npy": b"1"}), "is a NumPy archive"),
        Refused(
            "script.pt", archive({"a/data.pkl": b"N.", "a/constants.pkl": b"N."}), r"TorchScript.*torch\.jit\.load"
        ),
        Refused("export.pt2", archive({"a/archive_format": b"pt2"}), r"torch\.export\.load\('export\.pt2'\)"),
    ]


def truncated() -> list[Refused]:
    """Good files cut short at several points."""
    whole = {"a.pt": saved(WEIGHTS), "a.th": saved(WEIGHTS, zipped=False), "a.safetensors": save_safetensors(WEIGHTS)}
    return [
        Refused(name, data[: int(len(data) * share)], "truncated|damaged|not a torch checkpoint|no plain")
        for name, data in whole.items()
        for share in (0.02, 0.2, 0.5, 0.8, 0.99)
    ]


def corpus(marker: Path) -> list[Refused]:
    """All of them; `marker` is the folder that their code would make."""
    makers = (giants, archives, pickles, contents, safetensors_files, other_files, truncated)
    return [*code(marker), *(file for maker in makers for file in maker())]
