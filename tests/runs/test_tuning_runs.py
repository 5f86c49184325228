"""Run folders of fine-tuning: stopped anywhere, they go on to the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stopping import files, gone_on_after_a_stop

from explorer import open_network
from explorer.core.errors import BadInput
from explorer.data import Batches, ImageSet, Labelled, Splits, image_set
from explorer.networks.load import batches_for
from explorer.networks.network import Network
from explorer.runs.store import Run, read_run
from explorer.runs.tuning_runs import tuned, tuning_run
from explorer.training.finetune import Recipe
from explorer.training.transfer import network_at_start

RECIPE = Recipe(0.01, batch_size=8)
COUNT = 3


@pytest.fixture(scope="module")
def data() -> ImageSet:
    """40 images of two classes: dark and bright."""
    labels = np.arange(40) % 2
    pixels = np.random.default_rng(0).integers(0, 60, (40, 28, 28)).astype(np.uint8) + (150 * labels)[:, None, None]
    return image_set("shades", Labelled(pixels.astype(np.uint8), labels, ("dark", "bright")), seed=2)


@pytest.fixture(scope="module")
def network(data: ImageSet) -> Network:
    preprocessing = open_network("demo").preprocessing
    return network_at_start("explorer:vgg_small", None, preprocessing, data.classes, seed=3)


@pytest.fixture(scope="module")
def splits(network: Network, data: ImageSet) -> Splits:
    return {name: batches_for(network, data, name) for name in ("finetune", "validation")}


def run_in(folder: Path, network: Network, splits: Splits, **options: Any) -> Iterator[Run]:
    asked = tuning_run(network, splits, RECIPE, COUNT, network_from="none", images_from="shades")
    return tuned(network, splits, asked, folder, "discard it", **options)


@pytest.fixture(scope="module")
def whole(network: Network, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    runs = list(run_in(folder, network, splits))
    assert [(run.timeline.current, run.finished) for run in runs] == [
        (0, False),
        (1, False),
        (2, False),
        (3, False),
        (3, True),
    ]
    assert read_run(folder) == runs[-1]
    found = files(folder)
    assert set(found) == {"run.json", "network.safetensors"}
    return found


PLACES = [
    ("explorer.training.transfer.evaluate", 2, False),
    ("explorer.runs.tuning_runs.write_run", 1, True),
    ("explorer.runs.tuning_runs.write_run", 3, True),
    ("explorer.runs.tuning_runs.write_weights", 2, True),
    ("explorer.runs.tuning_runs.to_bytes", 1, False),
    ("explorer.runs.tuning_runs.to_bytes", 1, True),
]


@pytest.mark.parametrize("place", PLACES)
def test_stopped_anywhere_a_run_goes_on_to_the_same_files(
    network: Network, splits: Splits, whole: dict[str, bytes], tmp_path: Path, place: tuple[str, int, bool]
) -> None:
    assert gone_on_after_a_stop(lambda: list(run_in(tmp_path, network, splits)), tmp_path, place) == whole


def test_an_epoch_under_way_can_be_cancelled_and_loses_no_epoch_before(
    network: Network, splits: Splits, whole: dict[str, bytes], tmp_path: Path
) -> None:
    def cancel(done: int, total: int, note: str = "") -> None:
        if note.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_in(tmp_path, network, splits, report=cancel))
    kept = {"run.json", "optimizer-1.safetensors", read_run(tmp_path).timeline.state.weights}
    assert set(files(tmp_path)) == kept
    (tmp_path / ".optimizer-2.safetensors.abc.tmp").write_bytes(b"half")
    numbers = [run.timeline.current for run in run_in(tmp_path, network, splits)]
    assert numbers == [1, 2, 3, 3] and files(tmp_path) == whole


def test_what_an_optimizer_kept_must_be_there(network: Network, splits: Splits, tmp_path: Path) -> None:
    stream = run_in(tmp_path, network, splits)
    for _ in range(2):
        next(stream)
    (tmp_path / "optimizer-1.safetensors").write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"optimizer-1\.safetensors is damaged: it is not what was written"):
        next(run_in(tmp_path, network, splits))


def test_a_folder_of_other_settings_is_refused(network: Network, splits: Splits, tmp_path: Path) -> None:
    next(run_in(tmp_path, network, splits))
    other = tuning_run(network, splits, RECIPE, COUNT + 1, network_from="none", images_from="shades")
    with pytest.raises(BadInput, match=r"holds a run with epochs 3, not 4: discard it\.$"):
        next(tuned(network, splits, other, tmp_path, "discard it"))
    fewer = {**splits, "validation": Batches(splits["validation"].images, "validation", network.preprocessing, 2)}
    other = tuning_run(network, fewer, RECIPE, COUNT, network_from="none", images_from="shades")
    with pytest.raises(BadInput, match="holds a run with images"):
        next(tuned(network, fewer, other, tmp_path, "discard it"))
