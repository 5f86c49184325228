"""finetune: a network for one's own images, kept epoch by epoch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from invoke import result, run
from of_demo import UNITS, WIDTHS

from explorer import open_network
from explorer.networks.architectures.families import build
from explorer.networks.load import file_at
from explorer.runs import tuning_runs as running
from explorer.runs.store import Run, read_run
from explorer.runs.timeline import Timeline

SMALL = ("--arch", "explorer:vgg_tiny", "--epochs", 3, "--minibatch", 8, "--learning-rate", 0.01)
ON_DEMO = ("--data", "demo", "--arch", "explorer:vgg_tiny")


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights with a head of other classes."""
    path = tmp_path_factory.mktemp("letters") / "letters.pt"
    torch.save(build("explorer:vgg_tiny", 26, seed=4).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def tuned(few: Path, letters: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict]:
    """A run folder, and what the command said."""
    out = tmp_path_factory.mktemp("tuned") / "run"
    done, found = result(out.parent, "finetune", *SMALL, "--weights", letters, "--data", few, "--out", out)
    return out, done.out, found


def test_every_epoch_is_measured_and_the_folder_is_a_network(tuned: tuple[Path, str, dict], tmp_path: Path) -> None:
    out, said, found = tuned
    assert [state.how for state in read_run(out).timeline.states.values()] == [
        "as loaded",
        "epoch 1",
        "epoch 2",
        "epoch 3",
    ]
    assert [epoch["loss"] for epoch in found["epochs"]] == [
        s.metrics.loss for s in read_run(out).timeline.states.values()
    ]
    assert len({epoch["loss"] for epoch in found["epochs"]}) == 4
    assert "16 validation images of few, seed 0, on cpu; epoch 0 is before fine-tuning" in said
    assert sorted(path.name for path in out.iterdir()) == ["network.safetensors", "run.json"]
    network = open_network(out)
    assert (len(network.units), len(network.classes)) == (UNITS, 10)
    _, measured = result(tmp_path, "evaluate", out)  # on the run's own data
    assert measured["data"]["name"] == "few" and measured["settings"]["stage"] == "after fine-tuning"


def test_a_run_that_is_stopped_goes_on_to_the_same_network(
    tuned: tuple[Path, str, dict], few: Path, letters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, out = running._keep, tmp_path / "run"

    def stop(folder: Path, asked: Run, states: Timeline | None, epoch: running.Epoch, updates: int) -> Timeline:
        grown = keep(folder, asked, states, epoch, updates)
        if epoch.number == 2:
            raise KeyboardInterrupt
        return grown

    arguments = ("finetune", *SMALL, "--weights", letters, "--data", few, "--out", out, "--resume")
    monkeypatch.setattr(running, "_keep", stop)
    assert run(*map(str, arguments)).code == 1
    assert not read_run(out).finished and (out / read_run(out).timeline.state.weights).is_file()
    monkeypatch.undo()
    done = run(*map(str, arguments))
    assert done.code == 0 and "up to epoch 2: going on from there" in done.err
    assert open_network(out).digest == open_network(tuned[0]).digest
    assert sorted(path.name for path in out.iterdir()) == ["network.safetensors", "run.json"]
    assert "finished: nothing was done" in run(*map(str, arguments)).err


def test_from_scratch_needs_no_weights(few: Path, tmp_path: Path) -> None:
    _, found = result(tmp_path, "finetune", *SMALL, "--weights", "none", "--data", few, "--out", tmp_path / "run")
    assert found["settings"]["epochs"] == 3


def test_a_pruned_network_is_fine_tuned_once_more_as_it_is(tuned: tuple[Path, str, dict], tmp_path: Path) -> None:
    pruned, again = tmp_path / "pruned", tmp_path / "again"
    options = ("--criterion", "weight", "--until", "units=0.5", "--step", UNITS // 4, "--out", pruned)
    _, before = result(tmp_path, "prune", tuned[0], *options)
    _, found = result(tmp_path, "finetune", "--weights", pruned, *SMALL[2:], "--out", again)  # on the run's own data
    assert found["data"] == before["data"] | {"splits": {"finetune": 32, "validation": 16}, "images": 48}
    assert found["epochs"][0]["loss"] == before["after"]["loss"]
    assert len({epoch["loss"] for epoch in found["epochs"]}) == 4
    assert {epoch["units"] for epoch in found["epochs"]} == {UNITS // 2}
    widths = [(layer.width_before, layer.width_after) for layer in file_at(again).manifest.layers]
    assert [before for before, _ in widths] == WIDTHS and sum(after for _, after in widths) == UNITS // 2
    assert (
        "finished: nothing was done"
        in run(*map(str, ("finetune", "--weights", pruned, *SMALL[2:], "--out", again, "--resume"))).err
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--weights", "none"], "Give --arch, the architecture, and --data"),
        ([*ON_DEMO], "Nobody publishes ImageNet weights of explorer:vgg_tiny"),
        ([*ON_DEMO[:-1], "explorer:none"], "The architecture 'explorer:none' is unknown"),
        ([*ON_DEMO, "--weights", "nofile.pt"], "nofile.pt can't be opened"),
        (["--weights", "norun", "--data", "demo"], "There is no network at 'norun' that can be read"),
        ([*ON_DEMO, "--momentum", "2"], "momentum 2.0 must be at least 0 and below 1"),
        ([*ON_DEMO, "--epochs", "0"], "0 is not in the range x>=1"),
    ],
)
def test_bad_input_is_one_sentence(changed: list[str], message: str, tmp_path: Path) -> None:
    done = run("finetune", *changed, "--out", str(tmp_path / "run"))
    assert done.code == 2 and message in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "run" / "run.json").exists()
