"""Whatever people bring, drawn at random: the loss and accuracy of plain torch, or one sentence and exit 2."""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import saved
from hypothesis import given, settings
from hypothesis import strategies as st
from invoke import run
from pytest import approx
from their_images import arrays, folders, tables
from theirs import SETTINGS, Brought, State, Weights, drawn, reference, trained, weights

TRIES = 40  # of each
COMMANDS = ("evaluate", "evaluate", "inspect", "score")


def judged(command: str, given: Weights, images: Brought, folder: Path) -> None:
    """Run a command on a network and images: what it finds is right, or it says in one sentence why it can't."""
    (folder / given.name).write_bytes(given.content)
    where, told = images.write(folder / "data"), folder / "told.json"
    options = {"evaluate": images.options, "score": ("--criterion", "weight"), "inspect": ()}[command]
    done = run(command, folder / given.name, *SETTINGS, "--data", where, *options, "--json", told)
    if done.code == 2 and not (given.clear and images.clear):
        assert re.search(r"^Error: .*\.$", done.err.strip().splitlines()[-1]), done.err
        assert done.err.count("Error: ") == 1 and "Traceback" not in done.err, done.err
        return
    assert done.code == 0, done.err
    found = json.loads(told.read_text())
    assert any(is_right(found, command, state, images) for state in given.right), f"{done.err} {found}"


def is_right(found: Mapping[str, Any], command: str, state: State, images: Brought) -> bool:
    """Whether figures are those of plain torch with these weights."""
    if command == "inspect":
        return bool((found["units"], found["parameters"]) == (9, 329 + 65 * images.classes))
    if command == "score":
        kernels = state["features.0.weight"].flatten(1)
        return bool(found["layers"][0]["saliency"]["weight"] == approx(kernels.square().mean(1).tolist(), rel=1e-4))
    figures = found["images"], found["loss"], found["accuracy"]
    return bool(figures == approx((len(images.labels), *reference(state, images.images, images.labels)), rel=1e-4))


def plain(classes: int) -> Weights:
    """Weights as they should be."""
    return Weights("theirs.pth", saved(trained(classes)), [trained(classes)])


@settings(max_examples=TRIES)
@given(st.data())
def test_any_weights_are_read_rightly_or_refused_in_one_sentence(data: st.DataObject) -> None:
    classes = data.draw(st.integers(2, 3))
    labels = [i % classes for i in range(6)]
    stream = io.BytesIO()
    np.savez(stream, x=np.stack([drawn(i) for i in range(6)]), y=labels)
    images = Brought({"set.npz": stream.getvalue()}, "set.npz", [*range(6)], labels, classes)
    with tempfile.TemporaryDirectory() as folder:
        judged(data.draw(st.sampled_from(COMMANDS)), data.draw(weights(classes)), images, Path(folder))


@pytest.mark.parametrize("kind", [folders, tables, arrays])
def test_any_images_are_read_rightly_or_refused_in_one_sentence(kind: Callable[[], st.SearchStrategy[Brought]]) -> None:
    @settings(max_examples=TRIES)
    @given(kind(), st.sampled_from(COMMANDS))
    def judge(images: Brought, command: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            judged(command, plain(images.classes), images, Path(folder))

    judge()
