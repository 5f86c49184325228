"""Bad input: one clear line, exit code 2, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from invoke import run

from explorer.networks.architectures.small import vgg_small

PRUNE = ("prune", "demo", "--criterion", "taylor")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are not as they should be."""
    folder = tmp_path_factory.mktemp("bad")
    weights = vgg_small().state_dict()
    torch.save(weights, folder / "good.pt")
    torch.save({**weights, "features.0.bias": weights["features.0.bias"] * float("nan")}, folder / "nan.pt")
    torch.save(vgg_small(), folder / "code.pt")
    (folder / "text.pt").write_text("no checkpoint")
    (folder / "empty").mkdir()
    (folder / "file").write_text("")
    three, large = np.arange(12) % 3, np.zeros((20, 40, 40), np.uint8)
    np.savez(folder / "three.npz", x=np.zeros((12, 28, 28), np.uint8), y=three)
    np.savez(folder / "large.npz", x=large, y=np.arange(20) % 10)
    return folder


CASES = {
    "no network there": (["inspect", "{}/none.pt"], "There is no network at "),
    "not a checkpoint": (
        ["inspect", "{}/text.pt", "--arch", "explorer:vgg_small"],
        "text.pt is not a torch checkpoint",
    ),
    "pickled code": (["inspect", "{}/code.pt", "--arch", "explorer:vgg_small"], "code.pt "),
    "NaN weights": (
        ["inspect", "{}/nan.pt", "--arch", "explorer:vgg_small"],
        "has NaN or infinite values in features.0",
    ),
    "wrong arch": (["inspect", "{}/good.pt", "--arch", "explorer:resnet20"], "does not fit explorer:resnet20"),
    "unknown arch": (["inspect", "{}/good.pt", "--arch", "vgg_smal"], "The architecture 'vgg_smal' is unknown"),
    "no such factory": (
        ["inspect", "{}/good.pt", "--arch", "nowhere.at_all:make"],
        "nowhere.at_all:make can't be imported",
    ),
    "empty run folder": (["inspect", "{}/empty"], "There is no network at "),
    "data left out": (["score", "{}/good.pt", "--arch", "explorer:vgg_small", "--criterion", "taylor"], "Give --data"),
    "no such data": (["score", "demo", "--data", "{}/none"], "does not exist, or is of no known kind"),
    "empty data": (
        ["score", "demo", "--data", "{}/empty"],
        "needs images in sub-folders, one for each class: there is none",
    ),
    "other classes": (["score", "demo", "--data", "{}/three.npz"], "has 10 outputs, but three has 3 classes"),
    "other size": (["score", "demo", "--data", "{}/large.npz"], "takes images of 1x28x28"),
    "unknown split": (["evaluate", "demo", "--split", "extra"], "has no split 'extra'"),
    "unknown criterion": (["score", "demo", "--criterion", "magic"], "'magic' is not one of 'taylor'"),
    "unknown device": (["evaluate", "demo", "--device", "abacus"], "Unknown device 'abacus'"),
    "seed below 0": (["evaluate", "demo", "--seed", "-1"], "-1 is not in the range x>=0"),
    "limit 0": (["evaluate", "demo", "--limit", "0"], "0 is not in the range x>=1"),
    "mean of words": (["evaluate", "demo", "--mean", "a,b"], "'a,b' is not a list of numbers"),
    "std of 0": (["evaluate", "demo", "--std", "0"], "std is 0.0"),
    "crop beyond size": (["evaluate", "demo", "--size", "20", "--crop", "28"], "crop 28 is larger than size 20"),
    "json is a folder": (["inspect", "demo", "--json", "{}/empty"], "empty is a folder: it must be a file"),
    "json under a file": (["inspect", "demo", "--json", "{}/file/a.json"], "a.json can't be written"),
    "out is a file": ([*PRUNE, "--until", "units=0.5", "--out", "{}/file"], "file is a file: it must be a folder"),
    "out under a file": ([*PRUNE, "--until", "units=0.5", "--out", "{}/file/run"], "run can't be written"),
    "no out": ([*PRUNE, "--until", "units=0.5"], "Missing option '--out'"),
    "until of 2": ([*PRUNE, "--until", "units=2", "--out", "{}/run"], "units=2 is not between 0 and 1"),
    "until of 0": ([*PRUNE, "--until", "units=0", "--out", "{}/run"], "units=0 is not between 0 and 1"),
    "until of nan": ([*PRUNE, "--until", "units=nan", "--out", "{}/run"], "units=nan is not between 0 and 1"),
    "until of a word": ([*PRUNE, "--until", "foo", "--out", "{}/run"], "'foo' is not of the form units=SHARE"),
    "until of kilos": ([*PRUNE, "--until", "kilos=0.5", "--out", "{}/run"], "Unknown target 'kilos'"),
    "out of reach": ([*PRUNE, "--until", "units=0.001", "--out", "{}/run"], "units=0.001 can't be reached"),
    "step of 0": ([*PRUNE, "--until", "units=0.5", "--step", "0", "--out", "{}/run"], "0 is not in the range x>=1"),
    "penalty of inf": ([*PRUNE, "--until", "units=0.5", "--flops-penalty", "inf", "--out", "{}/run"], "finite"),
    "price without a number": (
        [*PRUNE, "--until", "units=0.5", "--price", "flops", "--out", "{}/run"],
        "'flops' is not of the form flops=PENALTY",
    ),
    "unknown price": ([*PRUNE, "--until", "units=0.5", "--price", "kilos=1", "--out", "{}/run"], "price 'kilos'"),
    "price below 0": ([*PRUNE, "--until", "units=0.5", "--price", "memory=-1", "--out", "{}/run"], "at least 0"),
    "two prices": (
        [*PRUNE, "--until", "units=0.5", "--price", "saving=1", "--flops-penalty", "1", "--out", "{}/run"],
        "give it or --price, not both",
    ),
    "floor of a word": (
        [*PRUNE, "--until", "units=0.5", "--floor", "wide", "--out", "{}/run"],
        "'wide' is not of the form N|LAYER=N",
    ),
    "floor of 0": ([*PRUNE, "--until", "units=0.5", "--floor", "0", "--out", "{}/run"], "A floor of 0 is not possible"),
    "floor of no layer": (
        [*PRUNE, "--until", "units=0.5", "--floor", "conv=8", "--out", "{}/run"],
        "'conv', which is no prunable layer",
    ),
    "no layer to keep": ([*PRUNE, "--until", "units=0.5", "--keep", "conv", "--out", "{}/run"], "'conv' can't be kept"),
    "multiple of 0": ([*PRUNE, "--until", "units=0.5", "--multiple", "0", "--out", "{}/run"], "not in the range x>=1"),
    "limits out of reach": (
        [*PRUNE, "--until", "units=0.1", "--floor", "16", "--multiple", "8", "--out", "{}/run"],
        "with every layer at its floor of 16, in steps of 8",
    ),
    "resamples below 0": (["correlate", "demo", "--resamples", "-1"], "-1 is not in the range x>=0"),
    "learning rate of 0": (
        [*PRUNE, "--until", "units=0.5", "--learning-rate", "0", "--out", "{}/run"],
        "learning rate",
    ),
    "unknown format": (["export", "demo", "--format", "xml", "--out", "{}/export"], "format 'xml' is unknown"),
    "no export there": (["verify", "{}/none"], "There is no export at "),
    "export without proof": (["verify", "{}/empty"], "proof.safetensors does not exist"),
    "unknown command": (["prume", "demo"], "No such command 'prume'"),
    "no network named": (["inspect"], "Missing argument 'NETWORK'"),
    "unknown option": (["inspect", "demo", "--colour"], "No such option"),
    "port of letters": (["app", "--port", "http"], "'http' is not a valid integer"),
}


@pytest.mark.parametrize(("arguments", "message"), CASES.values(), ids=CASES)
def test_bad_input_is_one_line_and_exit_2(arguments: list[str], message: str, place: Path) -> None:
    before = sorted(place.rglob("*"))
    done = run(*(argument.format(place) for argument in arguments))
    assert done.code == 2
    assert message in done.err
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert sorted(place.rglob("*")) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has a GPU")
def test_a_device_that_is_not_there() -> None:
    done = run("inspect", "demo", "--device", "cuda")
    assert (done.code, done.err) == (2, "Error: The device cuda is not available here; available are cpu.\n")
