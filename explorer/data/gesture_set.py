"""The synthetic gestures as a data set: its splits and its digest; no clip is made until it is asked for."""

from __future__ import annotations

import numpy as np

from explorer.data.gestures import Gesture
from explorer.data.images import ImageSet, Labelled, image_set
from explorer.data.motions import MOTIONS

NAME = "synthetic gestures"
CLIPS = {"finetune": 100, "calibration": 10, "validation": 10, "test": 30}  # of each class


def open_gestures(seed: int, limit: int | None) -> ImageSet:
    """3750 clips of 25 motions of a hand, in splits by their numbers; another seed gives other clips."""
    counts = [len(MOTIONS) * each for each in CLIPS.values()]
    source = [Gesture(seed, number) for number in range(sum(counts))]
    stored = dict(zip(CLIPS, np.split(np.arange(len(source)), np.cumsum(counts)[:-1]), strict=True))
    labelled = Labelled(source, np.array([gesture.label for gesture in source]), list(MOTIONS), stored)
    return image_set(NAME, labelled, seed=seed, limit=limit)
