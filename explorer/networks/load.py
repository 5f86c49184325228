"""Loading: from the demo, a checkpoint, an export or a run folder to a network with its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import torch
from torch import nn

from explorer.core.bounds import CHECKPOINT_BYTES, check_file
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data import Batches, ImageSet, Preprocessing, asset, to_tensor
from explorer.networks.activations import check_opens, images_that_fit
from explorer.networks.dependencies import find_units
from explorer.networks.endings import classifier
from explorer.networks.exactness import exact_units
from explorer.networks.graph.manifest import LayerWidth
from explorer.networks.graph.safetensors_file import has_manifest, load_network
from explorer.networks.network import Network, fingerprint
from explorer.networks.units import Layer, Units

DEMO = "demo"
CALIBRATION = 256  # images that criteria and the oracle look at, where nobody says otherwise
LARGE = 2_000_000  # values of all images of a batch: what activations then take is bearable
RUN_NETWORK = "network.safetensors"  # of a run folder


def open_network(
    where: str | Path, *, arch: str | None = None, preprocessing: Preprocessing | None = None, trusted: bool = False
) -> Network:
    """The network of "demo", an exported file, a run folder, or a checkpoint of the architecture `arch`.

    `preprocessing` overrides what the export or the architecture says. Own factories run only if `trusted`.
    Raises BadInput in one sentence for everything that can't be loaded.
    """
    if where == DEMO:
        return _exported(asset(RUN_NETWORK).read_bytes(), DEMO, preprocessing, own=True)
    path = Path(where)
    try:
        path = path / RUN_NETWORK if path.is_dir() else path
        check_file(path, CHECKPOINT_BYTES)
        data = path.read_bytes()
    except BadInput:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise BadInput(
            f"There is no network at {quoted(str(where), 200)} that can be read: give {DEMO}, a checkpoint, an export "
            "or a run folder."
        ) from error
    return network_from_bytes(data, path.name, arch=arch, preprocessing=preprocessing, trusted=trusted)


def network_from_bytes(
    data: bytes,
    name: str,
    *,
    arch: str | None = None,
    preprocessing: Preprocessing | None = None,
    trusted: bool = False,
) -> Network:
    """The network in a file's bytes: an export by its own graph, any other checkpoint by its architecture."""
    if name.lower().endswith(".safetensors") and has_manifest(data):
        return _exported(data, name, preprocessing)
    return _fitted(data, name, arch, preprocessing, trusted)


def _exported(data: bytes, name: str, preprocessing: Preprocessing | None, own: bool = False) -> Network:
    module, manifest = load_network(data, own=own)
    prepared = preprocessing or manifest.preprocessing
    network = assemble(name, manifest.arch, module, manifest.input_shape, prepared, manifest.classes)
    return replace(network, units=_as_before_pruning(network.units, manifest.layers))


def _as_before_pruning(units: Units, widths: Sequence[LayerWidth]) -> Units:
    """The units under the channel indices that they had before the pruning that the file records."""
    told = {(width.name, width.width_after): width for width in widths}

    def original(layer: Layer) -> Layer:
        width = told.get((layer.name, len(layer)))
        return replace(layer, channels=width.kept, width_before=width.width_before) if width else layer

    return Units(tuple(map(original, units.layers)), units.unprunable)


def _fitted(data: bytes, name: str, arch: str | None, preprocessing: Preprocessing | None, trusted: bool) -> Network:
    from explorer.networks.architectures import families as architectures
    from explorer.networks.architectures import fitting
    from explorer.networks.checkpoints.reading import read_checkpoint

    if arch:
        architectures.split(arch, trusted)
    checkpoint = read_checkpoint(data, name)
    arch = arch or the_only(name, fitting.propose(checkpoint))
    prepared = preprocessing or architectures.preprocessing_for(arch)
    shape = architectures.input_shape_for(arch, prepared)
    return assemble(name, arch, fitting.fit(arch, checkpoint, trusted=trusted), shape, prepared)


def the_only(name: str, proposed: Sequence[str]) -> str:
    """The architecture that was proposed; BadInput where there is none, or more than one."""
    if len(proposed) == 1:
        return proposed[0]
    fitting = f"it fits {', '.join(proposed)}" if proposed else "its keys and shapes fit none that is known"
    raise BadInput(f"The architecture of {name} must be named (--arch on the command line): {fitting}.")


def assemble(
    name: str,
    arch: str,
    module: nn.Module,
    input_shape: Sequence[int],
    preprocessing: Preprocessing,
    classes: Sequence[str] = (),
) -> Network:
    """A network around a module: units found and checked, outputs counted, weights fingerprinted.

    Without `classes`, outputs are called "0", "1", ... What a network returns beside its logits is left out, see
    `explorer.networks.outputs`. Raises BadInput where the module can't classify such images.
    """
    module = module.requires_grad_(False).eval()
    check_opens(name, module, input_shape)
    example = torch.zeros(1, *input_shape)
    module, outputs, remark = classifier(name, module, example)
    units = exact_units(module, find_units(module, example), tuple(input_shape))
    return Network(
        name=name,
        arch=arch,
        module=module,
        units=units,
        input_shape=tuple(input_shape),
        classes=tuple(classes) or tuple(map(str, range(outputs))),
        preprocessing=preprocessing,
        digest=fingerprint(arch, module, preprocessing),
        remark=remark,
    )


def for_classes(network: Network, classes: Sequence[str], data: str) -> Network:
    """The network with its outputs named after the data's classes; BadInput where they can't be the same classes.

    Numbers are no names: where one side has but these, the other's names are taken. Case and what is neither letter
    nor digit make no difference.
    """
    if len(classes) != len(network.classes):
        raise BadInput(f"{network.name} has {len(network.classes)} outputs, but {data} has {len(classes)} classes.")
    numbers = tuple(map(str, range(len(classes))))
    if tuple(classes) == numbers:
        return network
    there, here = _comparable(classes), _comparable(network.classes)
    first = next((i for i, pair in enumerate(zip(there, here, strict=True)) if pair[0] != pair[1]), None)
    if first is not None and set(there) == set(here):
        raise BadInput(
            f"{data} has its classes in another order than {network.name}: class {first} is "
            f"{classes[first]!r} there and {network.classes[first]!r} here."
        )
    if first is not None and network.classes != numbers:
        raise BadInput(
            f"{data} has other classes than {network.name}: class {first} is {classes[first]!r} there and "
            f"{network.classes[first]!r} here."
        )
    return replace(network, classes=tuple(classes))


def _comparable(classes: Sequence[str]) -> list[str]:
    plain = ["".join(filter(str.isalnum, name.casefold())) for name in classes]
    return plain if len(set(plain)) == len(plain) else list(classes)


def batches_for(
    network: Network, images: ImageSet, split: str, limit: int | None = None, size: int | None = None
) -> Batches:
    """A split as batches for this network; BadInput where its images have not the size that the network takes."""
    batches = Batches(images, split, network.preprocessing, limit, size or fitting_batch(network))
    shape = tuple(to_tensor(images.image(int(batches.indices[0])), network.preprocessing).shape)
    if shape != network.input_shape:
        takes, comes = ("x".join(map(str, sides)) for sides in (network.input_shape, shape))
        raise BadInput(
            f"{network.name} takes images of {takes} (channels, height, width), but those of {images.name} are {comes} "
            "after preprocessing: give a size and a crop, or other images."
        )
    return batches


def fitting_batch(network: Network) -> int:
    """Images a batch: fewer where they are large, or where their feature maps would not fit into memory."""
    usual = max(4, min(32, LARGE // prod(network.input_shape)))
    return images_that_fit(network.module, network.input_shape, usual)
