"""Run folders: what is written comes back, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from safetensors.torch import load_file, save_file
from test_timeline import branched

from explorer.core import files
from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import newly_removed, none_removed
from explorer.pruning.plan import with_removed
from explorer.runs import timeline as timelines
from explorer.runs.store import (
    FILE,
    FORM,
    Run,
    at_state,
    drop_unnamed,
    pruned_at,
    read_run,
    read_weights,
    write_run,
    write_weights,
)
from explorer.training.finetune import Recipe, Training, minibatches, train

IMAGES = images(SHAPE)
RUN = Run({"source": "demo", "arch": None, "digest": "ab" * 32}, {"source": "demo", "seed": 3}, branched(), {"step": 1})


@pytest.mark.parametrize("run", [RUN, Run({"source": "demo"}, {"source": "demo"})], ids=["full", "not yet measured"])
def test_a_run_comes_back_as_it_was_written(tmp_path: Path, run: Run) -> None:
    assert write_run(tmp_path / "new" / "folder", run) == tmp_path / "new" / "folder" / FILE
    assert read_run(tmp_path / "new" / "folder") == run


def test_the_file_is_json_with_its_format(tmp_path: Path) -> None:
    content = json.loads(write_run(tmp_path, RUN).read_text())
    assert content["format"] == str(FORM)
    known = ["format", "kind", "network", "data", "settings", "timeline", "finished", "files", "name", "digest"]
    assert list(content) == known
    assert [state["removed"] for state in content["timeline"]["states"].values()] == [
        [],
        [["b", 2]],
        [["a", 1]],
        [["b", 5]],
    ]


def test_writing_again_replaces_the_run_and_leaves_no_other_file(tmp_path: Path) -> None:
    write_run(tmp_path, RUN)
    other = Run(RUN.network, RUN.data, None, {"step": 2})
    write_run(tmp_path, other)
    assert read_run(tmp_path) == other
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_run_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write_run(tmp_path, RUN)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with pytest.raises(BadInput, match=r"run\.json can't be written \(No space left on device\)"):
        write_run(tmp_path, Run({}, {}))
    monkeypatch.undo()
    assert read_run(tmp_path) == RUN
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="can't be written"):
        write_run(tmp_path / "file" / "run", RUN)


@pytest.mark.parametrize("where", ["absent", "."])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(BadInput, match=r"is not a run folder: it holds no run\.json"):
        read_run(tmp_path / where)


def _with(**parts: object) -> bytes:
    """A file of the version before digests."""
    form = "pruning-explorer run 2"
    return json.dumps({"format": form, "network": {}, "data": {}, "settings": {}, "timeline": None} | parts).encode()


DAMAGED = {
    "empty": (b"", "not JSON"),
    "text": (b"hello", "not JSON"),
    "cut short": (_with()[:-5], "not JSON"),
    "not text": (b"\xff\xfe\x00\x01", "not JSON"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "list": (b"[]", "not in the format"),
    "number": (b"1", "not in the format"),
    "another format": (_with(format="pruning-explorer race 2"), "not in the format 'pruning-explorer run 3'"),
    "a format that never was": (_with(format="pruning-explorer run 0"), "there is no format"),
    "of a newer version": (_with(format="pruning-explorer run 99"), "written by a newer version .*: update first"),
    "no digest": (_with(format=str(FORM)), "not what was written"),
    "another digest": (_with(format=str(FORM), digest="0" * 64), "not what was written"),
    "network is a list": (_with(network=[]), "network, data and settings must be objects"),
    "no data": (_with(data=None), "network, data and settings must be objects"),
    "settings is text": (_with(settings="all"), "network, data and settings must be objects"),
    "finished is text": (_with(finished="no"), "finished must be true or false"),
    "timeline is a number": (_with(timeline=5), "its timeline: it lacks parts"),
    "timeline is an empty list": (_with(timeline=[]), "its timeline: it lacks parts"),
    "timeline without states": (
        _with(timeline={"states": {}, "current": 0, "tip": 0, "made": 1}),
        "there is no state 0",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gets_one_sentence(tmp_path: Path, name: str) -> None:
    content, words = DAMAGED[name]
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BadInput, match=words) as refusal:
        read_run(tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.name != "posix", reason="needs a folder in the file's place")
def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(BadInput, match="is no regular file"):
        read_run(tmp_path)


def test_a_file_that_does_not_say_so_is_of_a_finished_run(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(_with())
    assert read_run(tmp_path) == Run({}, {}, None, {}, finished=True)


def _moved(name: str) -> Network:
    """A network with other weights than `at_hand` gives it, batch-norm statistics included."""
    network = at_hand(name)
    generator = torch.Generator().manual_seed(5)
    for value in network.module.state_dict().values():
        value.copy_(torch.rand(value.shape, generator=generator) if value.is_floating_point() else value + 7)
    return with_weights_of(network, network.module)


@pytest.mark.parametrize("name", MODULES)
def test_weights_come_back_bit_for_bit_and_change_no_network(tmp_path: Path, name: str) -> None:
    saved, before = _moved(name), at_hand(name)
    found = read_weights(tmp_path / write_weights(tmp_path, saved), before)
    assert found.digest == saved.digest
    for key, value in saved.module.state_dict().items():
        assert torch.equal(found.module.state_dict()[key], value)
        assert torch.equal(before.module.state_dict()[key], at_hand(name).module.state_dict()[key])
    assert not found.module.training and not any(p.requires_grad for p in found.module.parameters())


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda path: path.unlink(), "missing"),
    "empty": (lambda path: path.write_bytes(b""), "not what was written"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "not what was written"),
    "one bit flipped": (lambda path: path.write_bytes(_flipped(path.read_bytes())), "not what was written"),
    "another network's": (lambda path: path.write_bytes(_written(path.parent, "fire")), "not what was written"),
    "no digest": (lambda path: save_file(load_file(path), path), "not what was written"),
    "a link": (lambda path: path.rename(path.with_name("a")).with_name(path.name).symlink_to("a"), "no regular file"),
}


def _flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def _written(folder: Path, name: str) -> bytes:
    return (folder / write_weights(folder, at_hand(name))).read_bytes()


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_weights_get_one_sentence(tmp_path: Path, name: str) -> None:
    spoil, words = SPOILED[name]
    path = tmp_path / write_weights(tmp_path, _moved("plain"))
    spoil(path)
    with pytest.raises(BadInput, match=rf"weights-\w{{64}}\.safetensors is .*{words}") as refusal:
        read_weights(path, at_hand("plain"))
    assert "\n" not in str(refusal.value)


def _tuned_twice(folder: Path) -> tuple[Network, timelines.Timeline, list[Network]]:
    """A run whose states 1 and 3 were trained; the networks that were then measured, of states 0 to 3."""
    network = at_hand("plain_batchnorm")
    timeline, removed = timelines.start(measured(network)), none_removed(network.units)
    found = [network]
    for number, more in enumerate(([1, 6], [2], [7]), 1):
        before, removed = removed, with_removed(removed, [more])
        smaller = prune(found[-1], removed[~before])
        if number != 2:
            smaller = with_weights_of(smaller, train(smaller.module, minibatches(IMAGES, 4), 3, Training(Recipe(0.05))))
        found.append(smaller)
        weights = write_weights(folder, smaller) if number != 2 else None
        lost = newly_removed(network.units, before, removed)
        state = timelines.State(number - 1, lost, "", measured(smaller), None, 3 * (number != 2), weights)
        timeline = timelines.step(timeline, state)
    return network, timeline, found


def measured(network: Network) -> Metrics:
    return metrics_of(evaluate(network, IMAGES), measure_costs(network), none_removed(network.units))


def test_every_state_has_its_weights_bit_for_bit(tmp_path: Path) -> None:
    network, timeline, networks = _tuned_twice(tmp_path)
    for number, expected in enumerate(networks):
        here = at_state(network, timeline, tmp_path, number).whole()
        found = prune(here, timelines.removed_at(timeline, network.units, number))
        assert pruned_at(network, timeline, tmp_path, number).digest == expected.digest
        for pruned in (found, pruned_at(network, timeline, tmp_path, number)):
            state = pruned.module.state_dict()
            assert all(torch.equal(value, state[key]) for key, value in expected.module.state_dict().items())
            assert measured(pruned) == timeline.states[number].metrics


def test_weights_that_no_state_names_are_deleted_and_others_stay(tmp_path: Path) -> None:
    network, timeline, _ = _tuned_twice(tmp_path)
    (tmp_path / ".run.json.0123.tmp").write_text("half")
    left = timelines.delete(timeline, 3)
    drop_unnamed(tmp_path, left)
    assert [path.name for path in tmp_path.iterdir()] == [timeline.states[1].weights]
    assert at_state(network, left, tmp_path).whole().digest == at_state(network, timeline, tmp_path, 1).whole().digest
    with pytest.raises(BadInput, match=r"\.safetensors is missing"):
        at_state(network, timeline, tmp_path, 3)
