"""Code in an export's manifest, wherever text or numbers can stand: none of it runs, wherever the file is opened."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exported import close_file, described, export_bytes, open_file
from networks_at_hand import at_hand

import explorer
from explorer import open_network
from explorer.cli import main
from explorer.core.errors import BadInput
from explorer.export import model_source
from explorer.networks.load import network_file

CODE = "torch.os.system('touch PWNED')"
MANIFEST, TENSORS = open_file(export_bytes(at_hand("residual")))
Change = Callable[[dict[str, Any]], None]  # of a manifest


def built(layer: str, name: str, value: Any) -> Change:
    """A value as an argument of a layer's constructor."""
    return lambda manifest: manifest["graph"]["modules"][layer]["arguments"].update({name: value})


def called(op: str, target: str, *args: Any, **kwargs: Any) -> Change:
    """A call between the last layer and the output."""
    made = {"name": "made", "op": op, "target": target, "args": list(args), "kwargs": kwargs}
    return lambda manifest: manifest["graph"]["nodes"].insert(-1, made)


def f(target: str, *args: Any, **kwargs: Any) -> Change:
    return called("call_function", target, X, *args, **kwargs)


def m(target: str, *args: Any, **kwargs: Any) -> Change:
    return called("call_method", target, X, *args, **kwargs)


def activation(kind: str, **arguments: Any) -> Change:
    """A layer of another type, called at the end."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["graph"]["modules"]["made"] = {"type": kind, "arguments": arguments, "fixed": []}
        called("call_module", "made", X)(manifest)

    return change


def renamed(old: str, new: str) -> Change:
    def change(manifest: dict[str, Any]) -> None:
        text = json.dumps(manifest["graph"]).replace(json.dumps(old), json.dumps(new))
        manifest["graph"] = json.loads(text)

    return change


def about(**values: Any) -> Change:
    return lambda manifest: manifest.update(values)


X = {"node": "head"}
UNPRINTABLE = (f'"""\n{CODE}\n"""', f"\u2028{CODE}", "\ud800", "\x1b[31m")
FUNCTIONAL = "torch.nn.functional"
QUOTED = '"); import os; os.system("touch PWNED"); ("'
REFUSED: dict[str, Change] = {
    "the one that was found": activation("ReLU", inplace=CODE),
    "another flag": activation("SiLU", inplace=f"torch.float32 if {CODE} else 0"),
    "a number as flag": activation("ReLU", inplace=1),
    "a slope": activation("LeakyReLU", negative_slope=CODE, inplace=False),
    "a bound": activation("Hardtanh", min_val=CODE, max_val=1.0, inplace=False),
    "a number that is none": activation("LeakyReLU", negative_slope={"float": "nan"}, inplace=False),
    "a huge number": activation("LeakyReLU", negative_slope=10**400, inplace=False),
    "an approximation": activation("GELU", approximate=CODE),
    "a word in another case": activation("GELU", approximate="Tanh"),
    "a dimension": activation("Softmax", dim=CODE),
    "a share": activation("Dropout", p=CODE, inplace=False),
    "a share above 1": activation("Dropout", p=2, inplace=False),
    "a size": activation("AdaptiveAvgPool2d", output_size=[CODE, 1]),
    "a nested size": activation("AdaptiveAvgPool2d", output_size=[[[1]]]),
    "a mode": activation(
        "Upsample", size=None, scale_factor=2.0, mode=CODE, align_corners=None, recompute_scale_factor=None
    ),
    "a fill value": activation("ConstantPad2d", padding=[0, 0, 0, 0], value=CODE),
    "a border": activation("ZeroPad2d", padding=[0, 0, 0, CODE]),
    "a padding": built("stem", "padding", CODE),
    "a padding mode": built("stem", "padding_mode", CODE),
    "a padding mode with quotes": built("stem", "padding_mode", QUOTED),
    "a padding mode with a newline": built("stem", "padding_mode", f"zeros\n{CODE}"),
    "a stride of text": built("stem", "stride", ["torch.int", 1]),
    "groups": built("stem", "groups", CODE),
    "groups as flag": built("stem", "groups", True),
    "a bias": built("stem", "bias", CODE),
    "a width": built("head", "out_features", f"torch.{CODE}"),
    "an epsilon": built("norm0", "eps", CODE),
    "an infinite epsilon": built("norm0", "eps", {"float": "inf"}),
    "a momentum of lists": built("norm0", "momentum", [0.1]),
    "a dtype as argument of a layer": built("norm0", "eps", {"dtype": "float32"}),
    "a node as argument of a layer": built("norm0", "eps", X),
    "an unknown argument": built("norm0", CODE, 1),
    "a type": lambda manifest: manifest["graph"]["modules"]["norm0"].update(type="torch.os.system"),
    "a weight to fix": lambda manifest: manifest["graph"]["modules"]["stem"].update(fixed=[CODE]),
    "a function": f(CODE),
    "a function of torch outside the list": f("torch.load"),
    "a dunder of a function": f("torch.relu.__globals__"),
    "an argument of a function": f("torch.flatten", CODE),
    "text for a tensor": called("call_function", "torch.relu", CODE),
    "a keyword's value": f("torch.mean", dim=CODE),
    "a keyword's name": f("torch.mean", **{f"dim=1) or {CODE} or (1": 1}),
    "a keyword that torch knows": f("torch.add", 1, out=X),
    "a mode of a function": f(f"{FUNCTIONAL}.interpolate", None, 2.0, CODE),
    "a mode of padding": f(f"{FUNCTIONAL}.pad", [0, 0], QUOTED),
    "a fill value of a function": f(f"{FUNCTIONAL}.pad", [0, 0], "constant", CODE),
    "a rounding mode": f("torch.div", 2, rounding_mode=CODE),
    "a term of a sum": f("operator.add", CODE),
    "a row of texts": f("operator.add", [CODE]),
    "an index": f("operator.getitem", CODE),
    "an index in a slice": f("operator.getitem", {"slice": [None, CODE, None]}),
    "an index in a row": f("operator.getitem", {"tuple": [0, [CODE]]}),
    "a dtype as text": f("torch.mean", dim=1, dtype=f"torch.{CODE}"),
    "a dtype of another name": f("torch.mean", dim=1, dtype={"dtype": "os"}),
    "a dtype with code": f("torch.mean", dim=1, dtype={"dtype": f"float32 or {CODE}"}),
    "a memory format as text": m("contiguous", memory_format="torch.os"),
    "a memory format with code": m("contiguous", memory_format={"memory_format": CODE}),
    "a float with code": m("clamp", min={"float": f'1") or {CODE} or float("1'}),
    "an ellipsis that is none": f("operator.getitem", {"ellipsis": CODE}),
    "an attribute": f("getattr", f"shape or {CODE}"),
    "a dunder": f("getattr", "__class__"),
    "an attribute by node": f("getattr", X),
    "a method": m(f"relu() or {CODE} or x.relu"),
    "a method outside the list": m("numpy"),
    "an argument of a method": m("view", 1, CODE),
    "a norm": m("norm", CODE),
    "an argument of a layer's call": called("call_module", "head", CODE),
    "a second argument of a layer's call": called("call_module", "head", X, CODE),
    "arguments of a tensor": called("get_attr", "head.weight", CODE),
    "a name of a node": renamed("head", f"x={CODE}"),
    "a name of a node over two lines": renamed("relu", "x\nimport os"),
    "a name of a layer": renamed("norm1", f'norm1"] or {CODE} or ["'),
    "a dunder layer": renamed("norm1", "__init_subclass__"),
    "a layer far down": renamed("norm1", ".".join("a" * 200)),
    "a tensor": lambda manifest: manifest["graph"]["tensors"].update({CODE: "buffer"}),
    "a kind of tensor": lambda manifest: manifest["graph"]["tensors"].update({"stem.weight": CODE}),
    "a mean": lambda manifest: manifest["preprocessing"].update(mean=[CODE]),
    "a size of images": lambda manifest: manifest["preprocessing"].update(size=CODE),
    "a key of the preparation": lambda manifest: manifest["preprocessing"].update({CODE: 1}),
    "a side": about(input_shape=[1, CODE, 8]),
    **{f"architecture {n}": about(arch=t) for n, t in enumerate(UNPRINTABLE)},
    "a class without end": about(classes=["x" * 20_000, "b", "c"]),
    "a width beyond all bounds": lambda manifest: manifest["layers"][0].update(width_before=2**31 - 1),
    "a width of a layer": lambda manifest: manifest["layers"][0].update(width_before=CODE),
}
TEXTS = (
    CODE,
    QUOTED,
    f'"""\n{CODE}\n"""',
    f"'''\n{CODE}",
    f"\\\n{CODE}",
    "\\N{BULLET}{0}%s",
    f"\u2028{CODE}",
    "\ud800",
)
HARMLESS: dict[str, Change] = {
    "names of classes": about(classes=list(TEXTS[:3])),
    "odd classes": about(classes=list(TEXTS[3:6])),
    "classes with code points": about(classes=[*TEXTS[6:], "x"]),
    **{f"name {n}": about(name=text) for n, text in enumerate(TEXTS)},
    **{f"architecture {n}": about(arch=text) for n, text in enumerate([CODE, QUOTED, "\\N{BULLET}{0}%s"])},
    "metrics": about(metrics={"after": {"accuracy": CODE, "images": CODE}}),
    "provenance": about(provenance={CODE: [CODE]}),
}


def changed(change: Change) -> bytes:
    manifest = copy.deepcopy(MANIFEST)
    change(manifest)
    return close_file(manifest, TENSORS)


@pytest.mark.parametrize("name", REFUSED)
def test_code_as_a_value_is_refused_in_one_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        network_file(changed(REFUSED[name]), "export.safetensors").network()
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and said.endswith(".") and len(said) < 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HARMLESS)
def test_code_as_text_stays_text(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = network_file(changed(HARMLESS[name]), "export.safetensors").network()
    source = model_source.render(described(network))
    exec(compile(source, "model.py", "exec"), {"__name__": "model", "__file__": "model.py"})
    assert CODE not in [ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    assert list(tmp_path.iterdir()) == []


def test_the_one_that_was_found_is_refused_wherever_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "export.safetensors"
    path.write_bytes(changed(REFUSED["the one that was found"]))
    said = r"^This export's manifest is damaged: inplace of module made \(ReLU\) must be true or false, not .*\.$"
    for opening in (explorer.load_pruned, open_network):
        with pytest.raises(BadInput, match=said):
            opening(path)
    for command in ("inspect", "export"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(path), *(["--data", "demo", "--out", "out"] if command == "export" else [])])
        assert ended.value.code == 2
        assert "inplace of module made (ReLU) must be true or false" in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == [path]
