"""Splits: which images are for fine-tuning, calibration, validation and test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from explorer.core.errors import BadInput

SHARES: Mapping[str, float] = {"finetune": 0.4, "calibration": 0.2, "validation": 0.2, "test": 0.2}
TRAIN = "train"  # in stored splits: dealt among those of the four that are not stored
SPLIT_NAMES = {
    "finetune": ("finetune", "finetuning"),
    TRAIN: ("train", "training"),
    "calibration": ("calibration", "calib"),
    "validation": (
        *("validation", "val", "valid", "validate", "dev", "development", "eval", "evaluation"),
        *("public test", "publictest"),
    ),
    "test": ("test", "testing", "private test", "privatetest"),
}
"""Split -> the names that people give it, in lower case; the tests of Kaggle's competitions are two."""

_NAMED = {name: split for split, names in SPLIT_NAMES.items() for name in names}
_FILLERS = {"set", "data", "dataset", "image", "images", "imgs", "split", "folder", "seg"}


def split_named(name: str) -> str | None:
    """The split that a name such as "Validation", "test_set", "TrainData" or "train2017" means, or None."""
    apart = re.sub("([a-z])([A-Z])", r"\1 \2", name).lower()
    words = [word for word in re.findall("[a-z]+", apart) if word not in _FILLERS]
    return next(filter(None, (_NAMED.get(" ".join(words).removesuffix(end)) for end in ("", *_FILLERS))), None)


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """A seeded order of all images in which every prefix has the classes in proportion; (N,) int64.

    The r-th image (from 0) of a class of n stands at (r + 1/2) / n, ties at random: Sainte-Laguë's rule.
    """
    by_class, rank, counts = _shuffled(labels, seed)
    ties = np.random.default_rng([seed, 1]).random(len(labels))
    return by_class[np.lexsort((ties, (rank + 0.5) / counts))]


def split_indices(labels: np.ndarray, seed: int, shares: Mapping[str, float] = SHARES) -> dict[str, np.ndarray]:
    """Disjoint splits that cover all images, stratified by class; each in its `stratified_order`.

    Of a class of n images in seeded order a split takes floor(n * share), or one more: the images left over go
    first to splits that would have none of the class, then to those owed most over the classes so far. A class
    with at least as many images as there are splits has one in each, taken from its largest split if need be.
    """
    weights = _weights(shares)
    by_class, _, _ = _shuffled(labels, seed)
    starts = np.flatnonzero(np.diff(labels[by_class])) + 1
    owed = np.zeros(len(weights))
    parts: list[list[np.ndarray]] = []
    for members in np.split(by_class, starts):
        counts = _allot(len(members), weights, owed)
        owed += len(members) * weights - counts
        parts.append(np.split(members, np.cumsum(counts)[:-1]))
    joined = (np.sort(np.concatenate(part)) for part in zip(*parts, strict=True))
    return {name: _ordered(labels, members, seed) for name, members in zip(shares, joined, strict=True)}


def stored_splits(names: Sequence[str]) -> dict[str, np.ndarray] | None:
    """The images of each split, by the name that each image's is stored under; None where no image has any.

    names: (N,), "" for an image in none, which makes a split that `complete_splits` refuses where others have one.
    """
    if not any(names):
        return None
    held = np.array(names)
    return {name: np.flatnonzero(held == name) for name in dict.fromkeys(names)}


def complete_splits(labels: np.ndarray, stored: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Stored splits in seeded order; one named "train" is dealt among those of the four that are not stored.

    Names mean what `split_named` says, but "eval" beside "val" is the test split. Raises BadInput for other names, for
    two of one split, and for "train" beside "finetune".
    """
    meant = _meant(stored)
    named = {meant[name]: members for name, members in stored.items()}
    if None in named or len(named) < len(stored) or {TRAIN, "finetune"} <= set(named):
        raise BadInput(
            f"the stored splits are {', '.join(stored)}: they may be finetune (or train), calibration, "
            "validation (or val) and test, each once."
        )
    train = named.pop(TRAIN, np.zeros(0, np.int64))
    splits = {name: _ordered(labels, members, seed) for name, members in named.items() if name}
    if len(train):
        missing = {name: share for name, share in SHARES.items() if name not in splits}
        splits |= {name: train[part] for name, part in split_indices(labels[train], seed, missing).items()}
    return {name: splits[name] for name in SHARES if name in splits}


def _meant(names: Iterable[str]) -> dict[str, str | None]:
    """Name -> split; of training, validation and evaluation the last is the test split."""
    meant = {name: split_named(name) for name in names}
    if "test" not in meant.values() and list(meant.values()).count("validation") == 2:
        meant |= {name: "test" for name in meant if name.lower().startswith("eval")}
    return meant


def _weights(shares: Mapping[str, float]) -> np.ndarray:
    weights = np.array(list(shares.values()), dtype=float)
    if not len(weights) or not np.isfinite(weights).all() or (weights <= 0).any():
        raise BadInput(f"the shares of the splits are {dict(shares)}: each must be above 0.")
    return np.asarray(weights / weights.sum())


def _allot(n: int, weights: np.ndarray, owed: np.ndarray) -> np.ndarray:
    """The number of a class's n images that each split gets; (splits,) int64, their sum is n."""
    exact = n * weights
    counts = np.floor(exact + 1e-9).astype(np.int64)
    priority = np.lexsort((-(owed + exact - counts), (counts > 0) | (n < len(weights))))
    counts[priority[: n - counts.sum()]] += 1
    while n >= len(weights) and counts.min() == 0:
        counts[counts.argmax()] -= 1
        counts[counts.argmin()] += 1
    return counts


def _shuffled(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image indices by class and at random within it; each one's rank in its class; its class's size."""
    by_class = np.lexsort((np.random.default_rng([seed, 0]).random(len(labels)), labels)).astype(np.int64)
    _, first, counts = np.unique(labels[by_class], return_index=True, return_counts=True)
    return by_class, np.arange(len(labels)) - np.repeat(first, counts), np.repeat(counts, counts)


def _ordered(labels: np.ndarray, members: np.ndarray, seed: int) -> np.ndarray:
    return np.take(members, stratified_order(labels[members], seed))
