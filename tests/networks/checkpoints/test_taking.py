"""Whatever a file holds beside them, the weights that fit the architecture are found, and what was left is said."""

from __future__ import annotations

import argparse
import collections
import datetime
import io
import pathlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hostile import WEIGHTS, saved
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from explorer.core.errors import BadInput
from explorer.networks.architectures.families import build
from explorer.networks.architectures.fitting import fit, fitted, propose
from explorer.networks.checkpoints.reading import read_checkpoint

ARCH = "explorer:resnet20"
Weights = dict[str, Tensor]


@cache
def weights() -> Weights:
    return dict(build(ARCH, 3, seed=4).state_dict())


NOT_DENSE: dict[str, Callable[[Tensor], Tensor]] = {
    "a sparse tensor": lambda weight: weight.to_sparse(),
    "a quantized tensor": lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8),
    "a tensor of the meta device": lambda weight: weight.to("meta"),
}


@pytest.mark.parametrize("what", NOT_DENSE)
def test_a_weight_that_is_not_dense_is_called_what_it_is_and_not_missing(what: str) -> None:
    name = next(name for name in weights() if name.endswith("weight"))
    odd = NOT_DENSE[what](weights()[name])
    with pytest.raises(BadInput, match=rf"^w\.pt holds {name} as {what}.*, and only dense weights") as caught:
        fit(ARCH, read_checkpoint(saved({**weights(), name: odd}), "w.pt"))
    assert "torch.save(" in str(caught.value) and "missing" not in str(caught.value)
    with pytest.raises(BadInput, match=rf"^w\.pt holds a as {what}"):
        read_checkpoint(saved({"a": odd}), "w.pt")
    fit(ARCH, read_checkpoint(saved({"state_dict": weights(), "mask": odd}), "w.pt"))  # beside the network it may be


def named(prefix: str, source: Weights | None = None) -> Weights:
    return {prefix + name: tensor for name, tensor in (source or weights()).items()}


def other(shift: float = 1.0) -> Weights:
    return {name: tensor + shift for name, tensor in weights().items() if tensor.is_floating_point()}


def opened(content: object, name: str = "a.pth", zipped: bool = True) -> tuple[Weights, str]:
    module, note = fitted(ARCH, read_checkpoint(saved(content, zipped), name))
    return dict(module.state_dict()), note


def holds(found: Weights, expected: Weights | None = None) -> bool:
    wanted = expected or weights()
    return all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


PLACES: dict[str, Callable[[], Any]] = {
    "bare": weights,
    **{
        word: (lambda word=word: {word: weights(), "epoch": 3})
        for word in ("state_dict", "model_state", "weights", "network", "params_ema", "modelWeights", "Generator")
    },
    **{
        word: (lambda word=word: named(word))
        for word in (
            "module.",
            "model.",
            "net.",
            "backbone.",
            "_orig_mod.",
            "encoder.model.",
            "my_wrapper.module.",
            "1.",
        )
    },
    "lightning": lambda: {"state_dict": {**named("model."), "criterion.weight": torch.ones(3)}, "epoch": 1},
    "loss beside": lambda: {**weights(), "criterion.weight": torch.ones(3), "loss_fn.pos_weight": torch.ones(1)},
    "tuple": lambda: (weights(), {"epoch": 1}),
    "list": lambda: [{"epoch": 1}, [weights()]],
    "empty state dict": lambda: {"state_dict": {"encoder": {}}, "model": weights()},
    "name as model": lambda: {"model": "resnet20", "state": weights()},
    "nested": lambda: {"a": {"b": {"c": {"d": {"e": {"f": weights()}}}}}},
    "mid-key": lambda: {name.replace("layer1.", "layer1.module."): tensor for name, tensor in weights().items()},
    "prefix and mid-key": lambda: {
        "model." + name.replace("layer1.", "layer1._orig_mod."): tensor for name, tensor in weights().items()
    },
    "by parts": lambda: {
        part: {name.removeprefix(f"{part}."): t for name, t in weights().items() if name.startswith(f"{part}.")}
        for part in ("conv1", "bn1", "layer1", "layer2", "layer3", "linear")
    },
    "dict of its own class": lambda: {"model": collections.defaultdict(list, weights())},
    "average beside": lambda: {"ema": other(), "state_dict": weights()},
    "two copies": lambda: {**named("encoder_q."), **named("encoder_k.", other())},
    "averaged model": lambda: {**named("module."), "n_averaged": torch.tensor(5)},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("zipped", [True, False])
def test_weights_are_found_wherever_they_are(place: str, zipped: bool) -> None:
    found, _ = opened(PLACES[place](), zipped=zipped)
    assert holds(found)


@pytest.mark.parametrize("name", ["a.pth.tar", "a.pkl", "a.bin", "a", "a.safetensors", "weights.2024-01-01"])
def test_a_files_name_says_nothing(name: str) -> None:
    assert holds(opened(weights(), name)[0])


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_plain_pickle_of_weights_is_read(protocol: int) -> None:
    data = pickle.dumps({"state_dict": weights(), "when": datetime.datetime(2024, 1, 1)}, protocol)
    assert holds(dict(fit(ARCH, read_checkpoint(data, "a.pkl")).state_dict()))


def arrays(order: str = "C", byte_order: str = "=") -> dict[str, np.ndarray]:
    """The weights as NumPy arrays."""
    made = {name: np.array(tensor.numpy(), order=order) for name, tensor in weights().items()}
    return {name: array.astype(array.dtype.newbyteorder(byte_order)) for name, array in made.items()}


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_arrays_are_weights_in_a_plain_pickle(protocol: int, order: str) -> None:
    data = pickle.dumps({"model": arrays(order), "__author__": "somebody"}, protocol)
    assert holds(dict(fit(ARCH, read_checkpoint(data, "a.pkl")).state_dict()))


@pytest.mark.parametrize("zipped", [True, False])
def test_numpy_arrays_are_weights_in_what_torch_saves(zipped: bool) -> None:
    assert holds(opened({"model": arrays(), "epoch": np.arange(2)}, zipped=zipped)[0])


def test_arrays_of_foreign_byte_order_or_of_objects_are_no_weights() -> None:
    with pytest.raises(BadInput, match="there is no tensor in it"):
        opened({"model": arrays(byte_order=">"), "names": np.array(["a", None], dtype=object)})


def test_an_array_that_claims_another_size_than_its_bytes_is_refused() -> None:
    honest = pickle.dumps({"weight": np.zeros((3, 5), np.float32)}, 4)
    claim = honest.replace(b"K\x03K\x05", b"K\x03K\x06")
    assert claim != honest
    with pytest.raises(BadInput, match="is not a torch checkpoint"):
        read_checkpoint(claim, "a.pkl")


STRANGERS: dict[str, Any] = {
    "arguments": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("runs/x")),
    "number": np.float64(0.9),
    "array": np.arange(3.0),
    "date": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    "log": collections.defaultdict(list, loss=[1.0, 2.0]),
    "set": {1, 2},
    "loss": nn.CrossEntropyLoss(weight=torch.ones(3)),
    "optimizer": torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1),
    "type": torch.float16,
    "complex": 1j,
    "keys": {(1, 2): 3, None: 4, 0.5: 5},
    "tensor": torch.tensor(float("inf")),
}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("zipped", [True, False])
def test_strangers_beside_the_weights_are_inert(stranger: str, zipped: bool) -> None:
    found, note = opened({"state_dict": weights(), stranger: STRANGERS[stranger]}, zipped=zipped)
    assert holds(found) and note.startswith("Taken from the file: ") and stranger in note


def test_what_was_taken_and_what_was_left_is_one_line() -> None:
    count = len(weights())
    content = {"state_dict": {**named("model."), "criterion.weight": torch.ones(3)}, "epoch": 1, "args": {"lr": 0.1}}
    assert opened(content)[1] == (
        f"Taken from the file: {count} tensors under 'state_dict/model'; left: state_dict/criterion, epoch, args."
    )
    assert opened(weights())[1] == ""


def test_of_several_that_fit_the_first_that_is_no_average_is_taken() -> None:
    found, note = opened({"state_dict_ema": other(), "model": weights(), "best": other(2.0)})
    assert holds(found)
    assert note.endswith(
        "; those under 'best', those under 'state_dict_ema' fit as well, and the first in the file that are no running "
        "average are taken; weights=best behind the architecture's name takes others."
    )


@pytest.mark.parametrize("name", ["best", "state_dict_ema", "model"])
def test_a_person_chooses_among_several_that_fit(name: str) -> None:
    content = {"state_dict_ema": other(), "model": weights(), "best": other(2.0)}
    module, note = fitted(f"{ARCH},weights={name}", read_checkpoint(saved(content), "a.pth"))
    assert holds(dict(module.state_dict()), content[name])
    assert f" tensors under '{name}'; left: " in note and "fit as well" not in note


def test_a_name_under_which_there_are_no_weights_is_told_with_those_that_there_are() -> None:
    content = {"state_dict_ema": other(), "model": weights()}
    with pytest.raises(
        BadInput, match=r"a\.pth has no weights under 'emma': there are such under 'model', 'state_dict"
    ):
        fitted(f"{ARCH},weights=emma", read_checkpoint(saved(content), "a.pth"))


def test_an_average_alone_is_taken() -> None:
    assert holds(opened({"ema": weights()})[0])


def test_a_set_that_fits_wholly_comes_before_one_of_other_shapes() -> None:
    wrong = {**weights(), "conv1.weight": torch.ones(16, 3, 5, 5)}
    assert holds(opened({"old": wrong, "new": weights()})[0])


@pytest.mark.parametrize("lost", ["linear.weight", "conv1.weight", "layer1.0.bn1.weight"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_what_one_set_lacks_is_not_taken_from_another(lost: str, prefix: str) -> None:
    rest = {name: tensor for name, tensor in named(prefix).items() if name != prefix + lost}
    half = {"before": {lost: other()[lost], "bn1.bias": other()["bn1.bias"]}}  # fits nowhere itself
    with pytest.raises(BadInput, match=f"does not fit .* missing {lost}"):
        opened({**rest, **half})
    found, note = opened({**rest, "state_dict_ema": other()})
    assert holds(found, other())
    assert "under 'state_dict_ema'" in note


def test_weights_inside_of_a_wrapper_come_before_an_average_beside_them() -> None:
    wrapped = {name.replace(".", ".inner.", 1): tensor for name, tensor in weights().items()}
    assert holds(opened({**wrapped, "ema": other()})[0])


def test_the_state_of_a_random_generator_beside_the_weights_is_left() -> None:
    found, note = opened({**weights(), "rng": torch.get_rng_state()})
    assert holds(found)
    assert note.endswith("left: rng.")


def test_what_fits_nowhere_is_named_without_its_wrappers() -> None:
    partly = {name: tensor for name, tensor in named("net.").items() if name != "net.bn1.bias"}
    with pytest.raises(BadInput, match=r"^a\.pth does not fit explorer:resnet20: missing bn1\.bias \(16\);"):
        opened({"state_dict": partly})


def test_a_whole_module_is_named_with_the_line_that_saves_its_weights() -> None:
    with pytest.raises(
        BadInput, match=r"whole pickled module .*torch\.load\('a\.pth', weights_only=False\)\['net'\]\."
    ):
        opened({"net": build(ARCH, 3), "epoch": 1})


def is_trained(module: nn.Module) -> bool:
    """Whether it is a convolution with weights; the shortcuts of resnet20 are fixed."""
    return isinstance(module, nn.Conv2d) and "weight" in dict(module.named_parameters())


def parted(change: Callable[[nn.Module], object]) -> tuple[Weights, Weights]:
    """A network's state dict with all of its convolutions changed, and the weights that it computes with."""
    module = build(ARCH, 3, seed=4).train()
    for each in list(module.modules()):
        if is_trained(each):
            change(each)
    with torch.no_grad():
        for _ in range(8):  # in train mode, in which spectral norms find their vectors
            module(torch.ones(2, 3, 32, 32))
    module.eval()
    convolutions = {name: each for name, each in module.named_modules() if f"{name}.weight" in weights()}
    convolutions = {name: each for name, each in convolutions.items() if isinstance(each, nn.Conv2d)}
    with torch.no_grad():
        module(torch.ones(1, 3, 32, 32))
        whole = {f"{name}.weight": each.weight.detach().clone() for name, each in convolutions.items()}
    return dict(module.state_dict()), whole


PARTED: dict[str, Callable[[nn.Module], object]] = {
    "a pruning mask": lambda conv: prune.l1_unstructured(conv, "weight", 0.3),
    "weight norm": parametrizations.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
}


@pytest.mark.parametrize("kind", PARTED)
def test_weights_in_parts_are_put_together(kind: str) -> None:
    content, whole = parted(PARTED[kind])
    found, note = opened(named("module.", content))
    assert f"; {kind} folded into 19 weights" in note
    assert all(torch.allclose(found[name], weight, rtol=1e-5, atol=1e-7) for name, weight in whole.items())


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["weight norm", "spectral norm"])
def test_the_older_forms_are_put_together(kind: str) -> None:
    older = nn.utils.weight_norm if kind == "weight norm" else nn.utils.spectral_norm
    content, whole = parted(older)
    found, note = opened(content)
    assert f"{kind} folded into 19 weights" in note
    assert all(torch.allclose(found[name], weight, rtol=1e-5, atol=1e-7) for name, weight in whole.items())


def test_names_of_published_densenets_are_renamed() -> None:
    import re

    import torchvision

    source = torchvision.models.densenet121(num_classes=3).state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2.", name): tensor for name, tensor in source.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    module = fit("torchvision:densenet121", read_checkpoint(saved({"state_dict": named("module.", old)}), "a.pth.tar"))
    assert holds(dict(module.state_dict()), dict(source))


def test_a_head_called_last_linear_is_the_architecture_s() -> None:
    own = dict(build("torchvision:resnet18", 3, seed=1).state_dict())
    older = {name.replace("fc.", "last_linear."): tensor for name, tensor in own.items()}
    found = fit("torchvision:resnet18", read_checkpoint(saved({"state_dict": named("module.", older)}), "w.pth"))
    assert all(torch.equal(tensor, own[name]) for name, tensor in found.state_dict().items())


def test_the_architecture_is_recognised_behind_wrappers_of_any_name() -> None:
    checkpoint = read_checkpoint(saved({"checkpoint": named("student.module."), "epoch": 1}), "a.pth")
    assert propose(checkpoint) == (ARCH,)


def test_a_tensor_of_a_class_of_its_own_is_a_tensor() -> None:
    content = {
        name: nn.Parameter(tensor) if tensor.is_floating_point() else tensor for name, tensor in weights().items()
    }
    content["conv1.weight"].note = "mine"
    buffer = io.BytesIO()
    torch.save(content, buffer)
    assert holds(dict(fit(ARCH, read_checkpoint(buffer.getvalue(), "a.pth")).state_dict()))


def test_a_layer_that_the_architecture_has_not_is_no_loss() -> None:
    with pytest.raises(BadInput, match=r"unexpected conf1\.weight \(3\)"):
        opened({**weights(), "conf1.weight": torch.ones(3)})


@pytest.mark.parametrize("form", ["zip", "older", *range(6)])
def test_damaged_files_with_strangers_are_read_or_refused(form: str | int) -> None:
    content = {"state_dict": WEIGHTS, "epoch": [1, {2}], **STRANGERS}
    good = pickle.dumps(content, form) if isinstance(form, int) else saved(content, form == "zip")
    random = np.random.default_rng(0)
    for place, value in zip(random.integers(0, len(good), 150), random.integers(0, 256, 150), strict=True):
        damaged = good[:place] + bytes([value]) + good[place + 1 :]
        with suppress(BadInput):
            read_checkpoint(damaged, "damaged.pth")
