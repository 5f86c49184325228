"""Networks that others trained, on real images: loaded, scored, pruned, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer import open_network
from explorer.data import Changes, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.networks.architectures.families import preprocessing_for
from explorer.networks.architectures.fitting import transferred
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.networks.costs import measure_costs
from explorer.networks.graph.safetensors_file import load_network, to_bytes
from explorer.networks.load import assemble, batches_for, for_classes
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_until
from explorer.scoring.criteria import applicable, needs, score
from explorer.scoring.evidence import gather
from explorer.scoring.oracle import reference_oracle
from explorer.scoring.ranking import l2, spearman
from explorer.training.finetune import Recipe, Training
from explorer.training.transfer import epochs

REAL = {  # checkpoint, architecture, images, units
    "resnet20": ("cifar10/resnet20-12fca82f.th", "explorer:resnet20", "cifar10/test_jpeg", 448),
    "squeezenet": ("leaf/squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0", "leaf/test", 2976),
}


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest, shared_data: Path):
    checkpoint, arch, where, units = REAL[request.param]
    network, images = open_network(shared_data / checkpoint, arch=arch), open_images(str(shared_data / where))
    return for_classes(network, images.classes, images.name), images, units


def few(network: Network, images, n: int = 8):
    return batches_for(network, images, "calibration", n)


def test_units_are_all_found_and_exact(real) -> None:
    network, *_, units = real
    assert len(network.units) == units


def test_every_criterion_scores_every_unit(real) -> None:
    network, images, *_ = real
    found = score(gather(network, few(network, images)))
    assert set(found) == set(applicable(network))
    assert all(s.shape == (len(network.units),) and s.isfinite().all() for s in found.values())


def test_pruned_to_half_its_flops_it_computes_what_the_gates_showed_and_reloads(real) -> None:
    network, images, *_ = real
    batches, costs = few(network, images), measure_costs(network)
    saliency = l2(score(gather(network, batches, needs(["taylor"])))["taylor"], network.units)
    removed = remove_until(costs, none_removed(network.units), saliency, "flops", 0.5)
    pruned, shown = prune(network, removed), evaluate(network, batches, removed).logits
    assert measure_costs(pruned).flops() == costs.flops(removed) <= costs.flops() / 2
    logits = evaluate(pruned, batches).logits
    assert (logits - shown).abs().max() <= 1e-5 * shown.abs().max()
    reloaded, manifest = load_network(to_bytes(pruned, metrics={}, provenance={}))
    assert [layer.kept for layer in manifest.layers] == [layer.channels for layer in pruned.units.layers]
    with torch.no_grad():
        again = torch.cat([reloaded(x) for x, _ in batches])
    assert (again - shown).abs().max() <= 1e-5 * shown.abs().max()


def test_the_oracle_agrees_with_its_first_order_estimate_better_than_with_chance(shared_data: Path) -> None:
    checkpoint, arch, where, _ = REAL["resnet20"]
    network = open_network(shared_data / checkpoint, arch=arch)
    batches = few(network, open_images(str(shared_data / where)))
    oracle = reference_oracle(network, batches).oracle_abs
    found = score(gather(network, batches, needs(["obd", "random"])))
    assert spearman(found["obd"], oracle) > 0.3 > abs(spearman(found["random"], oracle)) + 0.1


def test_flowers_are_learned_from_weights_of_other_classes(shared_data: Path) -> None:
    checkpoint, arch, *_ = REAL["resnet20"]
    images = open_images(str(shared_data / "flowers5"))
    assert [len(images), len(images.classes), len(images.skipped)] == [1250, 5, 0]
    module, _ = transferred(arch, read_checkpoint(shared_data / checkpoint), len(images.classes))
    preprocessing = Changes(size=32, crop=32).apply(preprocessing_for(arch))
    network = assemble("flowers", arch, module, (3, 32, 32), preprocessing, images.classes)
    finetuning, validation = (batches_for(network, images, split) for split in ("finetune", "validation"))
    splits = {"finetune": finetuning, "validation": validation}
    start, *_, last = epochs(network, splits, 2, Training(Recipe(learning_rate=1e-2)))
    assert start.metrics.accuracy < 0.3 < 0.4 < last.metrics.accuracy  # chance is 0.2, its standard error 0.025
    assert last.metrics.images == len(validation) == len(images.splits["validation"])
