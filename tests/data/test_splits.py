from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.core.errors import BadInput
from explorer.data.splits import SHARES, complete_splits, split_indices, stratified_order

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=200).map(lambda labels: np.array(labels, np.int64))
SEEDS = st.integers(0, 2**32)
ANY_SHARES = st.lists(st.floats(0.01, 1), min_size=1, max_size=5).map(
    lambda shares: {f"part{i}": share for i, share in enumerate(shares)}
)


def counts_by_class(labels, members):
    return np.bincount(labels[members], minlength=6)


@given(LABELS, SEEDS, ANY_SHARES)
def test_splits_are_disjoint_and_complete(labels, seed, shares):
    splits = split_indices(labels, seed, shares)
    assert list(splits) == list(shares)
    assert sorted(np.concatenate(list(splits.values()))) == list(range(len(labels)))


@given(LABELS, SEEDS)
def test_splits_are_stratified_within_one_image_a_class(labels, seed):
    for name, members in split_indices(labels, seed).items():
        expected = SHARES[name] * np.bincount(labels, minlength=6)
        assert (np.abs(counts_by_class(labels, members) - expected) <= 1 + 1e-9).all()


@given(LABELS, SEEDS, ANY_SHARES)
def test_a_class_with_enough_images_is_in_every_split(labels, seed, shares):
    enough = np.bincount(labels, minlength=6) >= len(shares)
    for members in split_indices(labels, seed, shares).values():
        assert (counts_by_class(labels, members)[enough] >= 1).all()


@given(st.lists(st.sampled_from([1, 2, 3, 5, 6, 7, 8, 9, 10, 11]), min_size=1, max_size=20), SEEDS)
def test_rounding_is_made_good_over_the_classes(sizes, seed):
    """Classes of four are left out: each must be in every split, whatever the shares."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    for name, members in split_indices(labels, seed).items():
        assert abs(len(members) - SHARES[name] * len(labels)) < 1


@given(LABELS, SEEDS)
def test_same_seed_same_splits(labels, seed):
    first, again = split_indices(labels, seed), split_indices(labels.copy(), seed)
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_another_seed_gives_other_splits():
    labels = np.arange(100) % 4
    assert not np.array_equal(split_indices(labels, 0)["test"], split_indices(labels, 1)["test"])


def test_one_image_a_class_still_fills_the_splits():
    sizes = {name: len(members) for name, members in split_indices(np.arange(10), 0).items()}
    assert sizes == {"finetune": 4, "calibration": 2, "validation": 2, "test": 2}


def test_exact_shares_by_arithmetic():
    labels = np.repeat([0, 1], [10, 20])
    splits = split_indices(labels, 3)
    assert {name: counts_by_class(labels, members)[:2].tolist() for name, members in splits.items()} == {
        "finetune": [4, 8],
        "calibration": [2, 4],
        "validation": [2, 4],
        "test": [2, 4],
    }


@pytest.mark.parametrize("shares", [{}, {"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan")}])
def test_shares_must_be_above_zero(shares):
    with pytest.raises(BadInput, match="each must be above 0"):
        split_indices(np.zeros(3, np.int64), 0, shares)


@given(LABELS, SEEDS)
def test_order_is_a_permutation(labels, seed):
    assert sorted(stratified_order(labels, seed)) == list(range(len(labels)))


@given(LABELS, SEEDS)
def test_every_prefix_is_sainte_lague(labels, seed):
    """No image moved between classes would bring two classes' shares closer (the divisor rule's own test)."""
    sizes = np.bincount(labels, minlength=6)
    order = stratified_order(labels, seed)
    for length in range(1, len(labels)):
        seats = counts_by_class(labels, order[:length])
        present = sizes > 0
        last_taken = np.where(seats[present] > 0, (seats[present] - 0.5) / sizes[present], -1).max()
        next_one = np.where(seats < sizes, (seats + 0.5) / np.maximum(sizes, 1), np.inf)[present].min()
        assert last_taken <= next_one + 1e-12


def test_prefixes_of_equal_classes_take_turns():
    labels = np.repeat(np.arange(5), 12)
    order = stratified_order(labels, 7)
    assert all(sorted(labels[turn]) == [0, 1, 2, 3, 4] for turn in np.split(order, 12))
    assert not np.array_equal(order, stratified_order(labels, 8))


def test_stored_splits_keep_their_members():
    labels = np.arange(12) % 3
    parts = {"val": np.arange(6), "test": np.arange(6, 12)}
    splits = complete_splits(labels, parts, 0)
    assert {name: sorted(members) for name, members in splits.items()} == {
        "validation": list(range(6)),
        "test": list(range(6, 12)),
    }
    assert sorted(labels[splits["test"][:3]]) == [0, 1, 2]


def test_stored_train_is_dealt_among_what_is_missing():
    labels = np.zeros(100, np.int64)
    splits = complete_splits(labels, {"test": np.arange(20), "train": np.arange(20, 100)}, 0)
    assert {name: len(members) for name, members in splits.items()} == {
        "finetune": 40,
        "calibration": 20,
        "validation": 20,
        "test": 20,
    }
    assert sorted(splits["test"]) == list(range(20))
    assert sorted(np.concatenate(list(splits.values()))) == list(range(100))


@pytest.mark.parametrize("names", [("train", "finetune"), ("val", "validation"), ("holdout",), ("val", "dev")])
def test_stored_names_are_checked(names):
    with pytest.raises(BadInput, match=rf"the stored splits are {', '.join(names)}: they may be finetune"):
        complete_splits(np.zeros(4, np.int64), {name: np.arange(2) for name in names}, 0)
