"""The model.py export: the network as plain PyTorch, which reads the weights from the safetensors file beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from explorer.export.contents import ExportContents
from explorer.export.source.allowed import check
from explorer.export.source.classes import blocks
from explorer.export.source.expressions import quoted
from explorer.export.source.layout import packed
from explorer.export.source.outline import outline
from explorer.export.source.regions import whole_network
from explorer.export.source.steps import program
from explorer.export.source.writing import source
from explorer.networks.graph.manifest import Manifest

WEIGHTS = "network.safetensors"
_PATH = f'WEIGHTS = Path(__file__).with_name("{WEIGHTS}")\n'

IMPORTS = """
from __future__ import annotations

import json
{standard}from pathlib import Path

import torch
from torch import Tensor, nn
{functional}
"""

FIXED = '''

def fixed(layer: nn.Module) -> nn.Module:
    """A layer that training leaves as it is."""
    return layer.requires_grad_(False)
'''

LOADING = '''

def normalised(pixels: Tensor) -> Tensor:
    """The network's input, (N, channels, ...) float32, from pixel values between 0 and 1."""
    sides = (-1,) + (1,) * (pixels.ndim - 2)
    return (pixels - torch.tensor(MEAN).view(sides)) / torch.tensor(STD).view(sides)


def load(weights: str | Path = WEIGHTS) -> Network:
    """The network in eval mode, with its weights."""
    network = Network()
    network.load_state_dict(read_safetensors(weights))
    return network.eval()


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file: the length of a JSON header, the header, the values."""
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: tensor(data[start:], entry) for name, entry in header.items()}


def tensor(values: bytearray, entry: dict) -> Tensor:
    """The tensor that one entry of the header describes."""
    first, last = entry["data_offsets"]
    if first == last:
        return torch.empty(entry["shape"], dtype=DTYPES[entry["dtype"]])
    return torch.frombuffer(values[first:last], dtype=DTYPES[entry["dtype"]]).view(entry["shape"])
'''

DTYPES = """DTYPES = {
    **{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16},
    **{"I64": torch.int64, "I32": torch.int32, "BOOL": torch.bool},
}
"""


def render(contents: ExportContents) -> bytes:
    """The file's bytes: source that needs torch alone. Raises BadInput if it held what is not in the list of
    `allowed.py`.
    """
    steps = program(contents.manifest.graph)
    made = blocks(outline(steps, contents.tensors, whole_network(steps)))
    classes = "\n".join(line for block in made.values() for line in ("", "", *source(block, made)))
    fixed = FIXED if any(layer.fixed for layer in steps.layers.values()) else ""
    parts = (
        _docstring(contents.manifest),
        _imports(classes),
        _constants(contents.manifest),
        fixed,
        f"{classes}\n",
        LOADING,
    )
    text = "".join(parts)
    check(text, "".join((_PATH, DTYPES, FIXED, LOADING)))
    return text.encode()


def _docstring(manifest: Manifest) -> str:
    """Where the network comes from, what it scores, and how to use it."""
    shape = ", ".join(map(str, manifest.input_shape))
    lines = [
        *wrap(f"{plain(manifest.name)}: {plain(manifest.arch)}, {_size(manifest)}."),
        "",
        *(line for sentence in _sentences(manifest) for line in wrap(sentence)),
        "",
        "    import torch",
        "    from model import load, normalised",
        "",
        "    network = load()  # the weights are in network.safetensors, beside this file",
        f"    pixels = torch.rand(1, {shape})  # from 0 to 1",
        "    logits = network(normalised(pixels))  # one a class of CLASSES",
        "",
        "Made by Pruning Explorer; needs nothing but torch.",
    ]
    return "\n".join([f'"""{lines[0]}', *lines[1:], '"""', ""])


def _size(manifest: Manifest) -> str:
    before, after = (sum(getattr(layer, side) for layer in manifest.layers) for side in ("width_before", "width_after"))
    return f"pruned from {before:,} to {after:,} units" if after < before else f"all {before:,} units"


def _sentences(manifest: Manifest) -> Iterator[str]:
    after = manifest.metrics.get("after")
    accuracy, images = (
        (after.get(key) for key in ("accuracy", "images")) if isinstance(after, Mapping) else (None, None)
    )
    if isinstance(accuracy, float):
        measured = f" on {images:,} validation images" if isinstance(images, int) else ""
        yield f"Accuracy {accuracy:.2%}{measured}, measured when it was exported."
    yield f"Images are prepared so: {manifest.preprocessing.describe()}."


def wrap(text: str) -> list[str]:
    """The lines of a sentence."""
    return textwrap.wrap(text, 98, break_long_words=True) or [""]


def plain(text: str) -> str:
    """A text that neither ends a docstring nor escapes anything in it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown.replace("\\", "/").replace('"', "'")


def _imports(classes: str) -> str:
    standard = "import operator\n" if " operator." in classes or "(operator." in classes else ""
    ordered = "from collections import OrderedDict\n" if "OrderedDict(" in classes else ""
    functional = "from torch.nn import functional as F\n" if "F." in classes else ""
    return IMPORTS.format(standard=standard + ordered, functional=functional)


def _constants(manifest: Manifest) -> str:
    classes = "".join(f"    {line}\n" for line in packed([f"{quoted(name)}," for name in manifest.classes], 96))
    prepared = manifest.preprocessing
    return (
        f"{_PATH}CLASSES = (\n{classes})\nMEAN, STD = {prepared.mean!r}, {prepared.std!r}  # of each channel\n{DTYPES}"
    )
