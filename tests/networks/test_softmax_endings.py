"""Networks that end in probabilities: what the loss and everything else is computed of are their logits."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from exported import export_bytes
from networks_at_hand import images
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.evaluation.evaluate import evaluate
from explorer.networks.gates import Gated, open_gates
from explorer.networks.graph.safetensors_file import load_network
from explorer.networks.load import assemble, network_file
from explorer.networks.network import Network
from explorer.networks.softmax_endings import (
    INDEPENDENT,
    MAY_BE_SHARE,
    ONE_OUTPUT,
    ONE_SIGMOID,
    PROBABILITIES,
    SOFTMAX,
    classifier,
)
from explorer.networks.surgery import prune
from explorer.scoring.criteria import CRITERIA, needs
from explorer.scoring.evidence import gather
from explorer.scoring.oracle import oracle, reference_oracle
from explorer.training.finetune import Recipe, Training, train

SHAPE, GREY = (1, 8, 8), Preprocessing((0.0,), (1.0,))


class Ending(nn.Module):
    """Two convolutions, a head, and a last step of its own."""

    def __init__(self, last: Callable[[Tensor], object], outputs: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 5, 3, padding=1), nn.ReLU())
        self.head, self.gate, self.last = nn.Linear(5, outputs), nn.Softmax(1), last

    def logits(self, x: Tensor) -> Tensor:
        return 4 * self.head(self.body(x).mean((2, 3)))

    def forward(self, x: Tensor) -> object:
        return self.last(self.logits(x))


class InEvalModeOnly(Ending):
    def forward(self, x: Tensor) -> object:
        return self.logits(x) if self.training else super().forward(x)


class TwiceSoftmax(Ending):
    """One layer is the attention and the ending."""

    def forward(self, x: Tensor) -> Tensor:
        z = self.body(x).mean((2, 3))
        return self.gate(4 * self.head(z * self.gate(z)))

    def logits(self, x: Tensor) -> Tensor:
        z = self.body(x).mean((2, 3))
        return 4 * self.head(z * self.gate(z))


class Branching(Ending):
    """Can't be traced."""

    def forward(self, x: Tensor) -> Tensor:
        z = self.logits(x)
        return z.softmax(1) if z.sum() < 1e9 else z.softmax(0)


def by_hand(logits: Tensor) -> Tensor:
    powers = logits.exp()
    return powers / powers.sum(1, keepdim=True)


EXACT: dict[str, Callable[[], nn.Module]] = {
    "layer": lambda: Ending(nn.Softmax(1)),
    "layer in a sequence": lambda: Ending(nn.Sequential(nn.Identity(), nn.Softmax(dim=-1))),
    "function": lambda: Ending(lambda z: F.softmax(z, dim=1)),
    "function by names": lambda: Ending(lambda z: F.softmax(input=z, dim=1)),
    "torch's function": lambda: Ending(lambda z: torch.softmax(z, 1)),
    "method": lambda: Ending(lambda z: z.softmax(-1)),
    "exp of log_softmax": lambda: Ending(lambda z: F.log_softmax(z, 1).exp()),
    "in a dictionary": lambda: Ending(lambda z: {"features": z * 0 + 1, "out": z.softmax(1)}),
    "beside its logits": lambda: Ending(lambda z: (z, z.softmax(1))),
    "in eval mode only": lambda: InEvalModeOnly(lambda z: z.softmax(1)),
    "the layer runs twice": lambda: TwiceSoftmax(nn.Identity()),
    "untraceable": lambda: Branching(nn.Identity()),
}
TRACEABLE = [name for name in EXACT if name != "untraceable"]


def made(make: Callable[[], nn.Module]) -> tuple[nn.Module, Network]:
    """The module as a person has it, and the network that is opened of a copy."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = make().eval()
    with torch.enable_grad():
        return module, assemble("mine", "own:mine", copy.deepcopy(module), SHAPE, GREY)


@pytest.mark.parametrize("name", EXACT)
@torch.no_grad()
def test_what_goes_into_softmax_are_the_logits_everywhere(name: str) -> None:
    module, network = made(EXACT[name])
    data = images(SHAPE, n=8)
    logits = module.logits(data.x)
    assert torch.allclose(network.module(data.x).log_softmax(1), logits.log_softmax(1), atol=1e-6)
    outcome = evaluate(network, data)
    assert outcome.loss == pytest.approx(float(F.cross_entropy(logits.double(), data.y)), abs=1e-6)
    chosen = {"in a dictionary": "output['out']", "beside its logits": "output[1]"}.get(name)
    said = f"Of what it gives, {chosen} alone is read." if chosen else ""
    assert network.remark in (said, f"{said} {SOFTMAX}".strip()) and network.remark
    assert set(network.module.state_dict()) == set(module.state_dict())


@pytest.mark.parametrize("name", ["function", "method", "untraceable", "the layer runs twice"])
def test_criteria_and_the_oracle_are_those_of_the_bare_network(name: str) -> None:
    module, network = made(EXACT[name])
    bare = copy.deepcopy(module)
    bare.forward = bare.logits
    plain, data = assemble("bare", "own:bare", bare, SHAPE, GREY), images(SHAPE, n=8)
    wanted = ["taylor", "obd", "linear_oracle", "apoz"]
    found, expected = (gather(each, data, needs(wanted)) for each in (network, plain))
    for criterion in wanted:
        assert torch.allclose(CRITERIA[criterion].saliency(found), CRITERIA[criterion].saliency(expected), atol=1e-7)
    assert torch.allclose(oracle(network, data).oracle_loss, reference_oracle(plain, data).oracle_loss, atol=1e-6)


@pytest.mark.parametrize("name", TRACEABLE)
@torch.no_grad()
def test_an_export_computes_what_the_app_showed(name: str) -> None:
    network = made(EXACT[name])[1]
    removed = torch.arange(len(network.units)) % 3 == 1
    pruned, x = prune(network, removed), images(SHAPE, n=8).x
    shown = Gated(network.module, network.units)(x, open_gates(removed))
    exported, manifest = load_network(export_bytes(pruned))
    assert torch.allclose(exported(x), shown, atol=1e-6)
    assert manifest.provenance.get("outputs") == (network.remark or None)
    makes = [node["target"] for node in manifest.graph["nodes"] if "softmax" in str(node["target"])]
    assert len(makes) == (name in ("exp of log_softmax",))


def test_fine_tuning_descends_the_loss_of_the_logits() -> None:
    network = made(EXACT["in eval mode only"])[1]
    data = images(SHAPE, n=32)
    batches = [(data.x, data.y)] * 40
    tuned = train(network.module, iter(batches), 40, Training(Recipe(learning_rate=0.05)))
    with torch.no_grad():
        before, after = (F.cross_entropy(each(data.x), data.y) for each in (network.module, tuned.eval()))
    assert after < before - 0.05


@torch.no_grad()
def test_probabilities_made_by_hand_are_taken_by_their_logarithms() -> None:
    module, network = made(lambda: Ending(by_hand))
    data = images(SHAPE, n=8)
    expected = F.cross_entropy(module.logits(data.x).double(), data.y)
    assert network.remark == PROBABILITIES
    assert evaluate(network, data).loss == pytest.approx(float(expected), abs=1e-6)
    exported, _ = load_network(export_bytes(network))
    assert torch.equal(exported(data.x), network.module(data.x))


@torch.no_grad()
def test_log_probabilities_are_logits_as_they_are() -> None:
    module, network = made(lambda: Ending(nn.LogSoftmax(1)))
    data = images(SHAPE, n=8)
    assert network.remark == "" and torch.equal(network.module(data.x), module(data.x))
    expected = F.cross_entropy(module.logits(data.x).double(), data.y)
    assert evaluate(network, data).loss == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("last", "remark"), [(nn.Identity(), ONE_OUTPUT), (nn.Sigmoid(), ONE_SIGMOID), (torch.sigmoid, ONE_SIGMOID)]
)
@torch.no_grad()
def test_one_output_is_the_logit_of_the_second_class(last: Callable[[Tensor], Tensor], remark: str) -> None:
    module, network = made(lambda: Ending(last, outputs=1))
    data = images(SHAPE, n=8, classes=2)
    z = module.logits(data.x)[:, 0]
    assert (network.remark, network.classes) == (remark, ("0", "1")) and len(network.units) == 11
    expected = F.binary_cross_entropy_with_logits(z.double(), data.y.double())
    assert evaluate(network, data).loss == pytest.approx(float(expected), abs=1e-6)
    exported, _ = load_network(export_bytes(network))
    assert torch.equal(exported(data.x), network.module(data.x))


@torch.no_grad()
def test_softmax_in_another_type_of_numbers_is_left_out_too() -> None:
    module, network = made(lambda: Ending(lambda z: z.softmax(1, dtype=torch.float64)))
    data = images(SHAPE, n=8)
    assert network.remark == SOFTMAX and torch.equal(network.module(data.x), module.logits(data.x))


def test_one_output_that_may_be_a_probability_made_by_hand_is_told_to_be_taken_as_a_logit() -> None:
    assert made(lambda: Ending(lambda z: 1 / (1 + torch.exp(-z)), outputs=1))[1].remark == MAY_BE_SHARE


def test_probabilities_that_do_not_exclude_each_other_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        made(lambda: Ending(nn.Sigmoid()))
    assert str(caught.value) == INDEPENDENT.format("mine", 3)


@pytest.mark.parametrize("name", ["layer", "function", "by hand"])
@torch.no_grad()
def test_an_export_of_older_versions_that_ends_in_softmax_is_mended_on_opening(name: str) -> None:
    make = EXACT.get(name, lambda: Ending(by_hand))
    module, network = made(make)
    network = Network(**{**vars(network), "module": module})  # what older versions took as it was
    data, x = export_bytes(network), images(SHAPE, n=8).x
    opened = network_file(data, "old.safetensors").network()
    assert opened.remark == (PROBABILITIES if name == "by hand" else SOFTMAX)
    assert torch.allclose(opened.module(x).log_softmax(1), module.logits(x).log_softmax(1), atol=1e-5)
    assert torch.equal(copy.deepcopy(opened.module)(x), opened.module(x))
    assert torch.equal(prune(opened, torch.zeros(len(opened.units), dtype=torch.bool)).module(x), opened.module(x))


@torch.no_grad()
def test_maps_of_one_pixel_are_rows() -> None:
    head = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 3, 1), nn.AdaptiveAvgPool2d(1))
    for module in (head, nn.Sequential(head, nn.Softmax(1))):
        network, x = assemble("maps", "own:maps", copy.deepcopy(module), SHAPE, GREY), images(SHAPE, n=4).x
        assert torch.allclose(network.module(x).softmax(1), head.eval()(x).flatten(1).softmax(1), atol=1e-6)
        assert len(network.units) == 6


def test_a_network_of_one_image_at_a_time_is_refused() -> None:
    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x.flatten(1), torch.zeros(1, 2)], 1)

    with pytest.raises(BadInput, match=r"^net can't run on two images of 1x2x2 at once: .*\.$"):
        classifier("net", One(), torch.zeros(1, 1, 2, 2))
