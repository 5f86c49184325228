from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.core.errors import BadInput
from explorer.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Changes, Preprocessing, numbers

GREY = Preprocessing((0.5,), (0.25,))
COLOUR = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, 256, 224)

BAD_VALUES = {
    "no mean": ({"mean": (), "std": ()}, "mean has 0 values"),
    "too many channels": ({"mean": (0.5,) * 1025, "std": (1.0,) * 1025}, "mean has 1,025 channels: at most 1,024"),
    "unlike lengths": ({"mean": (0.5, 0.5, 0.5)}, "mean has 3 values and std 1"),
    "nan mean": ({"mean": (math.nan,)}, "mean is nan"),
    "infinite mean": ({"mean": (math.inf,)}, "mean is inf"),
    "text mean": ({"mean": ("0.5",)}, "finite number"),
    "true mean": ({"mean": (True,)}, "finite number"),
    "huge whole mean": ({"mean": (10**400,)}, "finite number"),
    "zero std": ({"std": (0.0,)}, r"std is 0\.0"),
    "negative std": ({"std": (-1.0,)}, "std is -1"),
    "nan std": ({"std": (math.nan,)}, "std is nan"),
    "zero size": ({"size": 0}, "size is 0: .* from 1 to 4096"),
    "large size": ({"size": 4097}, "size is 4097"),
    "fraction": ({"size": 7.5}, "size is 7.5"),
    "true crop": ({"crop": True}, "crop is True"),
    "large crop": ({"crop": 4097}, "crop is 4097"),
    "crop over size": ({"size": 8, "crop": 9}, "crop 9 is larger than size 8"),
    "zero frames": ({"frames": 0}, "frames is 0: it must be a whole number of frames from 1 to 1024"),
    "many frames": ({"frames": 1025}, "frames is 1025"),
    "interpolation": ({"interpolation": "cubic"}, "'cubic' is unknown: use one of bilinear, bicubic"),
}


@pytest.mark.parametrize(("values", "message"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_values_no_image_can_be_prepared_with_are_refused(values, message):
    with pytest.raises(BadInput, match=message):
        replace(GREY, **values)


@given(
    st.integers(1, 4096) | st.none(),
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)), min_size=3, max_size=3),
    st.sampled_from([1, 3]),
)
def test_json_gives_back_the_same(size, channels, count):
    mean, std = zip(*channels[:count], strict=True)
    preprocessing = Preprocessing(mean, std, size, size, "bicubic")
    assert Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json()))) == preprocessing


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {"mean": [0.5]}, {"mean": 0.5, "std": 1}, {"mean": "a", "std": "b"}]
)
def test_json_needs_both_lists(data):
    with pytest.raises(BadInput, match="object with lists 'mean' and 'std'"):
        Preprocessing.from_json(data)


def test_json_values_are_checked():
    with pytest.raises(BadInput, match="unknown key 'resize'"):
        Preprocessing.from_json({**COLOUR.to_json(), "resize": 3})
    with pytest.raises(BadInput, match="finite number"):
        Preprocessing.from_json({**COLOUR.to_json(), "mean": [[1], 2, 3]})
    with pytest.raises(BadInput, match="size is "):
        Preprocessing.from_json({**COLOUR.to_json(), "size": "256"})


def test_json_of_older_exports_defaults():
    assert Preprocessing.from_json({"mean": [0.5], "std": [0.25]}) == GREY


def test_describe_names_every_step():
    assert COLOUR.describe() == (
        "resize 256 (bilinear), centre crop 224, RGB, mean 0.485 0.456 0.406, std 0.229 0.224 0.225"
    )
    assert GREY.describe() == "no resize, no crop, grey, mean 0.5, std 0.25"


def test_frames_of_clips():
    clips = replace(COLOUR, frames=16)
    assert clips.describe() == f"16 frames of each clip, {COLOUR.describe()}"
    assert Preprocessing.from_json(json.loads(json.dumps(clips.to_json()))) == clips
    assert Changes(frames=16).apply(COLOUR) == clips
    assert repr(clips) == repr(COLOUR)[:-1] + ", frames=16)"


def test_still_images_say_nothing_of_frames_as_digests_and_exports_have_it():
    assert repr(GREY) == "Preprocessing(mean=(0.5,), std=(0.25,), size=None, crop=None, interpolation='bilinear')"
    assert set(GREY.to_json()) == {"mean", "std", "size", "crop", "interpolation"}


def test_changes_replace_what_is_given_only():
    assert Changes().apply(COLOUR) == COLOUR
    assert Changes(size=300).apply(COLOUR) == replace(COLOUR, size=300)
    assert Changes(64, 32, (0.1,), (0.2,)).apply(COLOUR) == Preprocessing((0.1,), (0.2,), 64, 32)
    with pytest.raises(BadInput, match="mean has 1 values and std 3"):
        Changes(mean=(0.5,)).apply(COLOUR)
    with pytest.raises(BadInput, match="mean has 0 values"):
        Changes(mean=()).apply(COLOUR)


def test_numbers_come_as_a_list_with_commas():
    assert numbers("0.485, 0.456,1") == (0.485, 0.456, 1.0)
    for text in ("", "a", "1,", "1;2"):
        with pytest.raises(BadInput, match=r"is not a list of numbers such as 0\.485,0\.456,0\.406"):
            numbers(text)
