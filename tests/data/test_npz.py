from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import picture

from explorer.core.errors import BadInput
from explorer.data import open_images

N = 12
X = np.stack([picture(i) for i in range(N)])
Y = np.arange(N) % 3
CODES = (np.arange(N) // 4).astype(np.uint8)
NAMES = ["calibration", "validation", "test"]


@pytest.mark.parametrize(
    "x", [X, X[..., 0], X[..., :1], np.asfortranarray(X)], ids=["rgb", "grey", "grey 4d", "fortran"]
)
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, np.uint64])
def test_images_and_labels(save_npz, x, kind):
    images = open_images(str(save_npz(x=x, y=Y.astype(kind))))
    assert images.name == "set"
    assert images.labels.dtype == np.int64
    assert images.labels.tolist() == Y.tolist()
    assert np.array_equal(images.source, x)
    assert images.classes == ("0", "1", "2")
    assert not images.stored_splits


def test_uncompressed_archive(tmp_path):
    np.savez(tmp_path / "set.npz", x=X, y=Y)
    assert np.array_equal(open_images(str(tmp_path / "set.npz")).source, X)


def test_class_names_and_stored_splits(save_npz):
    images = open_images(str(save_npz(x=X, y=Y, classes=["a", "b", "c", "d"], split=CODES, split_names=NAMES)))
    assert images.classes == ("a", "b", "c", "d")
    assert images.stored_splits
    assert {name: sorted(members) for name, members in images.splits.items()} == {
        "calibration": [0, 1, 2, 3],
        "validation": [4, 5, 6, 7],
        "test": [8, 9, 10, 11],
    }


def test_other_arrays_are_not_read(save_npz):
    assert len(open_images(str(save_npz(x=X, y=Y, notes=np.array([{}], dtype=object))))) == N


def test_limit(save_npz):
    path = str(save_npz(x=X, y=Y))
    assert np.bincount(open_images(path, limit=6).labels).tolist() == [2, 2, 2]


def test_real_archive(shared_data):
    images = open_images(str(shared_data / "cifar10" / "train4000_lossless.npz"))
    assert images.source.shape == (4000, 32, 32, 3)
    assert len(images.classes) == 10


NAN_LABELS = np.where(Y == 0, np.nan, Y)
MALFORMED = {
    "no x": ({"y": Y}, "has no array 'x'"),
    "no y": ({"x": X}, "has no array 'y'"),
    "nothing": ({}, "has no array 'x'"),
    "normalised x": ({"x": X / 128 - 1, "y": Y}, r"holds 'x' as float64 from -\S+ to \S+: floats must be from 0 to 1"),
    "no whole x": ({"x": X * 0.99, "y": Y}, "or whole from 0 to 255; save what is not normalised"),
    "x beyond": ({"x": X * 2.0, "y": Y}, "or whole from 0 to 255"),
    "parts of other types": ({"x_train": X, "y_train": Y, "x_test": X / 255, "y_test": Y}, "in unlike types"),
    "nan x": ({"x": np.full(X.shape, np.nan), "y": Y}, "holds 'x' as float64"),
    "int64 x": ({"x": X.astype(np.int64), "y": Y}, "holds 'x' as int64"),
    "bool x": ({"x": X > 9, "y": Y}, "holds 'x' as bool"),
    "object x": ({"x": np.array([{}] * N, dtype=object), "y": Y}, "holds 'x' as object"),
    "structured x": ({"x": np.zeros(N, [("a", "u1")]), "y": Y}, r"holds 'x' as \[\('a', 'u1'\)\]"),
    "two of all sides": ({"x": X[:, :2, :2, :2], "y": Y}, r"of shape \(12, 2, 2, 2\): it must be"),
    "channels nowhere": ({"x": X.transpose(0, 1, 3, 2), "y": Y}, r"of shape \(12, 6, 3, 8\)"),
    "flat x": ({"x": X.reshape(N, -1), "y": Y}, r"of shape \(12, 144\)"),
    "scalar x": ({"x": np.uint8(3), "y": Y}, r"of shape \(\)"),
    "no images": ({"x": X[:0], "y": Y[:0]}, r"of shape \(0, 6, 8, 3\)"),
    "no height": ({"x": X[:, :0], "y": Y}, r"of shape \(12, 0, 8, 3\)"),
    "float y": ({"x": X, "y": Y / 2}, "holds 'y' as float64 with values that are no whole numbers"),
    "nan y": ({"x": X, "y": NAN_LABELS}, "holds 'y' as float64"),
    "text y": ({"x": X, "y": Y.astype(str)}, "holds 'y' as <U21"),
    "object y": ({"x": X, "y": np.array([0] * N, dtype=object)}, "holds 'y' as object"),
    "two labels an image": ({"x": X, "y": np.stack([Y, Y], 1)}, r"holds 'y' of shape \(12, 2\) that is not one-hot"),
    "cube of labels": ({"x": X, "y": Y[:, None, None]}, r"holds 'y' of shape \(12, 1, 1\): it must be \(N,\)"),
    "one-hot beside names": ({"x": X, "y": np.eye(3, dtype=int)[Y], "classes": ["a", "b"]}, "but has 2 classes"),
    "other names": ({"pictures": X, "labels": Y}, "has no array 'x' .images.: .*; it has labels, pictures"),
    "parts of other shapes": (
        {"x_train": X, "y_train": Y, "x_test": X[..., 0], "y_test": Y},
        "holds parts whose images or labels are of unlike shapes",
    ),
    "short y": ({"x": X, "y": Y[:-1]}, "has 12 images in 'x' but 11 values in 'y'"),
    "negative y": ({"x": X, "y": Y - 1}, "has -1 in 'y'"),
    "huge y": ({"x": X, "y": Y + 10**15}, "has 1000000000000002 in 'y': values must be 0 to 65535"),
    "wrapped y": ({"x": X, "y": Y.astype(np.uint64) + np.uint64(2**63)}, "has 9223372036854775810 in 'y'"),
    "few classes": ({"x": X, "y": Y, "classes": ["a", "b"]}, "label 2 in 'y', but only 2 classes"),
    "number classes": ({"x": X, "y": Y, "classes": [1, 2, 3]}, "holds 'classes' as int64: it must be strings"),
    "object classes": ({"x": X, "y": Y, "classes": np.array(["a", "b", "c"], dtype=object)}, "'classes' as object"),
    "square classes": ({"x": X, "y": Y, "classes": [["a"], ["b"], ["c"]]}, r"'classes' of shape \(3, 1\)"),
    "blank class": ({"x": X, "y": Y, "classes": ["a", " ", "c"]}, "holds ' ' in 'classes'"),
    "surrogate": ({"x": X, "y": Y, "classes": ["a", "\ud800", "c"]}, "names must be printable"),
    "no characters": (
        {"x": X, "y": Y, "classes": np.array([0x7FFFFFFF] * 3, np.uint32).view("U1")},
        "holds 'classes' with bytes that are no text",
    ),
    "codes alone": ({"x": X, "y": Y, "split": CODES}, "must have both 'split' .* and 'split_names'"),
    "names alone": ({"x": X, "y": Y, "split_names": NAMES}, "must have both"),
    "short codes": ({"x": X, "y": Y, "split": CODES[1:], "split_names": NAMES}, "but 11 values in 'split'"),
    "float codes": ({"x": X, "y": Y, "split": CODES / 2, "split_names": NAMES}, "holds 'split' as float64"),
    "code too high": ({"x": X, "y": Y, "split": CODES, "split_names": NAMES[:2]}, "has 2 in 'split', but only 2"),
    "negative code": ({"x": X, "y": Y, "split": CODES - 1.0 > 0, "split_names": NAMES}, "holds 'split' as bool"),
    "code below 0": ({"x": X, "y": Y, "split": CODES.astype(int) - 1, "split_names": NAMES}, "has -1 in 'split'"),
    "name twice": ({"x": X, "y": Y, "split": CODES, "split_names": ["test"] * 3}, "names a split twice"),
    "other name": ({"x": X, "y": Y, "split": CODES, "split_names": ["a", "b", "c"]}, "stored splits are a, b, c"),
}


@pytest.mark.parametrize(("arrays", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_arrays_give_one_sentence(save_npz, arrays, message):
    with pytest.raises(BadInput, match=message) as caught:
        open_images(str(save_npz(**arrays)))
    assert "\n" not in str(caught.value)


def npy(shape: tuple[int, ...], descr: str = "|u1", body: bytes = b"") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def array(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


HOSTILE = {
    "claims 8 GiB": (
        {"x.npy": npy((1 << 13, 1 << 10, 1 << 10)), "y.npy": npy((1 << 13,))},
        "has 8 GiB unpacked: at most 2 GiB",
    ),
    "claims in labels": (
        {"x.npy": npy((1 << 30, 1, 1)), "y.npy": npy((1 << 30,), "<i8")},
        "'x', has 1,073,741,824 images: at most 1,500,000",
    ),
    "wide strings": (
        {"x.npy": array(X), "y.npy": array(Y), "classes.npy": npy((3,), "<U199999999")},
        "has 2.24 GiB unpacked",
    ),
    "many classes": (
        {"x.npy": array(X), "y.npy": array(Y), "classes.npy": npy((70_000,), "<U1")},
        "'classes', has 70,000 classes",
    ),
    "overflowing shape": ({"x.npy": npy((1 << 40, 1 << 40, 1 << 40)), "y.npy": array(Y)}, "at most 1,500,000 images"),
    "negative shape": ({"x.npy": npy((-12, 6, 8)), "y.npy": array(Y)}, "of shape"),
    "short body": ({"x.npy": npy((12, 6, 8), body=b"abc"), "y.npy": array(Y)}, "can't be read as .npz"),
    "no npy": ({"x.npy": b"hello world", "y.npy": array(Y)}, "can't be read as .npz"),
    "empty member": ({"x.npy": b"", "y.npy": array(Y)}, "can't be read as .npz"),
    "later version": ({"x.npy": b"\x93NUMPY\x03\x00" + b"\0" * 9, "y.npy": array(Y)}, r"npy version \(3, 0\)"),
    "code as header": (
        {"x.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 19) + b"__import__('os').x\n", "y.npy": array(Y)},
        "can't be read as .npz",
    ),
    "shadowing member": ({"x": array(X / 255), "x.npy": array(X), "y.npy": array(Y)}, None),
    "member without suffix": ({"x": array(X), "y": array(Y)}, "has no array 'x'"),
}


def zipped(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


@pytest.mark.parametrize(("members", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives(tmp_path, members, message):
    path = zipped(tmp_path / "hostile.npz", members)
    if message is None:
        assert open_images(path).source.dtype == np.uint8
        return
    with pytest.raises(BadInput, match=message) as caught:
        open_images(path)
    assert "\n" not in str(caught.value)


def test_member_longer_than_it_says_is_not_unpacked(tmp_path):
    path = zipped(tmp_path / "long.npz", {"x.npy": array(X) + bytes(1 << 26), "y.npy": array(Y)})
    assert np.array_equal(open_images(path).source, X)


def test_pickled_code_is_never_run(tmp_path, save_npz):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    with pytest.raises(BadInput, match="holds 'x' as object"):
        open_images(str(save_npz(x=np.array([Trap()], dtype=object), y=[0])))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content", [b"", b"text", b"PK\x03\x04" + bytes(40), array(X)], ids=["empty", "text", "cut", "npy"]
)
def test_no_archive(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.npz is no \.npz file"):
        open_images(str(tmp_path / "a.npz"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_are_read_right_or_refused(tmp_path, data):
    path = tmp_path / "damaged.npz"
    np.savez_compressed(path, x=X[:3], y=Y[:3], classes=["a", "b", "c"])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        images = open_images(str(path))
    except BadInput as error:
        assert "\n" not in str(error)
    else:
        assert images.labels.max() < len(images.classes)
