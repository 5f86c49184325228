"""From a checkpoint to a network: the architecture that it belongs to, its head size, and its weights in place."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from torch import Size, Tensor, nn

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.architectures.families import (
    FAMILIES,
    build,
    known_architectures,
    listed_families,
    preprocessing_for,
    split,
)
from explorer.networks.architectures.heads import OwnPart
from explorer.networks.architectures.rebuilding import FACTORY, Rebuilt, rebuilt
from explorer.networks.architectures.skeletons import Shapes, empty_module, shapes_in, shapes_of, skeleton_of
from explorer.networks.architectures.stems import stem_of
from explorer.networks.architectures.variants import WEIGHTS, variant
from explorer.networks.checkpoints import foreign
from explorer.networks.checkpoints.reading import Checkpoint
from explorer.networks.checkpoints.state_dicts import COUNTER, plain
from explorer.networks.checkpoints.taking import Taken, candidates, renamed

TRIALS = {"num_classes": (2, 3), "in_channels": (1, 3)}  # each option is told apart by what it changes
FIRST_NAMES = 8  # of an architecture's tensors, that tell whether it is worth a trial
OPTIONAL = len(TRIALS)  # weights of other shapes for other options: the stem's and the head's
DIFFERENCES_NAMED = 3  # differences of a kind that a message names

Trial = tuple[Shapes, Shapes]


@dataclass(frozen=True, eq=False)
class Match:
    """An architecture's options, and the tensors of a checkpoint that fit it with these."""

    options: Mapping[str, int]
    expected: Shapes
    weights: Mapping[str, Tensor]
    differences: str  # "" where all fit
    rebuilt: Rebuilt
    note: str = ""  # a sentence on what was taken and left, and what was rebuilt; "" where that is all

    def check(self, arch: str, checkpoint: Checkpoint) -> None:
        """Raise BadInput if some tensors do not fit."""
        if self.differences and checkpoint.networks:
            clause = foreign.module_of(*checkpoint.networks[0])
            raise BadInput(f"{checkpoint.name} {foreign.with_file_name(clause, checkpoint.name)}.")
        lacking = [name for name in self.expected if name not in self.weights]
        for path, kind in checkpoint.not_dense if self.differences else ():
            if path.endswith(tuple(lacking)):
                raise BadInput(f"{checkpoint.name} {foreign.not_dense(path, kind)}.")
        if self.differences and self.rebuilt.question:
            raise BadInput(f"{checkpoint.name} {self.rebuilt.question}.")
        if self.differences:
            raise BadInput(f"{checkpoint.name} does not fit {arch}: {self.differences}{self._way_out()}.")

    def _way_out(self) -> str:
        """The way out for a network that is the architecture in most."""
        same = sum(name in self.weights and self.weights[name].shape == self.expected[name] for name in self.expected)
        return f"; if that was changed by hand, {FACTORY}" if 2 * same > len(self.expected) else ""


def matched(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> Match:
    """The set of the checkpoint's tensors that fits the architecture best, see `checkpoints.taking`.

    Head size and input channels are read from the shapes, and heads and stems of people's own, see `rebuilding`.
    """
    trials = _trials(arch, trusted)
    shapes = trials["num_classes"][0] if "num_classes" in trials else shapes_of(arch, trusted)
    found = [
        _renamed(arch, trusted, shapes, taken)
        for taken in _chosen(arch, checkpoint, candidates(checkpoint.weights, list(shapes)))
    ]
    matches = [_match(arch, trusted, trials, taken) for taken in found]
    fitting = [at for at, match in enumerate(matches) if not match.differences]
    best = fitting[0] if fitting else 0
    taken = found[best].with_names(matches[best].expected)
    note = taken.note(checkpoint.others, checkpoint.weights, [found[at] for at in fitting[1:]])
    return replace(matches[best], note=" ".join(filter(None, (note, matches[best].note))))


def _chosen(arch: str, checkpoint: Checkpoint, found: list[Taken]) -> list[Taken]:
    """The sets of tensors that may be taken: all, or the one that a person names behind the architecture."""
    name = variant(arch).get(WEIGHTS)
    chosen = [taken for taken in found if name in (None, taken.name)]
    if not chosen:
        there = ", ".join(quoted(taken.name) for taken in found)
        raise BadInput(f"{checkpoint.name} has no weights under {quoted(name)}: there are such under {there}.")
    return chosen


def _renamed(arch: str, trusted: bool, expected: Shapes, taken: Taken) -> Taken:
    """The tensors by the names that the architecture's library gives them on loading, where all fit with these."""
    family = split(arch, trusted)[0]
    rename = FAMILIES[family].renamed if family else None
    if rename is None or _parameters(taken.weights) == _parameters(expected):
        return taken
    weights = rename(skeleton_of(arch, trusted), taken.weights)
    return taken.renamed(weights, str(family)) if _parameters(weights) == _parameters(expected) else taken


def fit(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> nn.Module:
    """The architecture with the checkpoint's weights, in eval mode, without gradients; see `fitted`."""
    return fitted(arch, checkpoint, trusted=trusted)[0]


def fitted(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> tuple[nn.Module, str]:
    """The architecture with the checkpoint's weights, and a sentence on what was taken, "" where that is all.

    BadInput names the first keys and shapes that differ. The checkpoint's tensors are copied.
    """
    match = matched(arch, checkpoint, trusted=trusted)
    match.check(arch, checkpoint)
    module = empty_module(arch, trusted, **match.options)
    for part in match.rebuilt.parts:
        module.set_submodule(part.path, part.make())
    state = module.state_dict()  # carries the format versions that some modules ask for, and counters at 0
    state.update(_plain(checkpoint, match.weights))
    module.load_state_dict(state)
    return module.eval().requires_grad_(False), match.note


def transferred(
    arch: str, checkpoint: Checkpoint, num_classes: int, *, trusted: bool = False, seed: int = 0
) -> tuple[nn.Module, str]:
    """The architecture for another number of classes: the checkpoint's weights, and a new head with a seeded start.

    The head is whatever the number of classes gives another shape, and what the checkpoint has in another form than the
    architecture, or lacks. With it a sentence on what was taken and is new. Raises BadInput if the checkpoint does not
    fit but for its head.
    """
    match = matched(arch, checkpoint, trusted=trusted)
    head = match.rebuilt.head
    if head is None:
        match.check(arch, checkpoint)
    module = build(arch, num_classes, in_channels=match.options.get("in_channels"), trusted=trusted, seed=seed)
    for part in match.rebuilt.parts:
        if head is None or part.path != head.path:
            module.set_submodule(part.path, part.make())
    state = module.state_dict()
    taken = {
        name: tensor
        for name, tensor in _plain(checkpoint, match.weights).items()
        if name in state and state[name].shape == tensor.shape and not (head and name.startswith(f"{head.path}."))
    }
    state.update(taken)
    module.load_state_dict(state)
    new = [name for name in state if name not in taken and not _counts(name)]
    said = f"New, with random weights: {', '.join(new)}." if new else ""
    return module.eval().requires_grad_(False), " ".join(filter(None, (match.note, said)))


def channels_in(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> int | None:
    """Image channels that the checkpoint's first convolution reads; None where it has none."""
    match = matched(arch, checkpoint, trusted=trusted)
    stem = stem_of(skeleton_of(arch, trusted, **match.options))
    weight = match.weights.get(f"{stem[0]}.weight") if stem else None
    return None if weight is None or weight.ndim < 3 else weight.shape[1]


def _plain(checkpoint: Checkpoint, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    try:
        return {name: plain(name, tensor) for name, tensor in weights.items()}
    except BadInput as error:
        raise BadInput(f"{checkpoint.name} {error}.") from error.__cause__


def propose(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The architectures that the checkpoint fits: the one its manifest names, else those of equal keys and shapes.

    A manifest may name an architecture of a known family only, never a factory, which would be code to run.
    """
    named = checkpoint.metadata.get("arch")
    if isinstance(named, str) and named.partition(":")[0] in FAMILIES:
        return (named,)
    fitting = (tuple(_fitting(family, checkpoint)) for family in listed_families())
    return next(filter(None, fitting), ())


def _fitting(family: str, checkpoint: Checkpoint) -> Iterator[str]:
    """A family's architectures that fit; of those alike, none where words of the first layers are not in the file."""
    likely: dict[str, bool] = {}
    held = _words(name for path in checkpoint.weights for name in (path, renamed(path)))
    for arch in reversed(known_architectures(family)):
        alike = FAMILIES[family].alike(arch.partition(":")[2])
        if alike not in likely:
            likely[alike] = _words(islice(shapes_of(arch, False), FIRST_NAMES)) <= held
        if likely[alike] and _fits(arch, checkpoint):
            yield arch


def _words(names: Iterable[str]) -> set[str]:
    """The words of layers in these names of tensors; not their numbers."""
    return {word for name in names for word in re.split(r"[./]", name)[:-1] if not word.isdecimal()}


def _fits(arch: str, checkpoint: Checkpoint) -> bool:
    expected = shapes_of(arch, False)
    if len(_parameters(expected)) > len(checkpoint.weights):
        return False
    held = Counter(tensor.shape for tensor in checkpoint.weights.values())
    if (Counter(shape for shape in expected.values() if len(shape) > 1) - held).total() > OPTIONAL:
        return False
    named = candidates(checkpoint.weights, list(expected))[0].weights
    return _parameters(named) == _parameters(expected) and not matched(arch, checkpoint).differences


def _parameters(named: Mapping[str, object]) -> set[str]:
    return {name for name in named if not _counts(name)}


def _counts(name: str) -> bool:
    return name.endswith(COUNTER)


def _trials(arch: str, trusted: bool) -> dict[str, Trial]:
    """Option -> the shapes that two of its values give, for each option that the architecture has."""
    trials = {}
    for option, values in TRIALS.items():
        with suppress(BadInput):
            one, other = (shapes_of(arch, trusted, **{option: value}) for value in values)
            trials[option] = (one, other)
    return trials


def _match(arch: str, trusted: bool, trials: Mapping[str, Trial], taken: Taken) -> Match:
    settled = {option: _settle(trial, taken.weights) for option, trial in trials.items()}
    options = {option: value for option, value in settled.items() if value is not None}
    skeleton = skeleton_of(arch, trusted, **options)
    expected = shapes_in(skeleton)
    differences = "; ".join(_differences(taken.weights, expected))
    if not differences:
        return Match(options, expected, taken.weights, "", Rebuilt(), _said(arch, skeleton, ()))
    found = rebuilt(arch, skeleton, taken.weights, known=split(arch, trusted)[0] is not None)
    changed = copy.deepcopy(skeleton)
    for part in found.parts:
        changed.set_submodule(part.path, part.make())
    expected = shapes_in(changed)
    differences = "; ".join(_differences(taken.weights, expected))
    return Match(options, expected, taken.weights, differences, found, _said(arch, changed, found.parts))


def _said(arch: str, module: nn.Module, parts: Sequence[OwnPart]) -> str:
    """A sentence on what is not as usual for the architecture; "" where all is."""
    stem, known = stem_of(module), split(arch, trusted=True)[0] is not None
    changes = [part.says for part in parts]
    if known and stem and stem[1].in_channels != len(preprocessing_for(arch).mean):
        changes.insert(0, f"{stem[0]} with {stem[1].in_channels} input channels")
    return f"Rebuilt from the shapes in the file: {'; '.join(changes)}." if changes else ""


def _settle(trial: Trial, weights: Mapping[str, Tensor]) -> int | None:
    """The value of an option: see which sizes change with it, and look these up in the checkpoint."""
    one, other = trial
    found = {_changed_size(weights[name].shape, one[name], other.get(name)) for name in one if name in weights} - {0}
    return found.pop() if len(found) == 1 else None


def _changed_size(shape: Size, one: Size, other: Size | None) -> int:
    """The size in `shape` along the one dimension where the two others differ, if the rest agree; else 0."""
    if other is None or not len(shape) == len(one) == len(other):
        return 0
    changed = [d for d in range(len(one)) if one[d] != other[d]]
    rest_agrees = all(shape[d] == one[d] for d in range(len(one)) if d not in changed)
    return shape[changed[0]] if len(changed) == 1 and rest_agrees else 0


def _differences(weights: Mapping[str, Tensor], expected: Shapes) -> Iterator[str]:
    missing = [f"{name} {_shape(expected[name])}" for name in expected if name not in weights and not _counts(name)]
    unexpected = [f"{name} {_shape(weights[name].shape)}" for name in weights if name not in expected]
    other = [
        f"{name} is {_shape(weights[name].shape)} instead of {_shape(expected[name])}"
        for name in expected
        if name in weights and weights[name].shape != expected[name]
    ]
    for what, entries in (("missing ", missing), ("unexpected ", unexpected), ("", other)):
        if entries:
            more = f" and {len(entries) - DIFFERENCES_NAMED} more" if len(entries) > DIFFERENCES_NAMED else ""
            yield what + ", ".join(entries[:DIFFERENCES_NAMED]) + more


def _shape(shape: Size) -> str:
    return f"({', '.join(map(str, shape))})"
