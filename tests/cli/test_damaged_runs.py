"""Run folders that are damaged or were edited: every command says in one sentence which file, and changes nothing."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke import result, run
from rewriting_documents import rewritten
from safetensors.torch import load, save
from test_app_runs import app_run

from explorer.core.documents import sha256
from explorer.runs.origins import Source, upload_path
from explorer.runs.store import FILE
from explorer.upkeep.audit import audit

NETWORK = "network.safetensors"
Damage = Callable[[Path], object]
CHANGED = "is not what was written"


@pytest.fixture(scope="module")
def pruned(tiny: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command line in two fine-tuned steps."""
    out = tmp_path_factory.mktemp("runs") / "pruned"
    options = ("--criterion", "taylor", "--step", 2, "--updates", 1, "--evidence", "updates")
    done = run("prune", *tiny, "--limit", 16, *options, "--until", "units=0.7", "--out", out)
    assert done.code == 0, done.err
    return out


@pytest.fixture(scope="module")
def of_app(pruned: Path) -> Path:
    """A run of the app on an upload, which stands at a state with weights of its own."""
    work, content = pruned.parent / "work", (pruned / NETWORK).read_bytes()
    digest = sha256(content)
    upload_path(work, digest).parent.mkdir(parents=True)
    upload_path(work, digest).write_bytes(content)
    return app_run(work / "runs" / "mine", Source(digest, "own.safetensors"), gone=[1])


def of(name: str, change: Callable[[bytes], bytes]) -> Damage:
    """The content of a file is another."""

    def damage(folder: Path) -> None:
        path = next(iter(sorted(folder.glob(name))))
        path.write_bytes(change(path.read_bytes()))

    return damage


def edited(*place: str, to: Any) -> Damage:
    """A value of run.json is another, and nothing else."""
    return of(FILE, lambda content: json.dumps(_with(json.loads(content), place, to)).encode())


def forged(*place: str, to: Any) -> Damage:
    """The same, with the digest that then fits."""
    return of(FILE, lambda content: rewritten(content, {place[0]: _with(json.loads(content), place, to)[place[0]]}))


def _with(content: Any, place: tuple[str, ...], value: Any) -> Any:
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return content


def replaced(name: str, make: Callable[[Path], object]) -> Damage:
    """Something else lies in a file's place; the file lies beside the folder."""

    def damage(folder: Path) -> None:
        path = next(iter(sorted(folder.glob(name))))
        path.rename(folder.parent / "elsewhere")
        make(path)

    return damage


def flipped(place: int) -> Callable[[bytes], bytes]:
    """One bit of the byte at this place is another."""
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place:][1:]


def signs(content: bytes) -> bytes:
    """A safetensors file with the sign of half of its first kernels flipped, whole in every other way."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    tensors = load(content)
    name = next(name for name, value in tensors.items() if value.ndim == 4)
    tensors[name][: len(tensors[name]) // 2] *= -1
    return save(tensors, header["__metadata__"])


KINDS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to(path.parent.parent / "elsewhere"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "longer": lambda content: content + b"\0",
    "a bit of its beginning flipped": flipped(0),
    "a bit of its header flipped": flipped(40),
    "a bit of its end flipped": flipped(-3),
}
STATE = ("timeline", "states", "1")
RUN_JSON: dict[str, tuple[Damage, str]] = {
    **{f"run.json: {name}": (of(FILE, change), r"run\.json is damaged") for name, change in BYTES.items()},
    **{
        f"run.json: {name} in its place": (replaced(FILE, make), r"run\.json is no regular file")
        for name, make in KINDS.items()
        if name != "nothing"
    },
    "run.json: wrong encoding": (
        of(FILE, lambda content: content.decode().encode("utf-16")),
        "is damaged|not what was",
    ),
    "run.json: a digit of a metric": (
        of(FILE, lambda content: re.sub(rb'"flops": \d', b'"flops": 9', content, count=1)),
        CHANGED,
    ),
    "run.json: another accuracy": (edited(*STATE, "metrics", "accuracy", to=0.99), CHANGED),
    "run.json: another list of units": (edited(*STATE, "removed", to=[]), CHANGED),
    "run.json: another parent": (edited("timeline", "states", "2", "parent", to=0), CHANGED),
    "run.json: another digest": (edited("digest", to="0" * 64), CHANGED),
    "run.json: a digest that is a number": (edited("digest", to=1), CHANGED),
    "run.json: other settings": (edited("settings", "seed", to=5), CHANGED),
    "run.json: another state": (edited("timeline", "current", to=0), CHANGED),
    "run.json: unfinished": (edited("finished", to=False), CHANGED),
    "run.json: no weights": (edited("timeline", "states", "2", "weights", to=None), CHANGED),
    "run.json: no format": (edited("format", to=None), "is not in the format"),
    "run.json: another format": (edited("format", to="pruning-explorer race 2"), "is not in the format"),
    "run.json: of a newer version": (edited("format", to="pruning-explorer run 4"), "newer version .* update first"),
    "run.json: of a version that never was": (edited("format", to="pruning-explorer run 1"), "there is no format"),
    "forged: a unit goes twice": (
        forged("timeline", "states", "2", "removed", to=[["0", 4], ["0", 4]]),
        "a unit twice",
    ),
    "forged: less than nothing": (forged(*STATE, "metrics", "images", to=-1), "lacks parts"),
    "forged: no number": (forged(*STATE, "metrics", "loss", to=math.nan), "lacks parts"),
    "forged: more than all": (forged(*STATE, "metrics", "accuracy", to=1.5), "lacks parts"),
    "forged: a number beyond measure": (forged(*STATE, "metrics", "flops", to=10**400), "lacks parts"),
    "forged: text for a number": (forged(*STATE, "metrics", "loss", to="1"), "lacks parts"),
    "forged: true for a number": (forged(*STATE, "updates", to=True), "lacks parts"),
    "forged: weights elsewhere": (forged(*STATE, "weights", to="../../secret.safetensors"), "beside it"),
    "forged: a parent that is no state": (forged("timeline", "states", "2", "parent", to=7), "no earlier parent"),
    "forged: network is a list": (forged("network", to=[]), "must be objects"),
    "forged: files is a list": (forged("files", to=[]), "must name SHA-256 digests"),
}
OWN_NETWORK: dict[str, tuple[Damage, str]] = {
    **{f"network: {name}": (of(NETWORK, change), CHANGED.removeprefix("is ")) for name, change in BYTES.items()},
    **{
        f"network: {name} in its place": (
            replaced(NETWORK, make),
            "is missing" if name == "nothing" else "regular file",
        )
        for name, make in KINDS.items()
    },
    "network: signs flipped": (of(NETWORK, signs), "not what was written"),
    "network: that of a state": (
        lambda folder: shutil.copy(next(folder.glob("weights-*")), folder / NETWORK),
        "not what",
    ),
    "forged: nothing says what the network must be": (forged("files", to={}), "nothing says what its SHA-256 must be"),
}
OF_APP: dict[str, tuple[Damage, str]] = {
    **{f"weights: {name}": (of("weights-*", change), "not what was written") for name, change in BYTES.items()},
    **{
        f"weights: {name} in their place": (
            replaced("weights-*", make),
            "is missing" if name == "nothing" else "regular",
        )
        for name, make in KINDS.items()
    },
    "weights: signs flipped": (of("weights-*", signs), "not what was written"),
    **{
        f"upload: {name}": (
            of("../../uploads/*", change),
            r"own\.safetensors is damaged in the work folder .*upload it",
        )
        for name, change in BYTES.items()
    },
    "upload: signs flipped": (of("../../uploads/*", signs), "is damaged in the work folder"),
    "upload: gone": (replaced("../../uploads/*", KINDS["nothing"]), "is no longer in the work folder; upload it again"),
    "upload: a pipe": (replaced("../../uploads/*", os.mkfifo), "is no regular file"),
    "forged: units of another network": (forged(*STATE, "removed", to=[["nothing", 3]]), "belongs to another network"),
    "forged: the seed is true": (forged("data", "seed", to=True), "does not say which network and images"),
    "forged: another upload": (forged("network", "source", to="0" * 64), "is no longer in the work folder"),
    "forged: a path as upload": (forged("network", "source", to="../../secret"), "names an upload that can't exist"),
}


def lying(folder: Path) -> dict[str, object]:
    """All that a folder holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.lstat().st_mode
        for path in folder.rglob("*")
    }


def refused(folder: Path, said: str, *command: object) -> None:
    """A command on the folder ends with one sentence, and leaves all as it was."""
    before = lying(folder.parent.parent)
    done = run(*command)
    assert (done.code, done.out) == (2, ""), done
    assert re.search(said, done.err) and done.err.count("\n") == 1, done.err
    assert lying(folder.parent.parent) == before


def copy_of(folder: Path, tmp_path: Path) -> Path:
    """A copy, with the work folder around it."""
    shutil.copytree(folder.parent.parent, tmp_path / "work")
    return tmp_path / "work" / folder.parent.name / folder.name


@pytest.mark.parametrize("name", [*RUN_JSON, *OWN_NETWORK])
def test_a_damaged_run_of_the_command_line_is_one_sentence(pruned: Path, tmp_path: Path, name: str) -> None:
    damage, said = (RUN_JSON | OWN_NETWORK)[name]
    folder = tmp_path / "all" / "runs" / "pruned"
    shutil.copytree(pruned, folder)
    damage(folder)
    refused(folder, said, "inspect", folder)


@pytest.mark.parametrize("name", [*RUN_JSON, *OF_APP])
def test_a_damaged_run_of_the_app_is_one_sentence(of_app: Path, tmp_path: Path, name: str) -> None:
    damage, said = (RUN_JSON | OF_APP)[name]
    folder = copy_of(of_app, tmp_path)
    damage(folder)
    refused(folder, said, "inspect", folder)


FOUND_BY_CHECK = [name for name in (RUN_JSON | OWN_NETWORK | OF_APP) if not name.startswith("forged: ")]


@pytest.mark.parametrize("name", FOUND_BY_CHECK)
def test_check_finds_it_and_says_what_is_whole(pruned: Path, of_app: Path, tmp_path: Path, name: str) -> None:
    damage, _ = (RUN_JSON | OWN_NETWORK | OF_APP)[name]
    if name in OF_APP:
        folder = copy_of(of_app, tmp_path)
        where = folder.parent.parent
    else:
        folder = where = tmp_path / "pruned"
        shutil.copytree(pruned, folder)
    assert {each.standing for each in audit(where)} == {"ok"}
    whole = {each.path for each in audit(where)}
    damage(folder)
    before = lying(where)
    found = {each.path: each.standing for each in audit(where)}
    assert whole <= set(found) or name.startswith("run.json")
    (bad,) = [path for path, standing in found.items() if standing in ("damaged", "missing")]
    assert bad.name in (FILE, NETWORK) or bad.parent.name == "uploads" or bad.name.startswith("weights-")
    assert lying(where) == before


def test_check_shows_a_table_and_leaves_with_2(pruned: Path, tmp_path: Path) -> None:
    done, found = result(tmp_path, "check", pruned)
    assert found["counts"] == {"ok": 4} and "4 files: 4 ok." in done.out
    folder = tmp_path / "run"
    shutil.copytree(pruned, folder)
    (folder / "notes.txt").touch()
    of(NETWORK, signs)(folder)
    next(folder.glob("weights-*")).unlink()
    done = run("check", folder, "--json", tmp_path / "found.json")
    assert done.code == 2 and done.err == f"Error: {folder} holds 2 damaged or missing files: see the table.\n"
    counts = json.loads((tmp_path / "found.json").read_text())["counts"]
    assert counts == {"ok": 2, "damaged": 1, "missing": 1, "unknown": 1}
    for where, said in ((tmp_path / "none", "is no folder"), (tmp_path / "empty", "holds nothing that the app")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        done = run("check", where)
        assert done.code == 2 and said in done.err


COMMANDS: dict[str, Callable[[list[object], Path, Path], tuple[object, ...]]] = {
    "evaluate": lambda tiny, folder, out: ("evaluate", folder, "--limit", 4),
    "evaluate its file": lambda tiny, folder, out: ("evaluate", folder / NETWORK, "--data", "demo", "--limit", 4),
    "score": lambda tiny, folder, out: ("score", folder, "--criterion", "weight"),
    "export": lambda tiny, folder, out: ("export", folder, "--out", out),
    "speed": lambda tiny, folder, out: ("speed", folder),
    "replay": lambda tiny, folder, out: ("replay", folder, "--plan", folder / "plan.json", "--out", out),
    "finetune": lambda tiny, folder, out: ("finetune", "--weights", folder, "--epochs", 1, "--out", out),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_a_network_with_other_signs(
    tiny: list[object], pruned: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "all" / "runs" / "pruned"
    shutil.copytree(pruned, folder)
    of(NETWORK, signs)(folder)
    (folder / "plan.json").write_text('{"format": "pruning-explorer plan 1", "network": {}, "removed": []}')
    refused(
        folder, f"{NETWORK} is damaged: it is not what was written", *COMMANDS[name](tiny, folder, tmp_path / "out")
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", ["run.json", "weights-*"])
def test_a_stopped_run_does_not_go_on_from_what_is_damaged(
    tiny: list[object], pruned: Path, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "all" / "runs" / "pruned"
    shutil.copytree(pruned, folder)
    (folder / NETWORK).unlink()
    forged("finished", to=False)(folder)
    for path in folder.glob(what):
        path.write_bytes(flipped(-3)(path.read_bytes()))
    options = ("--criterion", "taylor", "--step", 2, "--updates", 1, "--evidence", "updates", "--until", "units=0.7")
    refused(folder, "is damaged", "prune", *tiny, "--limit", 16, *options, "--out", folder, "--resume")


def test_a_state_with_damaged_weights_is_not_exported(tiny: list[object], pruned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all" / "runs" / "pruned"
    shutil.copytree(pruned, folder)
    for path in folder.glob("weights-*"):
        path.write_bytes(signs(path.read_bytes()))
    refused(folder, "weights-.* is damaged", "export", folder, *tiny[1:], "--state", 1, "--out", tmp_path / "out")


def test_what_nothing_names_does_no_harm(pruned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(pruned, folder)
    for name in ("notes.txt", ".run.json.0123.tmp", ".lock", f"weights-{'0' * 64}.safetensors", "lane-none-0.json"):
        (folder / name).write_bytes(b"half")
    os.mkfifo(folder / "pipe")
    assert run("inspect", folder).code == 0


def test_each_run_has_its_own_network(pruned: Path, of_app: Path, tmp_path: Path) -> None:
    folder, other = tmp_path / "all" / "runs" / "pruned", tmp_path / "other"
    shutil.copytree(pruned, folder)
    assert run("finetune", "--weights", pruned, "--limit", 16, "--epochs", 1, "--out", other).code == 0
    shutil.copy(other / NETWORK, folder / NETWORK)
    refused(folder, f"{NETWORK} is damaged", "inspect", folder)
    shutil.copy(pruned / NETWORK, folder / NETWORK)
    shutil.copy(other / FILE, folder / FILE)
    refused(folder, f"{NETWORK} is damaged", "inspect", folder)
