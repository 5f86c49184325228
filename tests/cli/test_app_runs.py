"""Runs of the app on the command line: its folder says where network and images come from, and at which state it is."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from exported import without_last_channels
from invoke import result, run
from of_demo import UNITS, WIDTHS
from torch import Tensor

from explorer import open_network
from explorer.data import Changes, open_images
from explorer.data.uploads import keep_archive
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics
from explorer.export import load_pruned
from explorer.networks.architectures.small import vgg_small
from explorer.networks.demos import DEMO
from explorer.networks.load import batches_for
from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import Units, none_removed
from explorer.runs.origins import Source, open_source, source_to_json
from explorer.runs.store import Run, read_run, write_run, write_weights
from explorer.runs.timeline import State, Timeline, jump, start, step

GONE = [0, 3, 40]
MEASURED = Metrics(0.1, 0.97, 64, UNITS, 1000, 4000)


def without(units: Units, gone: Sequence[int] = GONE) -> Tensor:
    """The plan that takes the units of the tests."""
    removed = none_removed(units)
    removed[list(gone)] = True
    return removed


def app_run(folder: Path, source: Source, gone: Sequence[int] = GONE) -> Path:
    """A run whose state 1 lacks units, and whose state 2 has other weights."""
    network = open_source(source, folder.parent.parent)
    pruned = prune(network, without(network.units, gone))
    for weight in pruned.module.parameters():
        weight += 0.01
    weights = write_weights(folder, with_weights_of(pruned, pruned.module))
    states = step(start(MEASURED), State(0, tuple(network.units.labels[unit] for unit in gone), "some units", MEASURED))
    states = step(states, State(1, (), "tuned", measured(pruned, source), updates=2, weights=weights))
    return written(folder, source, states, {"digest": network.digest})


def measured(network: Network, source: Source) -> Metrics:
    """What a network scores on the images of a source, as it is measured again before an export."""
    outcome = evaluate(network, batches_for(network, open_images(source.data, seed=source.seed), "validation", 64))
    return replace(MEASURED, loss=outcome.loss, accuracy=outcome.accuracy, images=len(outcome.labels))


def written(folder: Path, source: Source, states: Timeline | None, more: Mapping[str, str]) -> Path:
    network, data = source_to_json(source)
    write_run(folder, Run({**network, **more}, data, states))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app keeps its runs."""
    return tmp_path_factory.mktemp("work") / "runs"


@pytest.fixture(scope="module")
def mine(runs: Path) -> Path:
    """A run on the demo, at its last state."""
    return app_run(runs / "mine", Source())


@pytest.fixture(scope="module")
def uploaded(runs: Path, few: Path) -> Path:
    """A run on an uploaded checkpoint."""
    torch.manual_seed(0)
    place = runs.parent / "uploads"
    place.mkdir(exist_ok=True)
    torch.save(vgg_small().state_dict(), place / "new")
    digest = hashlib.sha256((place / "new").read_bytes()).hexdigest()
    (place / "new").rename(place / digest)
    prepared = Changes(size=28, crop=28, mean=(0.13,), std=(0.31,))
    return app_run(runs / "uploaded", Source(digest, "own.pt", "explorer:vgg_small", str(few), 0, prepared))


def test_a_run_is_exported_proven_and_replayed(mine: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    done, _ = result(tmp_path, "export", mine, "--format", "safetensors,plan", "--out", out)
    assert "on cpu, after 2 fine-tuning updates" in done.out
    found = load_pruned(out / "network.safetensors")
    (first, *_), whole = found.manifest.layers, open_network(DEMO)
    assert (first.width_before - first.width_after, first.kept[:3]) == (2, (1, 2, 4))
    expected = prune(whole, without(whole.units))
    for weight in expected.module.parameters():
        weight += 0.01
    x = torch.randn(2, *whole.input_shape, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(found(x), expected.module(x), atol=1e-5)
    assert run("verify", out).code == 0
    assert run("replay", mine, "--plan", out / "plan.json", "--out", again).err == ""
    assert torch.allclose(load_pruned(again / "network.safetensors")(x), prune(whole, without(whole.units)).module(x))


def test_a_run_stands_for_the_network_at_its_state(mine: Path, runs: Path, tmp_path: Path) -> None:
    _, found = result(tmp_path, "inspect", mine)
    assert (found["network"]["name"], found["network"]["units"]) == ("mine", UNITS - len(GONE))
    timeline = read_run(mine).timeline
    assert timeline
    for name, at in (("back", 0), ("pruned", 1)):
        states = jump(timeline, at)
        folder = written(runs / name, Source(), states, {})
        _, found = result(tmp_path, "inspect", folder)
        assert found["network"]["units"] == (UNITS, UNITS - len(GONE))[at]
    _, found = result(tmp_path, "inspect", written(runs / "untouched", Source(), None, {}))
    assert found["network"]["units"] == UNITS


def test_a_network_that_had_lost_its_last_channels_is_exported_with_the_widths_before(tmp_path: Path) -> None:
    (tmp_path / "half.safetensors").write_bytes(without_last_channels())
    options = ("--data", "demo", "--limit", 4, "--out", tmp_path / "out")
    result(tmp_path, "export", tmp_path / "half.safetensors", *options)
    layers = load_pruned(tmp_path / "out" / "network.safetensors").manifest.layers
    assert [layer.width_before for layer in layers] == WIDTHS
    assert [layer.width_after for layer in layers] == [width - 1 for width in WIDTHS]


def test_an_uploaded_network_is_found_with_its_images_and_their_preparation(uploaded: Path, tmp_path: Path) -> None:
    done, found = result(tmp_path, "evaluate", uploaded, "--split", "validation", "--limit", 4)
    assert found["data"]["name"] == "few" and found["data"]["preprocessing"]["mean"] == [0.13]
    assert "on cpu, after 2 fine-tuning updates" in done.out
    assert run("export", uploaded, "--state", 1, "--original", "--out", tmp_path / "out").code == 0
    before = load_pruned(tmp_path / "out" / "original" / "network.safetensors")
    assert sum(layer.width_after for layer in before.manifest.layers) == sum(2 * width for width in (32, 64, 128))


def test_what_a_run_of_the_app_can_not_be_used_for_is_one_sentence(mine: Path, runs: Path, tmp_path: Path) -> None:
    source = replace(Source(), network="0" * 64, name="lost.pt")
    lost = written(runs / "lost", source, None, {})
    other = written(runs / "other", Source(), None, {"digest": "0"})
    prune_on = ("prune", "demo", "--criterion", "taylor", "--until", "units=0.9", "--resume", "--out", mine)
    for arguments, said in (
        (prune_on, f"{mine} holds a run of the app, which only the app goes on with: give another --out."),
        (("verify", mine), f"{mine} is a run folder: export the run, and verify what that writes."),
        (("inspect", mine, "--mean", "0.5"), f"{mine} is a run of the app, and how its images are prepared can't be"),
        (("inspect", lost), "lost.pt is no longer in the work folder; upload it again."),
        (("inspect", other), f"demo is no longer the network that the run in {other} began with"),
        (("export", mine, "--state", 7, "--out", tmp_path / "out"), f"{mine} has no state 7; it has 0, 1, 2."),
    ):
        done = run(*arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert done.err.startswith(f"Error: {said}") and done.err.count("\n") == 1
    assert json.loads((mine / "run.json").read_text())["timeline"]["current"] == 2


def test_a_run_on_uploaded_images_opens_wherever_its_work_folder_is_moved(tmp_path: Path, few: Path) -> None:
    x, y = (np.load(few)[name] for name in ("x", "y"))
    stream = io.BytesIO()
    np.savez(stream, x=x, y=y)
    where = keep_archive(tmp_path / "before", stream, "few.npz")
    folder = written(tmp_path / "before" / "runs" / "one", Source(data=where), start(MEASURED), {})
    (tmp_path / "before").rename(tmp_path / "after")
    folder = tmp_path / "after" / folder.relative_to(tmp_path / "before")
    _, found = result(tmp_path, "evaluate", folder, "--split", "all")
    _, same = result(tmp_path, "evaluate", "demo", "--data", few, "--split", "all")
    assert (found["loss"], found["accuracy"], found["images"]) == (same["loss"], same["accuracy"], same["images"])
    shutil.rmtree(tmp_path / "after" / "uploads")
    refused = run("evaluate", folder)
    assert refused.code == 2 and "'few.npz' are no longer in the work folder: upload them again." in refused.err
