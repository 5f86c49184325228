"""From a name or a file to a network: every way in, and every bad input."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from hostile import Evil, saved
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from explorer import open_network
from explorer.core.errors import BadInput
from explorer.data import Preprocessing
from explorer.networks.architectures import families as architectures
from explorer.networks.demos import FIRST_DEMO
from explorer.networks.graph.safetensors_file import to_bytes
from explorer.networks.load import RUN_NETWORK, assemble, for_classes, network_file
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning.plan import remove_next

VGG = "explorer:vgg_small"
RGB = Preprocessing((0.5,) * 3, (0.5,) * 3)
GRAY = Preprocessing((0.5,), (0.5,))


@cache
def weights() -> Mapping[str, Tensor]:
    return architectures.build(VGG, seed=1).state_dict()


@cache
def network() -> Network:
    return network_file(saved(dict(weights())), "mine.pt", arch=VGG).network(GRAY)


@cache
def pruned() -> Network:
    removed = torch.zeros(len(network().units), dtype=torch.bool)
    return prune(network(), remove_next(network().units, removed, torch.rand(len(removed)), 100))


@cache
def export() -> bytes:
    return to_bytes(pruned(), metrics={}, provenance={})


def answer(found: Network) -> Tensor:
    with torch.no_grad():
        return found.module(torch.ones(2, *found.input_shape))


def test_the_demo_is_a_digits_network() -> None:
    demo = open_network("demo")
    assert (demo.name, demo.arch, demo.input_shape) == ("demo", "explorer:vgg_tiny", (1, 28, 28))
    assert demo.classes == tuple("0123456789")
    assert len(demo.units) == len(open_network(FIRST_DEMO).units) / 4
    assert not demo.module.training
    assert not any(weight.requires_grad for weight in demo.module.parameters())


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_checkpoint_of_a_named_architecture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    path.write_bytes(saved(dict(weights())) if suffix == "pt" else save_safetensors(dict(weights())))
    found = open_network(path, arch=VGG)
    assert (found.name, found.arch, found.input_shape) == (path.name, VGG, (1, 28, 28))
    assert found.classes == tuple(map(str, range(10)))
    assert torch.equal(answer(found), answer(replace(found, module=_written_out())))


def _written_out() -> nn.Module:
    module = architectures.build(VGG, seed=2).eval()
    module.load_state_dict(dict(weights()))
    return module


def test_a_checkpoint_is_recognised_by_its_shapes() -> None:
    assert network_file(saved(dict(weights())), "mine.pt").arch == VGG


def test_the_same_file_has_the_same_digest_and_other_weights_another() -> None:
    again = network_file(saved(dict(weights())), "renamed.pt", arch=VGG).network(GRAY)
    other = network_file(saved({k: v + 1 for k, v in weights().items()}), "a.pt", arch=VGG).network(GRAY)
    bright = network_file(saved(dict(weights())), "a.pt", arch=VGG).network(replace(GRAY, mean=(0.1,)))
    assert again.digest == network().digest
    assert len({network().digest, other.digest, bright.digest}) == 3


def test_a_given_preprocessing_wins() -> None:
    assert network().preprocessing == GRAY
    given = replace(GRAY, mean=(0.1,))
    assert network_file(export(), "a.safetensors").network(given).preprocessing == given


def test_an_export_keeps_the_original_channel_indices() -> None:
    found = network_file(export(), "small.safetensors").network()
    assert (found.name, found.arch, found.preprocessing) == ("small.safetensors", VGG, GRAY)
    assert found.units.labels == pruned().units.labels
    assert len(found.units) == 348
    assert any(layer.channels != tuple(range(len(layer))) for layer in found.units.layers)
    assert torch.equal(answer(found), answer(pruned()))


def test_an_export_of_an_export_still_has_them() -> None:
    first = network_file(export(), "small.safetensors").network()
    gone = torch.arange(len(first.units)) == first.units.slices["features.0"].stop - 1  # its last channel
    again = to_bytes(prune(first, gone), metrics={}, provenance={})
    second = network_file(again, "smaller.safetensors").network()
    assert second.units.labels == tuple(label for unit, label in enumerate(first.units.labels) if not gone[unit])
    assert [layer.width_before for layer in second.units.layers] == [len(layer) for layer in network().units.layers]


def test_a_run_folder_holds_its_network(tmp_path: Path) -> None:
    (tmp_path / RUN_NETWORK).write_bytes(export())
    assert open_network(tmp_path).units.labels == pruned().units.labels


@pytest.mark.parametrize("where", ["nowhere.pt", "", ".", "a\0b", "x" * 5000])
def test_a_path_without_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="There is no network at"):
        open_network(where)


def test_an_unreadable_export_is_refused() -> None:
    with pytest.raises(BadInput, match="safetensors"):
        network_file(export()[:-100], "cut.safetensors").network()


BAD: dict[str, tuple[bytes, str, str | None, str]] = {
    "text": (b"hello", "text.pt", VGG, "text.pt is not a torch checkpoint"),
    "wrong arch": (saved(dict(weights())), "a.pt", "explorer:resnet20", "a.pt does not fit explorer:resnet20"),
    "unknown arch": (saved(dict(weights())), "a.pt", "explorer:nothing", "'explorer:nothing' is unknown"),
    "no family": (saved(dict(weights())), "a.pt", "vgg_small", "'vgg_small' is unknown"),
    "own code": (saved(dict(weights())), "a.pt", "os.path:join", "is your own code"),
    "unrecognised": (saved({"a.weight": torch.ones(3)}), "a.pt", None, "must be named .*fit none"),
    "nan": (saved({k: v * float("nan") for k, v in weights().items()}), "a.pt", VGG, "(?i)not finite|nan"),
    "shapes": (
        saved({k: v[:3] if k == "features.0.weight" else v for k, v in weights().items()}),
        "a.pt",
        VGG,
        r"features\.0\.weight is \(3, 1, 3, 3\) instead of \(32, 1, 3, 3\)",
    ),
    "missing": (
        saved({k: v for k, v in weights().items() if k != "features.0.bias"}),
        "a.pt",
        VGG,
        r"missing features\.0\.bias \(32\)",
    ),
    "code": (saved({**weights(), "x": Evil(Path("/nonexistent/marker"))}), "a.pt", VGG, "pickled code"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bytes_get_one_sentence(name: str) -> None:
    data, file, arch, words = BAD[name]
    with pytest.raises(BadInput, match=words) as refusal:
        network_file(data, file, arch=arch).network()
    assert "\n" not in str(refusal.value)


class Detector(nn.Module):
    """Gives a dict, as detectors do."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"boxes": self.body(x)}


@pytest.mark.parametrize("module", [Detector(), nn.Conv2d(3, 4, 3)], ids=["dict", "maps"])
def test_what_is_no_classifier_is_refused(module: nn.Module) -> None:
    with pytest.raises(BadInput, match="mine does not give one row of logits an image"):
        assemble("mine", "test:mine", module, (3, 8, 8), RGB)


def test_an_image_that_is_too_small_is_named_with_its_size() -> None:
    module = architectures.build("torchvision:alexnet", 2)
    with pytest.raises(BadInput, match="mine can't run on an image of 3x16x16: ") as refusal:
        assemble("mine", "torchvision:alexnet", module, (3, 16, 16), RGB)
    assert "\n" not in str(refusal.value)


def test_outputs_without_names_are_numbered() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    found = assemble("mine", "test:mine", module, (3, 8, 8), RGB)
    assert found.classes == ("0", "1", "2")
    assert list(found.units.slices) == ["0"]


def test_classes_take_the_names_of_the_data() -> None:
    names = tuple(f"digit {i}" for i in range(10))
    assert for_classes(network(), names, "digits").classes == names


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(BadInput, match=r"mine.pt has 10 outputs, but letters has 3 classes"):
        for_classes(network(), "abc", "letters")


def test_the_same_classes_in_another_order_are_refused() -> None:
    with pytest.raises(BadInput, match="class 0 is '1' there and '0' here"):
        for_classes(network(), "1023456789", "digits")


def test_other_classes_than_those_that_a_network_knows_are_refused() -> None:
    pets = replace(network(), classes=tuple(f"pet {letter}" for letter in "abcdefghij"))
    with pytest.raises(BadInput, match=r"zoo has other classes than mine\.pt: class 9 is 'yak' there and 'pet j' here"):
        for_classes(pets, [*pets.classes[:9], "yak"], "zoo")
    renamed = tuple(name.upper().replace(" ", "_") for name in pets.classes)
    assert for_classes(pets, renamed, "pets").classes == renamed
    assert for_classes(pets, tuple("0123456789"), "numbers").classes == pets.classes


def test_names_that_differ_in_signs_alone_are_told_apart() -> None:
    signed = replace(network(), classes=("a+", "a-", *map(str, range(8))))
    with pytest.raises(BadInput, match=r"another order than mine.pt: class 0 is 'a-' there and 'a\+' here"):
        for_classes(signed, ("a-", "a+", *signed.classes[2:]), "signs")


def test_a_network_in_a_stream_of_the_older_format() -> None:
    buffer = io.BytesIO()
    torch.save({"state_dict": dict(weights()), "epoch": 3}, buffer, _use_new_zipfile_serialization=False)
    found = network_file(buffer.getvalue(), "old.pth", arch=VGG).network(GRAY)
    assert found.digest == network().digest
