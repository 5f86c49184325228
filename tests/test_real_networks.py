"""Networks that others trained, on real images: loaded, measured, scored, pruned, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer.costs import measure_costs
from explorer.criteria import applicable, needs, score
from explorer.data import ALL, open_images
from explorer.evaluate import evaluate
from explorer.evidence import gather
from explorer.export.safetensors_file import load_network, to_bytes
from explorer.load import batches_for, for_classes, open_network
from explorer.networks.network import Network
from explorer.oracle import reference_oracle
from explorer.plan import nothing, remove_until
from explorer.ranking import l2, spearman
from explorer.surgery import prune

# network, architecture, images, images to measure on (None: all), accuracy measured by others, tolerance, units
REAL = {
    "resnet20": ("cifar10/resnet20-12fca82f.th", "explorer:resnet20", "cifar10/test_jpeg", None, 0.809, 0.005, 448),
    "squeezenet": (
        "leaf/squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0", "leaf/test", 96, 0.97, 0.05, 2976,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest, shared_data: Path):
    checkpoint, arch, folder, limit, accuracy, tolerance, units = REAL[request.param]
    network = open_network(shared_data / checkpoint, arch=arch)
    images = open_images(str(shared_data / folder))
    network = for_classes(network, images.classes, images.name)
    return network, images, limit, accuracy, tolerance, units


def few(network: Network, images, n: int = 8):
    return batches_for(network, images, "calibration", n)


def test_units_are_all_found_and_exact(real) -> None:
    network, *_, units = real
    assert len(network.units) == units


def test_accuracy_is_what_others_measured(real) -> None:
    network, images, limit, accuracy, tolerance, _ = real
    assert evaluate(network, batches_for(network, images, ALL, limit)).accuracy == pytest.approx(
        accuracy, abs=tolerance
    )


def test_every_criterion_scores_every_unit(real) -> None:
    network, images, *_ = real
    found = score(gather(network, few(network, images)))
    assert set(found) == set(applicable(network))
    assert all(s.shape == (len(network.units),) and s.isfinite().all() for s in found.values())


def test_pruned_to_half_its_flops_it_computes_what_the_gates_showed_and_reloads(real) -> None:
    network, images, *_ = real
    batches, costs = few(network, images), measure_costs(network)
    saliency = l2(score(gather(network, batches, needs(["taylor"])))["taylor"], network.units)
    removed = remove_until(costs, nothing(network.units), saliency, "flops", 0.5)
    pruned, shown = prune(network, removed), evaluate(network, batches, removed).logits
    assert measure_costs(pruned).flops() == costs.flops(removed) <= costs.flops() / 2
    logits = evaluate(pruned, batches).logits
    assert (logits - shown).abs().max() <= 1e-5 * shown.abs().max()
    widths = {layer.name: len(layer) for layer in network.units.layers}
    reloaded, manifest = load_network(to_bytes(pruned, original_widths=widths, metrics={}, provenance={}))
    assert [layer.kept for layer in manifest.layers] == [layer.channels for layer in pruned.units.layers]
    with torch.no_grad():
        again = torch.cat([reloaded(x) for x, _ in batches])
    assert (again - shown).abs().max() <= 1e-5 * shown.abs().max()


def test_the_oracle_agrees_with_its_first_order_estimate_better_than_with_chance(shared_data: Path) -> None:
    checkpoint, arch, folder, *_ = REAL["resnet20"]
    network = open_network(shared_data / checkpoint, arch=arch)
    batches = few(network, open_images(str(shared_data / folder)))
    oracle = reference_oracle(network, batches).oracle_abs
    found = score(gather(network, batches, needs(["obd", "random"])))
    assert spearman(found["obd"], oracle) > 0.3 > abs(spearman(found["random"], oracle)) + 0.1
