"""Pruning Explorer: see what each feature map of a convolutional network is worth, and prune what is not.

From a network and images to a smaller network, in three calls:

    >>> import explorer
    >>> network = explorer.open_network("demo")
    >>> saliency = explorer.score(network, "demo", criterion="taylor", limit=32)
    >>> smaller = explorer.prune(network, saliency, measure="units", left=0.5)
    >>> len(network.units), len(smaller.units)
    (112, 56)

`explorer.export_pruned` writes such a network to files, and `explorer.load_pruned` opens what it wrote.
`explorer.oracle` measures what the criteria estimate. Nothing here imports torch before a function is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, fx

    from explorer.data import ImageSet
    from explorer.networks.network import Network
    from explorer.scoring.oracle import Oracle

__all__ = ["__version__", "export_pruned", "load_pruned", "open_network", "oracle", "prune", "score"]
__version__ = "0.2.0"


def open_network(where: str | PathLike[str], *, arch: str | None = None) -> Network:
    """Open "demo", an exported file, a finished run's folder, or a checkpoint of the architecture `arch`.

    arch: such as "torchvision:vgg16", or "package.module:factory" for your own, which is then called.

        >>> network = open_network("demo")
        >>> network.input_shape, len(network.classes)
        ((1, 28, 28), 10)
        >>> [(layer.name, len(layer)) for layer in network.units.layers][:2]
        [('features.0', 8), ('features.2', 8)]

    Raises explorer.core.errors.BadInput (a ValueError) where there is no network that can be opened.
    """
    from explorer.runs.opening import place

    return place(str(where), arch).network()


def score(network: Network, data: str, criterion: str = "taylor", *, limit: int = 256, seed: int = 0) -> Tensor:
    """Value every unit by a criterion: (units,) float64, higher means keep; not scaled across layers.

    data: the images, as --data names them: "demo", a folder, "FILE.npz", ..; the first `limit` of their calibration
    split are read. criterion: a name, or "package.module:function" for your own, which is then called.

        >>> network = open_network("demo")
        >>> saliency = score(network, "demo", "weight")
        >>> saliency.shape
        torch.Size([112])
        >>> by_layer = network.units.by_layer(saliency)  # layer name -> its units' saliencies
        >>> by_layer["features.0"].shape
        torch.Size([8])

    Raises BadInput for an unknown criterion, one that can't score this network, and images that don't fit it.
    """
    from explorer.core.errors import BadInput
    from explorer.networks.load import batches_for
    from explorer.pruning.own_criterion import import_criterion
    from explorer.pruning.selectors import check_applies
    from explorer.scoring.criteria import CRITERIA
    from explorer.scoring.evidence import gather

    if ":" in criterion:
        import_criterion(criterion)
    if criterion not in CRITERIA:
        raise BadInput(f"Unknown criterion {criterion!r}; known are {', '.join(CRITERIA)}.")
    check_applies(criterion, network)
    network, images = _fitting(network, data, seed)
    calibration = batches_for(network, images, "calibration", limit)
    found = CRITERIA[criterion]
    return found.saliency(gather(network, calibration, found.needs, seed=seed))


def oracle(network: Network, data: str, *, limit: int = 256, seed: int = 0) -> Oracle:
    """Measure what closing the gate of each unit alone does to the loss; images as in `score`.

    Of the result, `oracle_loss` (units,) is C(without the unit) - C, in nats, and `oracle_abs` its absolute value:
    what a saliency of the same images may be compared with.

        >>> network = open_network("demo")
        >>> truth = oracle(network, "demo", limit=2)
        >>> truth.oracle_loss.shape, bool((truth.oracle_abs == truth.oracle_loss.abs()).all())
        (torch.Size([112]), True)
    """
    from explorer.networks.load import batches_for
    from explorer.scoring import oracle as measured

    network, images = _fitting(network, data, seed)
    return measured.oracle(network, batches_for(network, images, "calibration", limit))


def prune(
    network: Network, saliency: Tensor, *, measure: str = "units", left: float = 0.5, scaling: str = "l2"
) -> Network:
    """Remove the units of least saliency until the share `left` of a measure is left: a smaller network of its own.

    measure: "units", "params" or "flops". scaling: how saliencies of different layers are made comparable, "l2" layer
    by layer as in the paper; "none" for what is comparable already, such as the oracle's. Every layer keeps a unit.

        >>> network = open_network("demo")
        >>> smaller = prune(network, score(network, "demo", "taylor", limit=32), measure="flops", left=0.5)
        >>> len(smaller.units) < len(network.units)
        True
        >>> import torch
        >>> smaller.module(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 10])

    Raises BadInput for another measure or scaling, and for a share that can't be reached.
    """
    from explorer.networks import surgery
    from explorer.networks.costs import measure_costs
    from explorer.networks.units import none_removed
    from explorer.pruning.plan import remove_until
    from explorer.scoring.ranking import scaled

    units = network.units
    ranking = scaled(saliency, units, scaling)
    return surgery.prune(network, remove_until(measure_costs(network), none_removed(units), ranking, measure, left))


def export_pruned(
    network: Network, folder: str | PathLike[str], data: str, formats: Iterable[str] = ("safetensors",)
) -> dict[str, Path]:
    """Write a network to files that load without its class, with the proof that `pruning-explorer verify` asks for.

    The proof is what the network says of the first 64 validation images of `data`. formats: names of the formats, see
    `pruning-explorer export --help`, or "all". Returns format name -> path, "manifest" and "proof" too.

        >>> from tempfile import TemporaryDirectory
        >>> network = open_network("demo")
        >>> with TemporaryDirectory() as folder:
        ...     files = export_pruned(network, folder, "demo")
        ...     sorted(files)
        ['manifest', 'proof', 'safetensors']

    Raises BadInput for a format that is unknown or can't be made here, and a folder that can't be written.
    """
    import torch

    from explorer.export import contents, folders, proof
    from explorer.networks.load import batches_for

    network, images = _fitting(network, data)
    inputs, labels = map(torch.cat, zip(*batches_for(network, images, "validation", proof.IMAGES), strict=True))
    origin = {"network": {"name": network.name, "arch": network.arch, "digest": network.digest}}
    described = contents.contents(network, metrics={}, provenance=origin)
    return folders.export(described, Path(folder), formats, proof.prove(network, inputs, labels))


def load_pruned(path: str | PathLike[str]) -> fx.GraphModule:
    """Load an exported network as a module, without its original class and without running code from the file.

    It takes images after preprocessing, (N, C, H, W) float32, and returns logits (N, classes). It is in eval mode with
    frozen weights; `preprocessing` says how an image becomes its input, `classes` names its outputs, and `manifest`
    holds the rest: the channels kept, metrics, provenance.

        >>> from tempfile import TemporaryDirectory
        >>> import torch
        >>> with TemporaryDirectory() as folder:
        ...     files = export_pruned(open_network("demo"), folder, "demo")
        ...     network = load_pruned(files["safetensors"])
        >>> network(torch.zeros(2, 1, 28, 28)).shape, network.classes[0]
        (torch.Size([2, 10]), '0')

    Raises BadInput if the file is not a whole, unaltered export.
    """
    from explorer import export

    return export.load_pruned(path)


def _fitting(network: Network, data: str, seed: int = 0) -> tuple[Network, ImageSet]:
    """The network with its outputs named after the images' classes, and the images; raises BadInput if they differ."""
    from explorer.data import open_images
    from explorer.networks.load import for_classes

    images = open_images(data, seed=seed, clips=network.preprocessing.clips)
    return for_classes(network, images.classes, images.name), images
