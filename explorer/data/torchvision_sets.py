"""Torchvision's data sets on this disk; a missing one is downloaded only if the user asks for it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from explorer.core.errors import BadInput
from explorer.data.images import ImageSet, Labelled, image_set

Parts = Mapping[str, Mapping[str, Any]]

_BY_FLAG: Parts = {"train": {"train": True}, "test": {"train": False}}
_TWO: Parts = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE: Parts = {name: {"split": name} for name in ("train", "val", "test")}

TORCHVISION_SETS: dict[str, Parts] = {
    "CIFAR10": _BY_FLAG,
    "CIFAR100": _BY_FLAG,
    "Country211": {name: {"split": name} for name in ("train", "valid", "test")},
    "DTD": _THREE,
    "EuroSAT": {"train": {}},
    "FashionMNIST": _BY_FLAG,
    "FGVCAircraft": _THREE,
    "Flowers102": _THREE,
    "Food101": _TWO,
    "Imagenette": {"train": {"split": "train"}, "val": {"split": "val"}},
    "KMNIST": _BY_FLAG,
    "MNIST": _BY_FLAG,
    "RenderedSST2": _THREE,
    "STL10": _TWO,
    "SUN397": {"train": {}},
    "SVHN": _TWO,
    "USPS": _BY_FLAG,
}
"""Name -> its published parts and the arguments that open each."""


def data_root() -> Path:
    """The folder of the data sets: PRUNING_EXPLORER_DATA, or ~/.cache/pruning-explorer/data."""
    return Path(os.environ.get("PRUNING_EXPLORER_DATA") or "~/.cache/pruning-explorer/data").expanduser()


def open_torchvision(name: str, *, seed: int, limit: int | None) -> ImageSet:
    """All published parts of a data set, as stored splits; images in files are decoded when asked for."""
    parts = {part: _open_part(name, arguments) for part, arguments in _parts(name).items()}
    sources, labels = zip(*(_contents(part) for part in parts.values()), strict=True)
    ends = np.cumsum([len(part) for part in labels])
    stored = dict(zip(parts, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    source = (
        np.concatenate(sources) if isinstance(sources[0], np.ndarray) else [path for part in sources for path in part]
    )
    y = np.concatenate(labels)
    labelled = Labelled(source, y, _classes(parts["train"], y), stored)
    return image_set(name, labelled, seed=seed, limit=limit)


def download_torchvision(name: str) -> None:
    """Fetch what is not on the disk yet; BadInput with the reason where this fails."""
    parts = _parts(name)
    try:
        data_root().mkdir(parents=True, exist_ok=True)
        for arguments in parts.values():
            _make(name, {**arguments, "download": True})
    except Exception as error:  # servers, disks and archives fail in many ways
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadInput(f"torchvision data set {name} can't be downloaded to {data_root()}: {reason}.") from error


def _parts(name: str) -> Parts:
    if name not in TORCHVISION_SETS:
        raise BadInput(f"torchvision data set {name!r} is unknown: use one of {', '.join(TORCHVISION_SETS)}.")
    return TORCHVISION_SETS[name]


def _open_part(name: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return _make(name, arguments)
    except Exception as error:  # absent and damaged files raise errors of many kinds
        raise BadInput(
            f"torchvision data set {name} is missing or incomplete under {data_root()}; give --download, "
            f"or this downloads it: {_download_line(name)}"
        ) from error


def _make(name: str, arguments: Mapping[str, Any]) -> Any:
    from torchvision import datasets  # late, as it takes seconds

    make = getattr(datasets, name)
    lazy = {"loader": Path} if "loader" in inspect.signature(make).parameters else {}
    return make(str(data_root()), **arguments, **lazy)


def _download_line(name: str) -> str:
    wanted = [{**arguments, "download": True} for arguments in TORCHVISION_SETS[name].values()]
    given = [", ".join(f"{key}={value!r}" for key, value in arguments.items()) for arguments in wanted]
    calls = [f"{name}({str(data_root())!r}, {arguments})" for arguments in given]
    return f'python -c "from torchvision.datasets import {name}; {"; ".join(calls)}"'


def _contents(part: Any) -> tuple[np.ndarray | list[Path], np.ndarray]:
    """One part's images and labels (N,)."""
    if not hasattr(part, "data"):
        pairs = [part[i] for i in range(len(part))]
        return [path for path, _ in pairs], np.array([label for _, label in pairs])
    x = np.asarray(part.data)
    labels = np.asarray(part.targets if hasattr(part, "targets") else part.labels)
    return (x.transpose(0, 2, 3, 1) if x.ndim == 4 and x.shape[1] == 3 else x), labels


def _classes(part: Any, labels: np.ndarray) -> list[str]:
    names = getattr(part, "classes", None) or [str(i) for i in range(labels.max() + 1)]
    return [name if isinstance(name, str) else name[0] for name in names]
