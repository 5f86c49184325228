"""Pruning runs: stopped, grown or resumed anywhere, they hold what one run in one go would hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from stopping import files, gone_on_after_a_stop
from tiny import make

from explorer.core.errors import BadInput
from explorer.data import Labelled, Preprocessing, Splits, image_set
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.load import assemble, batches_for
from explorer.networks.network import Network
from explorer.networks.units import none_removed
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import Settings
from explorer.runs import timeline
from explorer.runs.pruning_runs import Pruning, grown_run, kept_run, newest_state, pruning_run, why_ended
from explorer.runs.run_folders import grow
from explorer.runs.store import Run, pruned_at, read_run
from explorer.training.finetune import Recipe

TUNED = Settings(step=3, target=0.4, updates=2, recipe=Recipe(0.05, batch_size=8))
UNTUNED = replace(TUNED, updates=0)
STEPS = 3  # 11 units -> 8 -> 5 -> 4, the first at most 0.4
Files = dict[str, bytes]


def opened() -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return assemble("tiny", "tiny:make", make(3), (1, 28, 28), Preprocessing((0.3,), (0.3,)))


NETWORK = opened()
APPLICABLE = [name for name, selector in SELECTORS.items() if selector.why_not(NETWORK) is None]


@pytest.fixture(scope="module")
def splits() -> Splits:
    """60 images of three classes: dark, grey and bright."""
    labels = np.arange(60) % 3
    pixels = np.random.default_rng(0).integers(0, 60, (60, 28, 28)) + 90 * labels[:, None, None]
    images = image_set("shades", Labelled(pixels.astype(np.uint8), labels, ("dark", "grey", "bright")), seed=2)
    return {name: batches_for(NETWORK, images, name) for name in ("calibration", "finetune", "validation")}


def run_in(folder: Path, splits: Splits, settings: Settings, *, last_weights: bool = False) -> Iterator[Run]:
    asked = pruning_run(NETWORK, splits, settings, network_from="tiny.pt", images_from="shades")
    return kept_run(Pruning(NETWORK, splits, settings), asked, folder, "discard it", last_weights=last_weights)


@pytest.fixture(scope="module")
def whole(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a run with updates that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    runs = list(run_in(folder, splits, TUNED))
    assert [(run.states.current, run.finished) for run in runs] == [*((n, False) for n in range(STEPS + 1)), (3, True)]
    assert read_run(folder) == runs[-1]
    return files(folder)


def test_a_state_says_what_its_step_took_and_with_what(splits: Splits, tmp_path: Path) -> None:
    *_, run = run_in(tmp_path, splits, TUNED)
    states, before = run.states, none_removed(NETWORK.units)
    for number, took in ((1, 3), (2, 3), (3, 1)):
        state, removed = states.states[number], timeline.removed_at(states, NETWORK.units, number)
        unit = "unit" if took == 1 else "units"
        assert state.how == f"{took} {unit} by Taylor, layer-wise l2, 2 updates"
        assert (state.parent, state.updates, state.settings) == (number - 1, 2, run.settings)
        assert state.removed == tuple(NETWORK.units.labels[unit] for unit in (removed & ~before).nonzero()[:, 0])
        assert state.pruned is not None and state.pruned.units == state.metrics.units == 11 - int(removed.sum())
        assert state.pruned.loss != state.metrics.loss and (tmp_path / str(state.weights)).is_file()
        before = removed


def test_without_updates_a_state_has_neither_weights_nor_a_measurement_before_them(
    splits: Splits, tmp_path: Path
) -> None:
    *_, run = run_in(tmp_path, splits, UNTUNED)
    assert set(files(tmp_path)) == {"run.json", "network.safetensors"}
    assert {(state.pruned, state.updates, state.weights) for state in run.states.states.values()} == {(None, 0, None)}
    assert run.states.state.how == "1 unit by Taylor, layer-wise l2"


PLACES = [
    *(("explorer.evaluation.metrics.evaluate", call, False) for call in (2, 3)),
    ("explorer.pruning.procedure.train", STEPS, True),
    *(("explorer.runs.run_folders.write_run", call, True) for call in (1, STEPS)),  # of a step
    *(("explorer.runs.pruning_runs.write_run", call, True) for call in (1, 2)),  # of the start and of the end
    *(("explorer.runs.pruning_runs.write_weights", call, True) for call in (1, STEPS)),
    *(("explorer.runs.pruning_runs.to_bytes", 1, after) for after in (False, True)),
]


@pytest.mark.parametrize("place", PLACES)
def test_stopped_anywhere_a_run_goes_on_to_the_same_files(
    splits: Splits, whole: Files, tmp_path: Path, place: tuple[str, int, bool]
) -> None:
    assert gone_on_after_a_stop(lambda: list(run_in(tmp_path, splits, TUNED)), tmp_path, place) == whole


@pytest.mark.parametrize("updates", [0, 2])
@pytest.mark.parametrize("selector", APPLICABLE)
def test_of_every_selector_a_run_taken_up_again_after_each_step_is_the_one_in_one_go(
    splits: Splits, tmp_path: Path, selector: str, updates: int
) -> None:
    settings = replace(TUNED, criterion=selector, updates=updates)
    in_one_go, in_parts = tmp_path / "whole", tmp_path / "parts"
    *_, run = run_in(in_one_go, splits, settings)
    for _ in run.states.states:  # what the folder holds, and one step more
        list(islice(run_in(in_parts, splits, settings), 2))
    *_, again = run_in(in_parts, splits, settings)
    assert again.finished and files(in_parts) == files(in_one_go)


def test_a_finished_run_stays_as_it_is_and_what_a_cut_off_write_left_goes(
    splits: Splits, whole: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(run_in(tmp_path, splits, TUNED))
    (tmp_path / ".run.json.0123abcd.tmp").write_bytes(b"half")
    monkeypatch.setattr("explorer.evaluation.metrics.evaluate", None)  # nothing is computed any more
    (run,) = run_in(tmp_path, splits, TUNED)
    assert run == read_run(tmp_path) and files(tmp_path) == whole


def test_a_folder_of_another_run_is_refused_with_the_way_out(splits: Splits, tmp_path: Path) -> None:
    next(run_in(tmp_path, splits, TUNED))
    before = files(tmp_path)
    with pytest.raises(BadInput, match=r"holds a run with updates 2, not 0: discard it\.$"):
        next(run_in(tmp_path, splits, UNTUNED))
    assert files(tmp_path) == before


@pytest.mark.parametrize("stop", range(1, STEPS + 2))
def test_asked_to_a_run_keeps_the_weights_that_it_ends_with_alone(
    splits: Splits, whole: Files, tmp_path: Path, stop: int
) -> None:
    list(islice(run_in(tmp_path, splits, TUNED, last_weights=True), stop))
    *_, run = run_in(tmp_path, splits, TUNED, last_weights=True)
    weights = run.states.state.weights
    assert set(files(tmp_path)) == {"run.json", "network.safetensors", weights}
    assert files(tmp_path)[str(weights)] == whole[str(weights)]
    assert files(tmp_path)["network.safetensors"] == whole["network.safetensors"]


def test_the_step_that_spends_a_budget_is_kept_but_not_where_the_run_ends(
    splits: Splits, whole: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "spent", lambda self, metrics: "it is" if metrics.units < 8 else None)
    *_, run = run_in(tmp_path / "whole", splits, TUNED)
    assert [state.metrics.units for state in run.states.states.values()] == [11, 8, 5] and run.states.current == 1
    list(islice(run_in(tmp_path / "parts", splits, TUNED), 3))  # stopped behind the step that spent it
    numbers = [each.states.current for each in run_in(tmp_path / "parts", splits, TUNED)]
    assert numbers == [1, 1] and files(tmp_path / "parts") == files(tmp_path / "whole")
    assert len(pruned_at(NETWORK, run.states, tmp_path / "whole").units) == 8


BEGUN = Run({"source": "tiny.pt"}, {"source": "shades"})  # of the app, before anything was measured


def test_a_run_of_the_app_grows_by_the_states_that_a_command_would_keep(
    splits: Splits, whole: Files, tmp_path: Path
) -> None:
    of_app, of_command = tmp_path / "app", tmp_path / "command"
    *_, run = grown_run(Pruning(NETWORK, splits, TUNED), BEGUN, of_app)
    *_, other = run_in(of_command, splits, TUNED)
    assert run == read_run(of_app) and run.states == other.states
    assert files(of_app).keys() == whole.keys() - {"network.safetensors"}
    assert why_ended(measure_costs(NETWORK), run.states, newest_state(run.states), TUNED).startswith("Reached: ")


def test_it_grows_from_where_it_is_and_moves_nobody_who_went_elsewhere(
    splits: Splits, whole: Files, tmp_path: Path
) -> None:
    pruning = Pruning(NETWORK, splits, TUNED)
    steps = grown_run(pruning, BEGUN, tmp_path)
    *_, run = islice(steps, 2)
    grow(tmp_path, run, timeline.back)  # somebody goes back while the next step is computed
    seen = [
        (run.states.current, newest_state(run.states), run.states.states[newest_state(run.states)]) for run in steps
    ]
    assert [(current, number, state.parent) for current, number, state in seen] == [(0, 2, 1), (0, 3, 2)]
    assert [(len(state.removed), str(state.weights) in whole) for _, _, state in seen] == [(3, True), (1, True)]
    run = grow(tmp_path, run, partial(timeline.jump, number=2))
    first, last = grown_run(pruning, run, tmp_path)
    assert (first.states.current, last.states.current, last.states.state.parent) == (2, 4, 2)
    assert last.states.state.weights == seen[-1][-1].weights, "the same step once more"


def test_a_step_without_updates_keeps_what_those_before_it_made_of_the_weights(splits: Splits, tmp_path: Path) -> None:
    *_, run = grown_run(Pruning(NETWORK, splits, replace(TUNED, target=0.8)), BEGUN, tmp_path)
    *_, run = grown_run(Pruning(NETWORK, splits, UNTUNED), run, tmp_path)
    assert [state.updates for state in run.states.states.values()] == [0, 2, 0, 0]
    measured = evaluate(pruned_at(NETWORK, run.states, tmp_path), splits["validation"])
    assert measured.loss == pytest.approx(run.states.state.metrics.loss, rel=1e-6)
