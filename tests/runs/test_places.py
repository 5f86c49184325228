"""What lies where a person says: told by what is there, looked into once, and nothing built before it is asked for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from exported import export_bytes
from networks_at_hand import at_hand
from rewriting_documents import rewritten

from explorer import open_network
from explorer.core.documents import sha256
from explorer.core.errors import BadInput
from explorer.data import UNCHANGED, Changes
from explorer.evaluation.metrics import Metrics
from explorer.networks.demos import DEMO, FIRST_DEMO, FIRST_DEMO_DIGEST
from explorer.networks.graph import safetensors_file
from explorer.networks.load import ORIGINAL, RUN_NETWORK
from explorer.networks.surgery import prune
from explorer.runs import store, timeline
from explorer.runs.opening import BatchRun, InteractiveRun, Place, place
from explorer.runs.origins import Source, source_from_json, source_to_json, upload_path
from explorer.runs.store import BATCH, FILE, INTERACTIVE, Run, read_run, write_run

BEFORE = Path(__file__).parent / "folders_before_digests"  # of a version whose runs do not say their kind
MEASURED = Metrics(0.1, 0.9, 10, 9, 90, 900)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    shutil.copytree(BEFORE, tmp_path / "older")
    return tmp_path / "older"


@pytest.fixture
def interactive(tmp_path: Path) -> Path:
    """A run of the app on an uploaded export, without the first unit."""
    content = export_bytes(at_hand("plain"))
    digest = sha256(content)
    path = upload_path(tmp_path, digest)
    path.parent.mkdir()
    path.write_bytes(content)
    label = at_hand("plain").units.labels[0]
    states = timeline.step(timeline.start(MEASURED), timeline.State(0, (label,), "one unit", MEASURED))
    return write_run(tmp_path / "runs" / "mine", Run(*source_to_json(Source(digest, "a.safetensors")), states)).parent


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A folder of an export without its first unit, with the original in it."""
    network, folder = at_hand("plain"), tmp_path / "half"
    removed = torch.arange(len(network.units)) == 0
    for where, each in ((folder, prune(network, removed)), (folder / ORIGINAL, network)):
        where.mkdir()
        (where / RUN_NETWORK).write_bytes(export_bytes(each))
    return folder


def test_the_demo_and_files_are_what_they_say_of_themselves(export: Path) -> None:
    demo = place(DEMO)
    assert type(demo) is Place and demo.run is None
    assert demo.network().digest == open_network(DEMO).digest and demo.network().name == DEMO
    file = place(str(export / RUN_NETWORK))
    assert (file.network().name, file.run) == (RUN_NETWORK, None)
    with pytest.raises(BadInput, match="holds no network before pruning: give a run folder, or what `export"):
        _ = file.original


def test_an_export_s_folder_has_the_original_in_it(export: Path) -> None:
    found = place(str(export))
    network = found.network()
    assert (network.name, found.run) == ("half", None)
    assert network.units.labels == found.original.units.labels[1:]


@pytest.mark.parametrize("kind", ["said", "told by an older version"])
def test_a_run_of_the_app_is_its_file_at_its_state(interactive: Path, kind: str) -> None:
    if kind != "said":
        content = json.loads((interactive / FILE).read_bytes())
        assert content.pop("kind") == INTERACTIVE
        (interactive / FILE).write_bytes(rewritten(json.dumps(content).encode(), {}))
    found = place(str(interactive))
    assert isinstance(found, InteractiveRun)
    assert found.network().name == "mine" and found.original.name == "a.safetensors"
    assert found.network().units.labels == found.original.units.labels[1:]
    assert found.file.manifest and found.file.manifest.layers[0].width_before == len(at_hand("plain").units.layers[0])


def test_how_a_run_of_the_app_prepares_its_images_can_not_be_changed(interactive: Path) -> None:
    found = place(str(interactive))
    own = found.original.preprocessing
    assert found.preprocessing(UNCHANGED) == found.preprocessing(Changes(mean=own.mean)) == own
    with pytest.raises(BadInput, match="mine is a run of the app, and how its images are prepared can't be changed"):
        found.network(found.preprocessing(Changes(size=9, crop=8)))


def test_a_run_of_the_command_line_is_the_network_that_it_ended_with(older: Path) -> None:
    found = place(str(older / "prune"))
    assert isinstance(found, BatchRun) and read_run(older / "prune").kind == BATCH  # no digests there, and no kind
    assert found.network().name == "prune" and len(found.network().units) == 7
    with pytest.raises(BadInput, match=r"There is no network at '/home/me/tiny.pt' that can be read"):
        _ = found.original


def test_the_original_of_a_run_is_the_one_that_it_began_with_or_none(older: Path, tmp_path: Path) -> None:
    again = older / "tune"  # which began with the run beside it
    run = read_run(again)
    write_run(again, Run({**run.network, "source": str(older / "prune")}, *list(vars(run).values())[1:]))
    assert place(str(again)).original.digest == run.network["digest"]
    write_run(again, Run({**read_run(again).network, "digest": "0" * 64}, *list(vars(run).values())[1:]))
    with pytest.raises(
        BadInput, match=r"prune is no longer the network that the run in .*tune began with: give that one back"
    ):
        _ = place(str(again)).original


def test_a_run_of_the_app_on_the_demo_of_448_units_opens_on_it(tmp_path: Path) -> None:
    first = open_network(FIRST_DEMO)
    assert first.digest == FIRST_DEMO_DIGEST != open_network(DEMO).digest and first.name == DEMO
    gone = timeline.State(0, first.units.labels[-2:], "two units", MEASURED)
    network, data = source_to_json(Source())  # as it was saved: "demo" was the name of that one
    run = Run({**network, "digest": FIRST_DEMO_DIGEST}, data, timeline.step(timeline.start(MEASURED), gone))
    found = place(str(write_run(tmp_path / "runs" / "mine", run).parent))
    assert found.network().units.labels == first.units.labels[:-2]
    source = source_from_json(run.network, run.data)
    assert source_from_json(*source_to_json(source)) == source == Source(FIRST_DEMO)


@pytest.mark.parametrize("name", [DEMO, FIRST_DEMO])
def test_a_run_of_a_command_began_with_the_demo_of_its_digest(older: Path, name: str) -> None:
    folder, network = older / "prune", open_network(name)
    (folder / RUN_NETWORK).write_bytes(export_bytes(network))
    began = {"source": DEMO, "name": DEMO, "arch": network.arch, "digest": network.digest}
    write_run(folder, replace(read_run(folder), network=began))
    assert place(str(folder)).original.digest == network.digest


def test_the_file_in_a_run_s_folder_is_checked_and_stands_for_itself(older: Path) -> None:
    path = older / "prune" / RUN_NETWORK
    write_run(path.parent, read_run(path.parent))  # with digests from now on
    found = place(str(path))
    assert type(found) is Place and found.network().name == RUN_NETWORK
    path.write_bytes((older / "tune" / RUN_NETWORK).read_bytes())
    with pytest.raises(BadInput, match="it is not what was written"):
        place(str(path))


@pytest.mark.parametrize("kind", ["cluster", 1, None, ["batch"]])
def test_a_kind_that_is_none_is_damage(interactive: Path, kind: object) -> None:
    (interactive / FILE).write_bytes(rewritten((interactive / FILE).read_bytes(), {"kind": kind}))
    with pytest.raises(BadInput, match=r"run.json is damaged: kind must be one of interactive, batch"):
        place(str(interactive))


def test_an_unfinished_run_is_no_network_yet(older: Path) -> None:
    run = read_run(older / "prune")
    write_run(older / "prune", Run(run.network, run.data, run.timeline, run.settings, False, run.files, run.kind))
    with pytest.raises(BadInput, match="prune is unfinished: the prune command that began it ends it with --resume"):
        place(str(older / "prune"))


@pytest.mark.parametrize("what", ["export", "interactive"])
def test_a_manifest_is_read_without_building_its_network_and_a_run_s_document_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    where, read = request.getfixturevalue(what), []
    original = store.read_document

    def counted(path: Path, *rest: object) -> dict[str, object]:
        read.append(path)
        return original(path, *rest)

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("built")

    monkeypatch.setattr(store, "read_document", counted)
    monkeypatch.setattr(safetensors_file, "rebuild", refuse)
    manifest = place(str(where)).file.manifest
    assert manifest and manifest.name == "plain" and manifest.input_shape == at_hand("plain").input_shape
    assert read == ([where / FILE] if what == "interactive" else [])


NOWHERE: dict[str, Callable[[Path], str]] = {
    "an empty folder": str,
    "a pipe": lambda folder: os.mkfifo(folder / "a.pt") or str(folder / "a.pt"),
    "a name that no file can have": lambda folder: "a\0b",
    "a name that is too long": lambda folder: "x" * 5000,
}


@pytest.mark.parametrize("name", NOWHERE)
def test_where_nothing_lies_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"There is no network at|is no regular file") as caught:
        place(NOWHERE[name](tmp_path))
    assert "\n" not in str(caught.value)
