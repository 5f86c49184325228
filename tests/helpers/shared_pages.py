"""A run of a small network to share, and what the page made of it holds."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from networks_at_hand import Tensors, images, network
from torch import nn

from explorer.evaluation.metrics import Metrics
from explorer.export.sharing.explored import Explored
from explorer.networks.network import Network
from explorer.runs.store import Run
from explorer.runs.timeline import State, start, step
from explorer.scoring.criteria import score
from explorer.scoring.evidence import gather, gather_of_weights
from explorer.scoring.oracle import oracle

HOSTILE = '"></script><script>fetch("http://127.0.0.1:9")</script><!--\u2028'
METRICS = Metrics(loss=0.125, accuracy=0.75, images=12, units=7, parameters=100, flops=1000)


@dataclass(frozen=True)
class Described(Tensors):
    """Images that say what they are, as those of a data set do."""

    def describe(self) -> str:
        return "12 images of noise"


def small(name: str = "small") -> Network:
    """Seven units in two layers, on images of 8 by 6 pixels."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3), nn.ReLU())
    return network(nn.Sequential(*module, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)), (1, 8, 6), name)


def small_run(subject: Network, how: str = "one unit by hand") -> Run:
    """The network as loaded; two units gone, fine-tuned; and another way, on which one other unit went."""
    a, b = (layer.name for layer in subject.units.layers)
    cut, other = replace(METRICS, loss=0.25, accuracy=0.5, units=5), replace(METRICS, loss=0.5, units=6)
    tuned = replace(cut, accuracy=0.625)
    timeline = step(start(METRICS), State(0, ((a, 1), (b, 2)), how, tuned, pruned=cut, updates=3))
    timeline = step(replace(timeline, current=0), State(0, ((b, 0),), "the other way", other))
    network_, data = {"source": "/home/somebody/net.pt", "name": subject.name}, {"source": "/data/secret", "seed": 0}
    return Run(network_, data, replace(timeline, current=1), {"criterion": how})


def explored(subject: Network | None = None, how: str = "one unit by hand", *, seen: bool = True) -> Explored:
    """All that can be known of that run, or what the weights alone tell."""
    subject = subject or small()
    if not seen:
        return Explored(small_run(subject, how), subject, score(gather_of_weights(subject)))
    noise = images((1, 8, 6))
    shown = Described(**{name: getattr(noise, name) for name in ("x", "y", "size")})
    evidence = gather(subject, shown, {"seen", "kernels"})
    return Explored(small_run(subject, how), subject, score(evidence), shown, evidence.seen, oracle(subject, shown))


def held(page: bytes, name: str) -> dict[str, Any]:
    """The JSON inside of a page, by its name, as a browser finds it."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script', page.decode(), re.S)
    assert found
    return json.loads(found[1])


def without_place(part: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of a network or images, but for where they lie."""
    return {name: value for name, value in part.items() if name != "source"}


def timeline_json(run: Run) -> dict[str, Any]:
    """The timeline as run.json has it."""
    return json.loads(json.dumps(asdict(run.states)))
