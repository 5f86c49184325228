"""Loading: from a file, a checkpoint or an export, to a network with its units; and the images that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from explorer.core.bounds import CHECKPOINT_BYTES, check_file
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data import UNCHANGED, Batches, ImageSet, Preprocessing, asset, pixels_of
from explorer.networks.activations import activation_bytes, check_opens, images_that_fit
from explorer.networks.counted_channels import following
from explorer.networks.demos import DEMO, DEMOS
from explorer.networks.dependencies import find_units
from explorer.networks.gate_check import counts_on_channels, exact_units
from explorer.networks.graph.manifest import LayerWidth, Manifest
from explorer.networks.graph.safetensors_file import has_manifest, manifest_in, module_in
from explorer.networks.network import Network, fingerprint
from explorer.networks.plain_weights import with_plain_weights
from explorer.networks.preparation import Preparation, sized, usual_preparation
from explorer.networks.softmax_endings import classifier
from explorer.networks.units import Layer, Units

if TYPE_CHECKING:
    from explorer.networks.checkpoints.reading import Checkpoint

CALIBRATION = 256  # default number of images for criteria and the oracle
LARGE = 2_000_000  # values of all images of a batch: what activations then take is bearable
SIDES = (224, 28, 64, 96, 128, 48, 299, 256, 512)  # pixels of usual images
RUN_NETWORK = "network.safetensors"  # of a run folder, and of an export
ORIGINAL = "original"  # folder inside an export that holds the network before pruning


@dataclass(frozen=True, eq=False)
class ExportFile:
    """A file that holds a network's graph beside its weights, with what its header says of itself."""

    name: str
    data: bytes
    manifest: Manifest
    own: bool = False  # whether it comes with the project, so that its graph need not be tried out

    @property
    def preparation(self) -> Preparation:
        """The preprocessing of images for its network."""
        own = self.manifest.preprocessing
        return Preparation(own, "as its manifest says", reads=own.channels)

    def sized(self, preprocessing: Preprocessing, images: ImageSet) -> Preprocessing:
        """The preprocessing itself: the manifest has said what is to be known."""
        return preprocessing

    def module(self) -> nn.Module:
        """Its graph with its weights; raises BadInput for anything but a whole, unaltered export."""
        return module_in(self.data, self.manifest, self.name, own=self.own)

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """Its network, for images that go through another preprocessing than its own where one is given."""
        found, prepared = self.manifest, preprocessing or self.manifest.preprocessing
        network = assemble(self.name, found.arch, self.module(), found.input_shape, prepared, found.classes)
        return replace(network, units=_as_before_pruning(network.units, found.layers))


@dataclass(frozen=True, eq=False)
class CheckpointFile:
    """A file of weights alone, and the architecture that they are for."""

    name: str
    checkpoint: Checkpoint
    arch: str
    trusted: bool  # whether a person gave `arch`, which may then name their own factory
    manifest: None = None  # a checkpoint says nothing of itself

    @property
    def preparation(self) -> Preparation:
        """The preprocessing of its architecture; the channels that it reads, where the usual can't be known."""
        from explorer.networks.architectures import families as architectures
        from explorer.networks.architectures import fitting

        usual = usual_preparation(self.arch, self.trusted)
        channels = fitting.channels_in(self.arch, self.checkpoint, trusted=self.trusted)
        known = architectures.says_size(self.arch) and channels == usual.preprocessing.channels
        return replace(usual, channels=None if known else channels, reads=channels)

    def sized(self, preprocessing: Preprocessing, images: ImageSet) -> Preprocessing:
        """The preprocessing for these images, with a size; see `preparation.sized`."""
        return sized(self.arch, preprocessing, images)

    def module(self) -> nn.Module:
        """Its architecture with its weights; raises BadInput if they do not fit."""
        from explorer.networks.architectures import fitting

        return fitting.fit(self.arch, self.checkpoint, trusted=self.trusted)

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """Its network, for images that go through another preprocessing than the usual one where one is given."""
        from explorer.networks.architectures import families as architectures
        from explorer.networks.architectures import fitting

        prepared = preprocessing or self.preparation.with_changes(UNCHANGED, images=False)
        module, note = fitting.fitted(self.arch, self.checkpoint, trusted=self.trusted)
        shape = architectures.input_shape_for(self.arch, prepared)
        if not (prepared.size or prepared.crop or architectures.says_size(self.arch)):
            shape = first_that_runs(module, shape)
            said = f"No size is said: structure and costs are those of an image of {shape[-1]} pixels."
            note = " ".join(filter(None, (note, said)))
        network = assemble(self.name, self.arch, module, shape, prepared)
        network = replace(network, origin=" ".join(filter(None, (note, network.origin))))
        return _named(network, self.checkpoint.classes) if self.checkpoint.classes else network


def first_that_runs(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The first shape of an image, as given or with one of SIDES, that a module can run on; as given if it is none."""
    sides = (shape, *((*shape[:-2], side, side) for side in SIDES))
    return next((each for each in sides if activation_bytes(module, each) is not None), shape)


NetworkFile = ExportFile | CheckpointFile


def file_at(where: str | Path, *, arch: str | None = None, trusted: bool = False) -> NetworkFile:
    """The file of "demo" or "demo-448", an export, a folder that holds one, or a checkpoint of the architecture `arch`.

    Own factories run only if `trusted`. Raises BadInput in one sentence for everything that can't be read.
    """
    if where in DEMOS:
        return demo_file(str(where))
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
    return network_file(data, path.name, arch=arch, trusted=trusted)


def demo_file(name: str = DEMO) -> ExportFile:
    """The export of the demo, or of the one before it; both come with the project."""
    data = asset(DEMOS[name]).read_bytes()
    return ExportFile(DEMO, data, manifest_in(data, DEMO), own=True)


def network_file(data: bytes, name: str, *, arch: str | None = None, trusted: bool = False) -> NetworkFile:
    """The file as an export, or as a checkpoint of the architecture `arch` or of the only one that it fits.

    Raises BadInput if they are neither; the network itself is not built yet.
    """
    if has_manifest(data):
        return ExportFile(name, data, manifest_in(data, name))
    from explorer.networks.architectures import families as architectures
    from explorer.networks.architectures import fitting
    from explorer.networks.checkpoints.reading import read_checkpoint

    if arch:
        architectures.split(arch, trusted)
    checkpoint = read_checkpoint(data, name)
    return CheckpointFile(name, checkpoint, arch or _sole_architecture(name, fitting.propose(checkpoint)), trusted)


def _sole_architecture(name: str, proposed: Sequence[str]) -> str:
    """The architecture that was proposed; raises BadInput if there is none, or more than one."""
    if len(proposed) == 1:
        return proposed[0]
    fitting = f"it fits {', '.join(proposed)}" if proposed else "its keys and shapes fit none that is known"
    raise BadInput(f"The architecture of {name} must be named (--arch on the command line): {fitting}.")


def _as_before_pruning(units: Units, widths: Sequence[LayerWidth]) -> Units:
    """The units under the channel indices that they had before the pruning that the file records."""
    told = {(width.name, width.width_after): width for width in widths}

    def original(layer: Layer) -> Layer:
        width = told.get((layer.name, len(layer)))
        return replace(layer, channels=width.kept, width_before=width.width_before) if width else layer

    return Units(tuple(map(original, units.layers)), units.unprunable)


def assemble(
    name: str,
    arch: str,
    module: nn.Module,
    input_shape: Sequence[int],
    preprocessing: Preprocessing,
    classes: Sequence[str] = (),
) -> Network:
    """A network around a module: units found and checked, outputs counted, weights fingerprinted.

    Without `classes`, outputs are called "0", "1", ... Outputs beside the logits are left out, see
    `explorer.networks.outputs`. Raises BadInput if the module can't classify such images.
    """
    note = with_plain_weights(module.eval())
    module.requires_grad_(False)
    check_opens(name, module, input_shape)
    example = torch.zeros(1, *input_shape)
    module, outputs, remark = classifier(name, module, example)
    module, units, followed = _with_units(module, tuple(input_shape))
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
        origin=" ".join(filter(None, (note, followed))),
    )


def _with_units(module: nn.Module, shape: tuple[int, ...]) -> tuple[nn.Module, Units, str]:
    """The module with its units; where numbers of channels in its code stand in their way, with these following.

    Then with a sentence on that.
    """
    example = torch.zeros(1, *shape)
    units = exact_units(module, find_units(module, example), shape)
    if not any(counts_on_channels(reason) for reason in units.unprunable.values()):
        return module, units, ""
    if found := following(module, shape):
        more = exact_units(found[0], find_units(found[0], example), shape)
        if len(more) > len(units):
            return found[0], more, found[1]
    return module, units, ""


def _named(network: Network, classes: tuple[str, ...]) -> Network:
    """The network with its outputs named as its file names them, and a sentence on that."""
    outputs = len(network.classes)
    fits = len(classes) == outputs
    told = f"has {len(classes)} class names, which are not used for its {outputs} outputs"
    remark = f"{network.name} {'names its classes' if fits else told}."
    named = replace(network, classes=classes) if fits else network
    return replace(named, remark=" ".join(filter(None, (network.remark, remark))))


def for_classes(network: Network, classes: Sequence[str], data: str) -> Network:
    """The network with its outputs named after the data's classes; raises BadInput if they can't be the same classes.

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
            f"{network.classes[first]!r} here; where they are the same, rename those of the images."
        )
    return replace(network, classes=tuple(classes))


def _comparable(classes: Sequence[str]) -> list[str]:
    plain = ["".join(filter(str.isalnum, name.casefold())) for name in classes]
    return plain if len(set(plain)) == len(plain) else list(classes)


def batches_for(
    network: Network, images: ImageSet, split: str, limit: int | None = None, size: int | None = None
) -> Batches:
    """A split as batches for this network; raises BadInput if its images have not the size that the network takes."""
    batches = Batches(images, split, network.preprocessing, limit, size or fitting_batch(network))
    shape = tuple(pixels_of(images, int(batches.indices[0]), network.preprocessing).shape)
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
