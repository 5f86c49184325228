"""Exports of networks pruned to half their FLOPs, proven in clean processes: `python tests/benchmarks/exports.py`.

A row a file: largest difference of logits as a share of the largest, share of equal predictions, seconds to make and to
run it. Units go by the size of their kernels, and noise stands for images: what counts here is that files agree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torchvision

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from networks_at_hand import network

from explorer import open_network
from explorer.export.contents import contents
from explorer.export.folders import export
from explorer.export.formats import FORMATS
from explorer.export.proof import prove
from explorer.export.verify import RUNNABLE, verify
from explorer.networks.architectures.small import resnet20
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_until
from explorer.scoring.criteria import score
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import l2

CLASSES = 10


def of_torchvision(name: str, shape: tuple[int, ...]) -> Callable[[], Network]:
    """An architecture with seeded random weights."""
    return lambda: network(torchvision.models.get_model(name, weights=None, num_classes=CLASSES), shape, name, CLASSES)


SUBJECTS: dict[str, Callable[[], Network]] = {
    "demo": lambda: open_network("demo"),
    "resnet20": lambda: network(resnet20(CLASSES), (3, 32, 32), "resnet20", CLASSES),
    "resnet18": of_torchvision("resnet18", (3, 96, 96)),
    "mobilenet_v2": of_torchvision("mobilenet_v2", (3, 96, 96)),
    "densenet121": of_torchvision("densenet121", (3, 96, 96)),
    "efficientnet_b0": of_torchvision("efficientnet_b0", (3, 96, 96)),
    "r3d_18": of_torchvision("r3d_18", (3, 8, 56, 56)),
}


def halved(whole: Network) -> tuple[Network, float]:
    """The network at half its FLOPs, and the share that is left."""
    units, costs = whole.units, measure_costs(whole)
    saliency = l2(score(gather(whole, [], ["kernels"]))["weight"], units)
    removed = remove_until(costs, none_removed(units), saliency, "flops", 0.5)
    return prune(whole, removed), costs.flops(removed) / costs.flops()


def measure(name: str, formats: list[str], images: int) -> bool:
    """Print a row a file; whether all are proven."""
    torch.manual_seed(0)
    whole = SUBJECTS[name]()
    pruned, left = halved(whole)
    made = contents(pruned, metrics={}, provenance={})
    x = torch.randn(images, *pruned.input_shape)
    proof = prove(pruned, x, torch.zeros(images, dtype=torch.int64))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        export(made, Path(folder), formats, proof)
        print(f"\n{name}: {left:.1%} of the FLOPs left; made in {time.perf_counter() - start:.1f} s", flush=True)
        start = time.perf_counter()
        verdicts = verify(Path(folder), trusted=True)
        for v in verdicts:
            numbers = "failed" if v.agreement is None else f"{v.max_relative_difference:.1e} {v.agreement:8.1%}"
            print(f"{v.path.name:24}{numbers}{v.seconds:8.1f} s  {'ok' if v.ok else 'NOT OK'} {v.error}", flush=True)
        print(f"verified in {time.perf_counter() - start:.1f} s")
    return all(v.ok for v in verdicts)


def main() -> None:
    """Measure each network; leave with 1 where a file is not proven."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--networks", nargs="*", choices=list(SUBJECTS), default=list(SUBJECTS))
    options.add_argument("--formats", nargs="*", choices=list(FORMATS), default=[each.name for each in RUNNABLE])
    options.add_argument("--images", type=int, default=32)
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"{asked.threads} threads, torch {torch.__version__}, cpu, {asked.images} images of noise")
    proven = [measure(name, asked.formats, asked.images) for name in asked.networks]
    sys.exit(0 if all(proven) else 1)


if __name__ == "__main__":
    main()
