"""Preprocessing: from a stored image to the tensor that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from explorer.core.bounds import IMAGE_CHANNELS
from explorer.core.errors import BadInput
from explorer.core.text import quoted

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("bilinear", "bicubic")
MAX_SIDE = 4096  # pixels, of size and crop
MAX_FRAMES = 1024  # of a clip


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the centre, scale to [0, 1], then subtract `mean` and divide by `std`.

    One mean and std a channel; one channel means grey images. Whole numbers are scaled by the largest value of their
    type, floats are taken as they are. None leaves the size as it is. `frames` is for networks that take clips: so
    many, evenly spread over each clip. Raises BadInput for values that no image can be prepared with.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int | None = None  # pixels
    crop: int | None = None  # pixels
    interpolation: str = "bilinear"  # of the resize, antialiased
    frames: int | None = None  # of a clip; None for networks that take still images

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.mean:
            raise BadInput(
                f"mean has {len(self.mean)} values and std {len(self.std)}: both need one a channel, as 3 for RGB."
            )
        IMAGE_CHANNELS.check("mean", len(self.mean))
        if not all(_number(v) and abs(v) <= 1e6 for v in self.mean):
            raise BadInput(f"mean is {_shown(self.mean)}: every value must be a finite number, at most 1e6 in size.")
        if not all(_number(v) and 1e-6 <= v <= 1e6 for v in self.std):
            raise BadInput(f"std is {_shown(self.std)}: every value must be a finite number from 1e-6 to 1e6.")
        _check_count("size", self.size, MAX_SIDE, "pixels")
        _check_count("crop", self.crop, MAX_SIDE, "pixels")
        _check_count("frames", self.frames, MAX_FRAMES, "frames")
        if self.size is not None and self.crop is not None and self.crop > self.size:
            raise BadInput(f"crop {self.crop} is larger than size {self.size}: the crop must fit in the resized image.")
        if self.interpolation not in INTERPOLATIONS:
            known = ", ".join(INTERPOLATIONS)
            raise BadInput(f"interpolation {quoted(self.interpolation, 40)} is unknown: use one of {known}.")

    def __repr__(self) -> str:
        """All fields, `frames` only where there are some: digests from before there were clips stay what they were."""
        shown = {name: value for name, value in asdict(self).items() if name != "frames" or value is not None}
        return f"Preprocessing({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def channels(self) -> int:
        """Channels of the images that the network takes."""
        return len(self.mean)

    @property
    def clips(self) -> bool:
        """Whether this is for a network that takes clips."""
        return self.frames is not None

    def describe(self) -> str:
        """One line for people, in the order of the steps."""
        resize = "no resize" if self.size is None else f"resize {self.size} ({self.interpolation})"
        crop = "no crop" if self.crop is None else f"centre crop {self.crop}"
        colour = {1: "grey", 3: "RGB"}.get(self.channels, f"{self.channels} channels")
        frames = "" if self.frames is None else f"{self.frames} frames of each clip, "
        return f"{frames}{resize}, {crop}, {colour}, mean {_shown(self.mean)}, std {_shown(self.std)}"

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values, which `from_json` reads."""
        plain = {**asdict(self), "mean": list(self.mean), "std": list(self.std)}
        return {name: value for name, value in plain.items() if name != "frames" or value is not None}

    @classmethod
    def from_json(cls, data: object) -> Preprocessing:
        """The preprocessing of `to_json`; raises BadInput for anything malformed."""
        if not isinstance(data, dict) or not all(isinstance(data.get(name), list) for name in ("mean", "std")):
            raise BadInput("preprocessing must be an object with lists 'mean' and 'std'.")
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise BadInput(f"preprocessing has the unknown key {quoted(min(map(str, unknown)), 40)}.")
        return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


@dataclass(frozen=True)
class Changes:
    """A person's values in place of a preprocessing's own; None leaves a value as it is."""

    size: int | None = None
    crop: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    frames: int | None = None

    def apply(self, preprocessing: Preprocessing) -> Preprocessing:
        """The preprocessing with the changes put in; raises BadInput if no image can be prepared like that."""
        return replace(preprocessing, **self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The changed values, as plain ones that `changes_from_json` takes back."""
        return {name: value for name, value in asdict(self).items() if value is not None}


UNCHANGED = Changes()


def changes_from_json(data: Mapping[str, Any]) -> Changes:
    """The changes of `to_json`, other keys left aside; TypeError or ValueError for anything malformed."""
    found = {field.name: data.get(field.name) for field in fields(Changes)}
    for name, value in found.items():
        if value is not None:
            found[name] = tuple(map(float, value)) if name in ("mean", "std") else int(value)
    return Changes(**found)


def numbers(text: str) -> tuple[float, ...]:
    """The numbers of "0.485,0.456,0.406"; raises BadInput if it is no such list."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{quoted(text, 80)} is not a list of numbers such as 0.485,0.456,0.406.") from None


def _check_count(name: str, value: object, most: int, unit: str) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most):
        raise BadInput(f"{name} is {quoted(value, 40)}: it must be a whole number of {unit} from 1 to {most}.")


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(values: Sequence[object]) -> str:
    return " ".join(f"{quoted(value, 20)}" for value in values)
