"""What people bring, drawn at random: files of weights and sets of images, with what is right to make of them."""

from __future__ import annotations

import argparse
import copy
import datetime
import io
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from pictures import picture
from PIL import Image
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torch.nn import functional as F

SIDE, MEAN, STD = 8, 0.4, 0.3  # of the images, and how they are normalised
ARCH = "theirs:make"
SETTINGS = ("--arch", ARCH, "--size", SIDE, "--crop", SIDE, "--mean", f"{MEAN},{MEAN},{MEAN}", "--std", "0.3,0.3,0.3")

COUNTER, MASKED = "num_batches_tracked", "features.0.weight"

State = Mapping[str, Tensor]
Draw = Callable[[st.SearchStrategy[Any]], Any]


def make(num_classes: int = 3) -> nn.Module:
    """(N, 3, 8, 8) -> (N, num_classes) logits, through 9 feature maps."""
    first = (nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2))
    features = nn.Sequential(*first, nn.Conv2d(5, 4, 3, padding=1), nn.ReLU())
    head = nn.Linear(64, num_classes)
    return nn.Sequential(OrderedDict(features=features, flat=nn.Flatten(), head=head))


@cache
def trained(classes: int, seed: int = 0) -> dict[str, Tensor]:
    """Weights that answer differently to different images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make(classes)
        with torch.no_grad():
            for _ in range(3):
                network(torch.randn(16, 3, SIDE, SIDE) + 0.5)
            network.get_submodule("head").weight.mul_(4)
    return dict(network.state_dict())


def reference(state: State, images: list[int], labels: list[int]) -> tuple[float, float]:
    """Loss in nats and accuracy of plain torch; images by number."""
    network = make(len(state["head.bias"])).eval()
    network.load_state_dict(dict(state))
    with torch.no_grad():
        logits = network(
            (torch.from_numpy(np.stack([drawn(i) for i in images])).permute(0, 3, 1, 2) / 255 - MEAN) / STD
        )
    truth = torch.tensor(labels)
    return float(F.cross_entropy(logits, truth)), float((logits.argmax(1) == truth).float().mean())


@dataclass(frozen=True, eq=False)
class Weights:
    """A file of weights."""

    name: str
    content: bytes = field(repr=False)
    right: Sequence[State] = field(repr=False)  # the weights to read, any of these
    change: str = ""  # to them
    clear: bool = True  # whether they must be read, and not refused


BEGINNINGS = (
    "",
    "",
    "module.",
    "model.",
    "net.",
    "backbone.",
    "_orig_mod.",
    "module.model.",
    "my_CNN2.",
    "module.module.",
)
MIDDLES = ("", "", "module.", "_orig_mod.", "inner.")
PLACES: tuple[tuple[str | int, ...], ...] = (
    *((), (), ("state_dict",), ("model",), ("checkpoint", "net"), ("weights", 0), (0,), ("a b", "é"), (0, "net")),
)
STRANGERS: Mapping[str, Callable[[], object]] = {
    "epoch": lambda: 3,
    "best_acc": lambda: np.float64(0.5),
    "acc1": lambda: torch.tensor(81.5),
    "optimizer": lambda: {"state": {0: {"momentum_buffer": torch.ones(5, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]},
    "args": lambda: argparse.Namespace(lr=0.1, where=Path("runs/1")),
    "when": lambda: datetime.datetime(2020, 1, 2),
    "criterion": nn.CrossEntropyLoss,
    "loss": lambda: nn.CrossEntropyLoss(weight=torch.ones(3)),
    "history": lambda: [0.1, np.float32(2), None, {"": ()}],
    "class_to_idx": lambda: OrderedDict(a=0, b=1),
    "rng": torch.get_rng_state,
    "hyper_parameters": lambda: {"size": torch.Size([3, 8]), "dtype": torch.float16, "device": torch.device("cpu")},
}
FAIR, LOST = ("", "", "uncounted", "masked", "masked"), ("drop", "rename", "reshape", "nan", "cut")
TYPES = (torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16)


@st.composite
def weights(draw: Draw, classes: int) -> Weights:
    """The weights of `make`, under other names, with strangers beside them, and sometimes harmed."""
    kind, change = draw(st.sampled_from(TYPES)), draw(st.sampled_from((*FAIR, "beside", *LOST)))
    state = {name: each.to(kind) if each.is_floating_point() else each for name, each in trained(classes).items()}
    right = [{name: each.float() for name, each in state.items()}]
    _change(state, change, draw(st.sampled_from([name for name in state if not name.endswith(COUNTER)])))
    if change == "masked":
        right[0][MASKED] = (state[f"{MASKED}_orig"] * state[f"{MASKED}_mask"]).float()
    begin, middle = draw(st.sampled_from(BEGINNINGS)), draw(st.sampled_from(MIDDLES))
    named = {begin + name.replace(".", f".{middle}", 1): each for name, each in state.items()}
    average = draw(st.sampled_from((None, None, None, trained(classes, seed=1))))
    whole = _placed(draw, named, {} if average is None else {"state_dict_ema": average})
    flat = all(isinstance(each, Tensor) for each in whole.values()) if isinstance(whole, dict) else False
    content = _written(whole, draw(st.sampled_from(("zip", "zip", "old", *(["safetensors"] if flat else [])))))
    content = content[: draw(st.integers(0, len(content) - 1))] if change == "cut" else content
    ending = draw(st.sampled_from((".pth", ".pth.tar", ".ckpt", ".bin", ".x", "")))
    others = [average] if average and change not in FAIR else []
    return Weights(f"theirs{ending}", content, [*([] if change in LOST else right), *others], change, change in FAIR)


def _change(state: dict[str, Tensor], change: str, name: str) -> None:
    """Change the weights: those of LOST that of this name, so that the network can't be read any more."""
    if change == "drop":
        del state[name]
    elif change == "rename":
        state[f"{name}s"] = state.pop(name)
    elif change == "reshape":
        state[name] = torch.cat([state[name], state[name]])
    elif change == "nan":
        state[name] = torch.full_like(state[name], float("nan"))
    elif change == "beside":
        state[f"{name.rpartition('.')[0]}.extra.weight"] = torch.ones(3)
    elif change == "uncounted":
        del state[f"features.1.{COUNTER}"]
    elif change == "masked":
        whole = state.pop(MASKED)
        state |= {f"{MASKED}_orig": whole, f"{MASKED}_mask": (torch.arange(135).view_as(whole) % 3 > 0).to(whole.dtype)}


def _placed(draw: Draw, named: dict[str, Tensor], beside: dict[str, Any]) -> Any:
    """The weights in dictionaries, lists or tuples, with strangers beside them."""
    strangers = {name: STRANGERS[name]() for name in draw(st.lists(st.sampled_from(sorted(STRANGERS)), max_size=4))}
    place = draw(st.sampled_from(PLACES))
    whole: Any = named if place else {**named, **strangers, **beside}
    for step in reversed(place):
        whole = {step: whole, **strangers, **beside} if isinstance(step, str) else [*strangers.values(), whole]
    return whole


def _written(whole: Any, form: str) -> bytes:
    if form == "safetensors":
        return bytes(save_safetensors({name: each.contiguous() for name, each in whole.items()}))
    stream = io.BytesIO()
    torch.save(copy.copy(whole), stream, _use_new_zipfile_serialization=form == "zip")
    return stream.getvalue()


@dataclass(frozen=True, eq=False)
class Brought:
    """Images as people have them, and which of them are labelled how."""

    files: Mapping[str, bytes] = field(repr=False)
    where: str  # of the files, what --data names; "" for their folder
    images: list[int]  # their numbers, see `drawn`
    labels: list[int]
    classes: int
    options: tuple[str, ...] = ()  # which of them are evaluated
    clear: bool = True  # whether they must be read, and not refused

    def write(self, folder: Path) -> Path:
        """All files below a folder; what --data names."""
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder / self.where if self.where else folder


def image_bytes(pixels: np.ndarray, form: str) -> bytes:
    """Pixels as a file without loss."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def drawn(number: int) -> np.ndarray:
    """Image `number`, uint8 (8, 8, 3)."""
    return picture(number, SIDE, SIDE)
