"""Published: what Molchanov et al. 2017 (arXiv:1611.06440) report, as numbers where they print numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.study.speed_published import TABLE as TIMINGS

Cell = str | float | None
Row = dict[str, float | None]  # criterion -> Spearman's correlation with oracle-abs; None: not reported

CRITERIA = ("weight", "activation_mean", "activation_std", "apoz", "obd", "taylor", "mutual_information")
CAVEAT = (
    "The oracle's figures are before fine-tuning. The loss right after removal says little about the accuracy after "
    "retraining on larger tasks (arXiv:2412.00143, 37 thousand models)."
)


@dataclass(frozen=True)
class PublishedResult:
    """One table or figure of the paper."""

    says: str  # what it shows, in a sentence or two
    setting: str  # data, network, training
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()


def _row(*values: float | None) -> Row:
    return dict(zip(CRITERIA, (*values, *[None] * (len(CRITERIA) - len(values))), strict=True))


TABLE_1: Mapping[str, Mapping[str, Row]] = {
    "AlexNet / Flowers-102": {
        "per_layer": _row(0.17, 0.65, 0.67, 0.54, 0.64, 0.77),
        "all_layers": _row(0.28, 0.51, 0.53, 0.41, 0.68, 0.37),
        "all_layers_l2": _row(0.13, 0.63, 0.61, 0.60, None, 0.75),
    },
    "VGG-16 / Birds-200": {
        "per_layer": _row(0.27, 0.56, 0.57, 0.35, 0.59, 0.73, 0.28),
        "all_layers": _row(0.34, 0.35, 0.30, 0.43, 0.65, 0.14, 0.35),
        "all_layers_l2": _row(0.33, 0.64, 0.66, 0.51, None, 0.73, 0.47),
    },
    "AlexNet / Birds-200": {
        "per_layer": _row(0.36, 0.57, 0.65, 0.42, 0.54, 0.81),
        "all_layers": _row(0.32, 0.37, 0.51, 0.28, 0.61, 0.37),
        "all_layers_l2": _row(0.23, 0.54, 0.57, 0.49, None, 0.78),
    },
    "VGG-16 / Flowers-102": {
        "per_layer": _row(0.19, 0.51, 0.47, 0.36, 0.21, 0.60),
        "all_layers": _row(0.35, 0.53, 0.45, 0.61, 0.28, 0.02),
        "all_layers_l2": _row(0.28, 0.66, 0.65, 0.61, None, 0.70),
    },
    "AlexNet / ImageNet": {
        "per_layer": _row(0.57, 0.09, 0.19, -0.06, 0.58, 0.58),
        "all_layers": _row(0.67, 0.00, 0.13, -0.08, 0.72, 0.11),
        "all_layers_l2": _row(0.44, 0.10, 0.19, 0.19, None, 0.55),
    },
}
"""Network and data -> measure -> criterion -> Spearman's correlation."""
LIKE = "VGG-16 / Birds-200"  # the row that a study stands beside where its setting is none of the paper's

MEASURES = {"per_layer": "per layer", "all_layers": "all layers", "all_layers_l2": "all layers, l2"}
TITLES = ("weight", "activation mean", "activation std", "APoZ", "OBD", "Taylor", "mutual information")


def _table_1() -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (where, MEASURES[measure], *row.values()) for where, rows in TABLE_1.items() for measure, row in rows.items()
    )


CORRELATIONS = PublishedResult(
    "Within layers Taylor agrees best with the oracle; over all layers, only after layer-wise l2 scaling. Unscaled, "
    "OBD does best on four of five.",
    "AlexNet and VGG-16, fine-tuned to Flowers-102 and Birds-200, and AlexNet on ImageNet; images of 224 pixels.",
    ("Network / data", "Spearman", *TITLES),
    _table_1(),
)
RANKS = PublishedResult(
    "The median importance falls with depth; layers before a max-pooling matter more; every layer has maps of high and "
    "of low rank.",
    "VGG-16 fine-tuned to Birds-200, 4,224 maps, oracle-abs.",
)
ONE_SHOT = PublishedResult(
    "Pruned by one precomputed ranking without fine-tuning, the accuracy stays higher by oracle-abs than by "
    "oracle-loss.",
    "The fine-tuned networks of Table 1, ranked once; before any fine-tuning after removal.",
)
RACE = PublishedResult(
    "Taylor keeps the highest accuracy on the way down, against parameters and against GFLOPs; with FLOPs "
    "regularisation it does better still at the same GFLOPs; random falls behind, and so does training from scratch.",
    "VGG-16 on Birds-200 (30 updates a map) and AlexNet on Flowers-102 (10 updates a map): one map a step, SGD, "
    "minibatches of 32, momentum 0.9, learning rate 1e-4, weight decay 1e-4, test images.",
)
UPDATES = PublishedResult(
    "More updates between two prunings leave a higher accuracy.",
    "Taylor; 10, 30, 60 and 1000 updates between two prunings.",
)


def _timed(network: str, *about: Cell) -> list[tuple[Cell, ...]]:
    """A network's rows of Table 2: what it is, full and pruned, and how long that takes on each device."""
    rows = [row for row in TIMINGS if row.network == network]
    found: list[tuple[Cell, ...]] = [(network, "network", *about)]
    for where in dict.fromkeys(row.where for row in rows):
        here = [row for row in rows if row.where == where]
        cells = [f"{row.pruned:.1f} ms ({row.measured:.1f}x)" for row in here]
        found.append((network, where, f"{here[0].full:.1f} ms", *cells, *[None] * (2 - len(cells))))
    return found


SPEED = PublishedResult(
    "The pruned networks are faster on every device, by less than their FLOPs are fewer.",
    "AlexNet on Flowers-102 (accuracy top-1) and VGG-16 on ImageNet (top-5), after fine-tuning; FLOPs as published.",
    ("Network / data", "Device", "Full", "Pruned A", "Pruned B"),
    (
        *_timed(
            "AlexNet / Flowers-102",
            "1.46 GFLOPs, 80.1 %",
            "41 % of maps, 0.4 GFLOPs, 79.8 %",
            "19.5 % of maps, 0.2 GFLOPs, 74.1 %",
        ),
        *_timed(
            "VGG-16 / ImageNet",
            "30.96 GFLOPs, 89.3 %",
            "66 % of maps, 11.5 GFLOPs, 87.0 %",
            "52 % of maps, 8.0 GFLOPs, 84.5 %",
        ),
        *_timed("R3DCNN / nvGesture", "37.8 GFLOPs, 80.7 %", "25 % of maps, 3.0 GFLOPs, 78.2 %", None),
    ),
)
