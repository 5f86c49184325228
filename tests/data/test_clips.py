from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import Batches, Labelled, Preprocessing, decoding, image_set, open_images, tensors, to_pixels

STILL = Preprocessing((0.5, 0.4, 0.3), (0.2, 0.3, 0.4), size=6, crop=6)
FOUR = replace(STILL, frames=4)


def value(c: int, i: int, t: int) -> int:
    return 100 * c + 20 * i + t


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Two classes of three clips of 12 frames; frame t of clip i of class c is `picture(value(c, i, t))`."""
    for c, name in enumerate(("jump", "wave")):
        for i in range(3):
            folder = tmp_path / "videos" / name / f"clip{i}"
            folder.mkdir(parents=True)
            for t in range(12):
                Image.fromarray(picture(value(c, i, t))).save(folder / f"frame{t}.png")  # frame10 is not after frame1
    return tmp_path / "videos"


def expected(c: int, i: int, chosen: list[int]) -> torch.Tensor:
    return torch.stack([to_pixels(picture(value(c, i, t)), STILL) for t in chosen], dim=1)


def test_a_clip_is_its_frames_in_order_by_number(videos):
    images = open_images(str(videos), clips=True)
    assert images.clips
    assert images.classes == ("jump", "wave")
    assert images.labels.tolist() == [0] * 3 + [1] * 3
    assert images.image_name(4) == str(videos / "wave" / "clip1")
    assert images.describe().startswith("videos: 6 clips of 2 classes")
    pixels = to_pixels(images.image(4), FOUR)
    assert pixels.dtype == torch.uint8
    assert torch.equal(pixels, expected(1, 1, [1, 4, 7, 10]))


def test_one_frame_of_a_clip_is_shown_and_only_that_is_decoded(videos, monkeypatch):
    batches = Batches(open_images(str(videos), clips=True), "all", FOUR)
    read = []
    monkeypatch.setattr(tensors, "decode", lambda path, channels: read.append(path) or decoding.decode(path, channels))
    number = int(batches.indices[2])
    assert torch.equal(batches.still(2), expected(number // 3, number % 3, [7])[:, 0])  # of 1, 4, 7 and 10
    assert [path.name for path in read] == ["frame7.png"]


def test_batches_of_clips(videos):
    batches = Batches(open_images(str(videos), clips=True), "all", FOUR, size=4)
    first, again = list(batches), list(batches)
    assert [tuple(x.shape) for x, _ in first] == [(4, 3, 4, 6, 6), (2, 3, 4, 6, 6)]
    assert all(torch.equal(x, y) for (x, _), (y, _) in zip(first, again, strict=True))
    assert batches.describe() == "6 clips of videos, seed 0"
    number = int(batches.indices[0])
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (FOUR.mean, FOUR.std))
    by_hand = (expected(number // 3, number % 3, [1, 4, 7, 10]) / 255 - mean) / std
    torch.testing.assert_close(first[0][0][0], by_hand)


def test_unreadable_frames_are_skipped_and_a_clip_without_any_with_them(videos):
    for t in range(12):
        (videos / "jump" / "clip0" / f"frame{t}.png").write_bytes(b"")
    (videos / "wave" / "clip2" / "frame0.png").write_bytes(b"no image")
    (videos / "wave" / "clip3").mkdir()
    images = open_images(str(videos), clips=True)
    assert images.labels.tolist() == [0, 0, 1, 1, 1]
    assert len(images.image(4).frames) == 11
    assert set(images.skipped) == {
        *(str(videos / "jump" / "clip0" / f"frame{t}.png") for t in range(12)),
        str(videos / "wave" / "clip2" / "frame0.png"),
    }
    assert images.found == 72
    assert images.notes == ("Not looked at: wave/clip3 (no class, as no image is in it).",)
    assert sorted(np.concatenate(list(images.splits.values()))) == list(range(5))


def test_the_digest_sees_every_frame(videos):
    before = open_images(str(videos), clips=True).digest
    assert open_images(str(videos), clips=True).digest == before
    (videos / "wave" / "clip2" / "frame7.png").unlink()
    assert open_images(str(videos), clips=True).digest != before


def test_limit_is_of_clips(videos):
    assert open_images(str(videos), clips=True, limit=4).labels.tolist() == [0, 0, 1, 1]


def test_frames_of_unlike_sizes(videos):
    Image.fromarray(picture(0, 20, 6)).save(videos / "jump" / "clip0" / "frame4.png")
    clip = open_images(str(videos), clips=True).image(0)
    with pytest.raises(BadInput, match="its frames are 6x20 and 8x6 pixels after preprocessing"):
        to_pixels(clip, replace(FOUR, size=None, crop=None))
    assert to_pixels(clip, FOUR).shape == (3, 4, 6, 6)


def test_clips_and_still_images_are_not_taken_for_each_other(videos):
    clips = open_images(str(videos), clips=True)
    with pytest.raises(BadInput, match=r"clip\d: this is a clip, .* or --frames for a video network"):
        list(Batches(clips, "all", STILL))
    stills = image_set("stills", Labelled(np.stack([picture(i) for i in range(4)]), np.arange(4) % 2, "ab"), seed=0)
    with pytest.raises(BadInput, match=r"of stills: this is a still image, but the network takes clips of 4 frames"):
        list(Batches(stills, "all", FOUR))
