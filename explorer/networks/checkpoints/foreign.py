"""Files of other kinds: each named by its content, with the line of Python that converts it."""

from __future__ import annotations

from collections.abc import Collection

SAVE = 'torch.save({}, "weights.pth")'
FILE_PLACEHOLDER = "{file}"  # stands for the file's name, as Python writes it
SCRIPT = f"save the weights where the network is built: {SAVE.format('model.state_dict()')}"
TORCHSCRIPT = "is TorchScript, a program that is not run here; save its weights alone: " + SAVE.format(
    f"torch.jit.load({FILE_PLACEHOLDER}).state_dict()"
)
EXPORTED = "is a program of torch.export (.pt2), which is not run here; save its weights alone: " + SAVE.format(
    f"dict(torch.export.load({FILE_PLACEHOLDER}).state_dict)"
)
KERAS = f"is a Keras network, whose layers are not torch's; build it in PyTorch, and {SCRIPT}"
NOT_DENSE = {
    "torch._utils._rebuild_sparse_tensor": ("a sparse tensor", "value.to_dense()"),
    "torch._utils._rebuild_qtensor": ("a quantized tensor", "value.dequantize()"),
    "torch._utils._rebuild_meta_tensor_no_storage": ("a tensor of the meta device, without values", ""),
}
"""What pickles make tensors with that are not read here -> what those are, and what makes plain ones of them."""
STARTS = {
    b"\x89HDF\r\n\x1a\n": KERAS.replace("is a Keras network", "is an HDF5 file, as Keras writes its networks"),
    b"\x1f\x8b": "is compressed with gzip; unpack it first, with gunzip",
    b"\xfd7zXZ\0": "is compressed with xz; unpack it first, with unxz",
    b"BZh": "is compressed with bzip2; unpack it first, with bunzip2",
    b"7z\xbc\xaf": "is a 7z archive; unpack it first",
    b"GGUF": f"is a GGUF file of a language model; only networks for images can be opened, so {SCRIPT}",
    b"\x93NUMPY": f"is a single NumPy array, without the names of weights; {SCRIPT}",
}
TAR = "is a tar archive; unpack it first, or, where torch.save wrote it before 2017, save it anew: " + SAVE.format(
    f"torch.load({FILE_PLACEHOLDER})"
)
ONNX = f"is an ONNX graph, whose weights no longer have the names of their layers; {SCRIPT}"
TFLITE = f"is a TensorFlow Lite network, whose layers are not torch's; build it in PyTorch, and {SCRIPT}"
ONNX_STARTS = (b"\x12", b"\x1a", b"\x22", b"\x3a", b"\x42")  # the tags that may follow the version of an ONNX file


def kind_of(head: bytes) -> str | None:
    """A clause that names the kind of a file that can't be read, by its first 512 bytes."""
    if head[257:262] == b"ustar":
        return TAR
    if head[4:8] == b"TFL3":
        return TFLITE
    if head[:1] == b"\x08" and 0 < head[1] < 32 and head[2:3] in ONNX_STARTS:
        return ONNX
    return next((clause for start, clause in STARTS.items() if head.startswith(start)), None)


def archive_of(names: Collection[str]) -> str | None:
    """A clause that names the kind of a zip archive that can't be read, by its members."""
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return TORCHSCRIPT
    if "archive_format" in inner or "serialized_exported_program.json" in {*inner, *names}:
        return EXPORTED
    if "model.weights.h5" in names:
        return KERAS
    if names and all(name.endswith(".npy") for name in names):
        return f"is a NumPy archive (.npz); {SCRIPT}"
    return None


def module_of(path: str, kind: str) -> str:
    """A clause on a file that holds a whole pickled module at this path."""
    steps = "".join(f"[{int(step) if step.isdecimal() else step!r}]" for step in path.split("/") if step)
    return (
        f"is a whole pickled module ({kind[:80]}), which is code and is not run here; where the file is trusted, save "
        f"its weights alone: {SAVE.format(f'torch.load({FILE_PLACEHOLDER}, weights_only=False){steps}.state_dict()')}"
    )


def not_dense(path: str, kind: str) -> str:
    """A clause on a weight that is a tensor of one of the kinds of NOT_DENSE."""
    what, plain = NOT_DENSE[kind]
    saved = f"{{name: {plain} for name, value in model.state_dict().items()}}"
    way = f"save dense ones: {SAVE.format(saved)}" if plain else SCRIPT
    return f"holds {path[-80:]} as {what}, and only dense weights with values are read; {way}"


def with_file_name(clause: str, name: str) -> str:
    """The clause with the file's name in its line of Python."""
    return clause.replace(FILE_PLACEHOLDER, repr(name))
