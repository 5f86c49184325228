from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.core.errors import BadInput
from explorer.data import Batches, Preprocessing, gestures, open_images, to_pixels
from explorer.data.gestures import Gesture
from explorer.data.hands import FINGERS, FIST, Pose, coverage, painted
from explorer.data.motions import CHANGES, MOTIONS

PLAIN = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), frames=16)
REVERSED = {
    "move left": "move right",
    "move up": "move down",
    "move up and left": "move down and right",
    "move up and right": "move down and left",
    "push in": "pull out",
    "turn clockwise": "turn counter-clockwise",
    "circle clockwise": "circle counter-clockwise",
    "open": "close",
}
WAYS = {
    "move left": (-1, 0),
    "move right": (1, 0),
    "move up": (0, -1),
    "move down": (0, 1),
    "move up and left": (-1, -1),
    "move up and right": (1, -1),
    "move down and left": (-1, 1),
    "move down and right": (1, 1),
}
P = np.linspace(0, 1, 41)


def clips_of(name: str, count: int = 8) -> list[Gesture]:
    return [Gesture(7, list(MOTIONS).index(name) + len(MOTIONS) * i) for i in range(count)]


def held(**changes: float) -> Pose:
    """One frame of a hand in the middle."""
    usual = {"x": 0.5, "y": 0.5, "turn": 0.0, "size": 0.1, "open": 1.0} | changes
    return Pose(**{name: np.array([value]) for name, value in usual.items()})


def seen(gesture: Gesture, count: int = 16) -> np.ndarray:
    """(count, 64, 64) bool: where the pictures say that the hand is, from their colours alone."""
    frames = np.stack(gesture.spread(count)).mean(3)
    bright = [frames.max() - np.median(frames), np.median(frames) - frames.min()]
    hand = np.percentile(frames, 99.5 if bright[0] > bright[1] else 0.5)
    return abs(frames - hand) < abs(frames - np.median(frames))


def middles(mask: np.ndarray) -> np.ndarray:
    """(T, 2) middle of what is marked in each frame, x and y in pixels."""
    places = np.arange(mask.shape[1])
    return np.stack([(mask.sum(axis) * places).sum(1) for axis in (1, 2)], 1) / mask.sum((1, 2))[:, None]


def test_there_are_25_motions_of_known_changes():
    assert len(MOTIONS) == 25
    for name, motion in MOTIONS.items():
        changes = motion(P)
        assert set(changes) <= set(CHANGES), name
        assert all(abs(value).max() <= 1 for key, value in changes.items()), name
    assert [name for name, motion in MOTIONS.items() if not motion(P)] == ["hold still"]


@pytest.mark.parametrize(("forth", "back"), REVERSED.items())
def test_some_motions_are_others_played_backwards_so_that_no_single_picture_tells_them_apart(forth, back):
    there, here = MOTIONS[forth](P), MOTIONS[back](1 - P)
    assert there.keys() == here.keys()
    for name in there:
        assert there[name] == pytest.approx(here[name])
    assert any(there[name] != pytest.approx(value) for name, value in MOTIONS[back](P).items())


@pytest.mark.parametrize(("name", "way"), WAYS.items())
def test_the_middle_of_the_hand_goes_where_the_class_says(name, way):
    for gesture in clips_of(name):
        path = middles(seen(gesture))
        gone = path[-1] - path[0]
        for axis in (0, 1):
            assert gone[axis] * way[axis] > 10 if way[axis] else abs(gone[axis]) < 6


def turned(pose: Pose) -> float:
    """Radians that the palm's middle went clockwise about the middle of its path, as seen."""
    x, y = pose.x - pose.x.mean(), pose.y - pose.y.mean()
    return float(np.unwrap(np.arctan2(y, x))[[0, -1]] @ [-1, 1])


def test_circles_go_round_once_and_the_way_that_the_class_says():
    for name, way in {"circle clockwise": 1, "circle counter-clockwise": -1}.items():
        for gesture in clips_of(name):
            assert turned(gesture.pose(64)) * way == pytest.approx(2 * np.pi, abs=0.8)


def test_a_hand_grows_as_it_comes_near_and_shrinks_as_it_closes():
    for name, grows in {"push in": True, "pull out": False, "open": True, "close": False}.items():
        for gesture in clips_of(name):
            area = seen(gesture).sum((1, 2))
            assert (area[-2:].mean() > 1.2 * area[:2].mean()) == grows, name


def test_taps_and_shakes_are_counted():
    for name, peaks in {"tap": 1, "tap twice": 2}.items():
        for gesture in clips_of(name):
            size = np.log(gesture.pose(64).size)
            high = size > (size.max() + size.min()) / 2
            steady = np.convolve(high, np.ones(5), "same") > 2.5  # without what trembles
            assert (np.diff(steady.astype(int)) == 1).sum() == peaks, name


def test_a_fist_covers_its_disk_and_a_finger_reaches_as_far_as_stated():
    fist, hand = (coverage(held(open=o), 256)[0] for o in (0.0, 1.0))
    radius = 0.1 * 256
    top = 128 - np.flatnonzero(hand.max(1) > 0.5)[0]
    tip = max(reach * np.cos(angle) + thick for angle, reach, thick in FINGERS)
    assert top == pytest.approx(tip * radius, abs=1.5)
    assert np.pi * radius**2 < fist.sum() < np.pi * ((FIST + 0.28) * radius) ** 2
    assert hand.sum() > 1.3 * fist.sum()


def test_the_other_hand_is_the_mirror_image_and_a_turn_is_clockwise():
    right = coverage(held())[0]
    left = coverage(Pose(**{**vars(held()), "right": False}))[0]
    assert left == pytest.approx(right[:, ::-1], abs=1e-5)
    assert coverage(held(turn=np.pi / 2))[0] == pytest.approx(np.rot90(right, -1), abs=1e-4)


def test_the_hand_has_its_colour_and_the_rest_the_background_times_the_light():
    background = np.full((64, 64, 3), 0.2, np.float32)
    picture = painted(held(), np.array([0.8, 0.4, 0.6], np.float32), background, np.array([0.5], np.float32))
    assert picture.dtype == np.uint8
    assert picture[0, 32, 32].tolist() == [102, 51, 77]  # 255 * 0.5 * colour
    assert picture[0, 0, 0].tolist() == [26, 26, 26]


def test_a_clip_is_decided_by_seed_and_number():
    one, same, other, later = (np.stack(Gesture(*key).spread(16)) for key in ((0, 3), (0, 3), (1, 3), (0, 28)))
    assert one.shape == (16, 64, 64, 3)
    assert np.array_equal(one, same)
    for different in (other, later):  # of the same class
        assert abs(one.astype(int) - different).mean() > 5


def test_the_source_opens_by_name_and_says_that_it_is_synthetic():
    images = open_images("gestures", seed=2)
    assert images.describe().startswith("synthetic gestures: 3750 clips of 25 classes")
    assert images.classes == tuple(MOTIONS)
    assert images.clips
    batches = Batches(images, "test", PLAIN, limit=25)
    assert batches.describe() == "25 test clips of synthetic gestures, seed 2"
    assert sorted(images.labels[batches.indices]) == list(range(25))


def test_splits_are_disjoint_and_of_all_classes_alike():
    images = open_images("gestures")
    assert {name: len(members) for name, members in images.splits.items()} == {
        "finetune": 2500,
        "calibration": 250,
        "validation": 250,
        "test": 750,
    }
    assert sorted(np.concatenate(list(images.splits.values()))) == list(range(3750))
    for members in images.splits.values():
        assert (np.bincount(images.labels[members]) == len(members) / 25).all()


def test_the_digest_tells_seeds_and_versions_apart(monkeypatch):
    digests = [open_images("gestures", seed=seed).digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]
    assert len(open_images("gestures", limit=50)) == 200  # of each split
    monkeypatch.setattr("explorer.data.images.VERSION", gestures.VERSION + 1)
    assert open_images("gestures").digest != digests[0]


def test_only_the_clips_that_are_asked_for_are_made(monkeypatch):
    made, spread = [], Gesture.spread
    monkeypatch.setattr(Gesture, "spread", lambda self, count: made.append(self.number) or spread(self, count))
    batches = Batches(open_images("gestures"), "finetune", PLAIN, size=2)
    assert made == []
    x, _ = next(iter(batches))
    assert x.shape == (2, 3, 16, 64, 64)
    assert made == batches.indices[:2].tolist()


def test_a_network_gets_as_many_frames_as_it_takes_of_the_same_motion():
    gesture = clips_of("move left")[0]
    assert to_pixels(gesture, PLAIN).shape == (3, 16, 64, 64)
    longer = to_pixels(gesture, Preprocessing(PLAIN.mean, PLAIN.std, size=32, frames=24))
    assert longer.shape == (3, 24, 32, 32)
    assert longer.dtype == torch.uint8
    ends = middles(seen(gesture, 24))
    assert ends[-1, 0] < ends[0, 0] - 10


def test_the_middle_frame_is_shown_and_networks_of_stills_refuse_clips():
    batches = Batches(open_images("gestures"), "test", PLAIN)
    assert torch.equal(batches.still(3), next(iter(batches.picked([3])))[0][0, :, 8].mul(255).byte())
    with pytest.raises(BadInput, match="is a clip"):
        to_pixels(Gesture(0, 0), Preprocessing((0.0,) * 3, (1.0,) * 3))
