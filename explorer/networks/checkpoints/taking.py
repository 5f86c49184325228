"""Taking: finds a network's tensors in a file by the network's own names, wherever they stand.

A network's names are looked for behind every beginning ("module.", "state_dict/model.", "0/") and around names that
wrappers put into the middle ("features.module.0.weight"). Where several sets fit, the first in the file that is no
running average is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from explorer.core.text import one_line, quoted, shortened
from explorer.networks.checkpoints.folding import folded
from explorer.networks.checkpoints.state_dicts import COUNTER, INSIDE

AVERAGES = re.compile(r"(^|[_./])(ema|swa|avg|averaged?|shadow|teacher|momentum|params_ema|encoder_k)([_./]|$)", re.I)
LOSSES = re.compile(r"criterion|loss|metric|accuracy|auroc|confmat|(^|_)(acc|f1)(_|$)", re.I)  # beside the network
BOOKKEEPING = ("n_averaged", "total_ops", "total_params")  # left in state dicts by weight averaging and profilers
AUX_HEADS = ("aux1.", "aux2.", "AuxLogits.")  # of googlenet and inception_v3, which are built without
RENAMED = (
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\."), r"\1\2."),  # as torchvision, on loading
    (re.compile(r"^last_linear\."), "fc."),  # the head in the package pretrainedmodels, as timm had it renamed
)
LEFT_NAMED = 4  # names of what was left


@dataclass(frozen=True, eq=False)
class Taken:
    """The tensors behind one beginning, by the network's own names, those that it has not among them."""

    prefix: str
    weights: Mapping[str, Tensor]
    used: frozenset[str] = frozenset()  # paths in the file
    folds: Mapping[str, int] = field(default_factory=dict)
    library: str = ""  # that renames them so on loading

    @property
    def name(self) -> str:
        """The beginning without what joins it to the names behind it."""
        return self.prefix.rstrip("./")

    def with_names(self, names: Collection[str]) -> Taken:
        """The same with more names that are the network's own; those that were renamed all are."""
        if self.library:
            return self
        return replace(self, used=self.used | {self.prefix + name for name in self.weights if name in names})

    def renamed(self, weights: Mapping[str, Tensor], library: str) -> Taken:
        """All of it by the names that a library gives them on loading."""
        used = self.used | {self.prefix + name for name in self.weights}
        return replace(self, weights=weights, used=used, library=library)

    def note(self, others: Sequence[str], paths: Collection[str], more: Sequence[Taken]) -> str:
        """One sentence on what was taken and what was left; "" where the file holds the network and nothing else."""
        left = dict.fromkeys(_tops(self.prefix, [*(path for path in paths if path not in self.used), *others]))
        if not (self.prefix or left or self.folds or self.library):
            return ""
        said = [f"Taken from the file: {len(self.used)} tensors{self._under()}"]
        said += [f"{kind} folded into {count} weights" for kind, count in self.folds.items()]
        if self.library:
            said.append(f"renamed as {self.library} does on loading")
        if left:
            names = ", ".join(shortened(one_line(name), 60) for name in [*left][:LEFT_NAMED])
            said.append(f"left: {names}" + (f" and {len(left) - LEFT_NAMED} more" if len(left) > LEFT_NAMED else ""))
        if more:
            also = ", ".join(f"those{other._under()}" for other in more[:LEFT_NAMED])
            way = f"weights={one_line(more[0].name)} behind the architecture's name takes others"
            said.append(f"{also} fit as well, and the first in the file that are no running average are taken; {way}")
        return "; ".join(said) + "."

    def _under(self) -> str:
        return f" under {quoted(self.name)}" if self.prefix else ""


def candidates(tensors: Mapping[str, Tensor], expected: Sequence[str]) -> list[Taken]:
    """Every set of tensors that may be the network's, best first: most of its names, no average, first in the file.

    One with less than half as many of the names as the best is a part of a network.
    """
    parts, folds = folded(tensors, expected)
    gone = [name for name in tensors if name not in parts]
    found = [_taken(prefix, parts, expected) for prefix in _prefixes(parts, expected)]
    wanted = {name for name in expected if not name.endswith(COUNTER)}

    def worth(taken: Taken) -> tuple[int, bool]:
        return -len(wanted & taken.weights.keys()), bool(AVERAGES.search(taken.prefix))

    if folds:
        found = [
            Taken(each.prefix, each.weights, each.used | {name for name in gone if name.startswith(each.prefix)}, folds)
            for each in found
        ]
    found.sort(key=worth)
    return [taken for taken in found if 2 * worth(taken)[0] <= worth(found[0])[0]]


def _taken(prefix: str, tensors: Mapping[str, Tensor], expected: Sequence[str]) -> Taken:
    weights: dict[str, Tensor] = {}
    used = set()
    own = _own_names([path[len(prefix) :] for path in tensors if path.startswith(prefix)], expected)
    for path, tensor in tensors.items():
        rest = path[len(prefix) :]
        if not path.startswith(prefix):
            continue
        if (name := own.get(rest)) is not None and name not in weights:
            weights[name] = tensor
            used.add(path)
        elif not _beside(rest, tensor):
            weights[rest] = tensor
    return Taken(prefix, weights, frozenset(used))


def _own_names(rests: Sequence[str], expected: Sequence[str]) -> dict[str, str]:
    """The rest of a name after its beginning -> the network's own name.

    A word in the middle is a wrapper's unless several names would be one without it, as those of layers of a head. Of a
    dictionary that has one of the names once more nothing is taken: it holds another set.
    """
    names, shared, words = set(expected), _shared(expected), {word for name in expected for word in name.split(".")}
    found = {rest: next((name for name in _spellings(rest, shared, words) if name in names), None) for rest in rests}
    own = {rest: name for rest, name in found.items() if name is not None}
    exact = {rest for rest in own if any(name in names for name in _spellings(rest, shared, None))}
    twice = {name for name, times in Counter(own.values()).items() if times > 1}
    others = {_dictionary(rest) for rest, name in own.items() if name in twice and rest not in exact} - {""}
    own = {rest: name for rest, name in own.items() if rest in exact or _dictionary(rest) not in others}
    times = Counter(own.values())
    return {rest: name for rest, name in own.items() if rest in exact or times[name] == 1}


def _dictionary(path: str) -> str:
    return path.rpartition(INSIDE)[0]


def _beside(rest: str, tensor: Tensor) -> bool:
    """Whether a tensor behind the beginning is none of the network's: of another part of the file, a loss, a count."""
    first, dot, _ = rest.partition(".")
    known = rest.rpartition(".")[2] in BOOKKEEPING or rest.startswith(AUX_HEADS) or LOSSES.search(first)
    state = tensor.ndim == 0 or tensor.dtype == torch.uint8  # a count, or the state of a random generator
    return INSIDE in rest or bool(known) or (not dot and state)


def _spellings(rest: str, shared: str, words: Collection[str] | None) -> Iterator[str]:
    """The names that a tensor of this name may have in the network, without all other words too where these are given.

    Numbers are no wrapper's.
    """
    dotted = rest.replace(INSIDE, ".")
    kept = [word for word in dotted.split(".") if words is None or word in words or word.isdecimal()]
    bare = ".".join(kept)
    for name in dict.fromkeys((dotted, renamed(dotted), bare, renamed(bare))):
        yield name
        if shared:
            yield shared + name


def renamed(name: str) -> str:
    """The name as torchvision, or timm, changes it."""
    for pattern, own in RENAMED:
        name = pattern.sub(own, name)
    return name


def _prefixes(tensors: Mapping[str, Tensor], expected: Sequence[str]) -> list[str]:
    """The beginnings behind which one of a few of the network's names is found, and that of the largest dictionary."""
    shared, words = _shared(expected), {word for name in expected for word in name.split(".")}
    named = [name for name in expected if not name.endswith(COUNTER)]
    anchors = {named[at] for at in (0, len(named) // 2, -1)} if named else set()
    heads = {anchor.removeprefix(start).partition(".")[0] for anchor in anchors for start in ("", shared)}
    found: dict[str, None] = {}
    for path in tensors:
        for start in _starts(path):
            rest = path[start:]
            if re.split(r"[./]", rest, maxsplit=1)[0] in heads and anchors & {*_spellings(rest, shared, words)}:
                found[path[:start]] = None
    return list(found) or [_largest(list(tensors))]


def _starts(path: str) -> Iterator[int]:
    yield 0
    yield from (match.end() for match in re.finditer(r"[./]", path))


def _shared(names: Sequence[str]) -> str:
    """The first word with its dot, where all names have the same; else ""."""
    word, dot, _ = names[0].partition(".") if names else ("", "", "")
    return word + dot if dot and all(name.startswith(word + dot) for name in names) else ""


def _largest(paths: Sequence[str]) -> str:
    """The beginning that the most tensors share: a container, and wrappers within it."""
    tops: dict[str, list[str]] = {}
    for path in paths:
        top = path.rpartition(INSIDE)[0]
        tops.setdefault(f"{top}{INSIDE}" if top else "", []).append(path)
    top, members = max(tops.items(), key=lambda item: len(item[1]))
    if len(members) < 2:
        return top
    while word := _shared([path[len(top) :] for path in members]):
        top += word
    return top


def _tops(prefix: str, paths: Collection[str]) -> Iterator[str]:
    """Each path down to where it leaves the way to what was taken."""
    way = re.split(r"(?<=[./])", prefix)[:-1]
    for path in paths:
        steps = re.split(r"(?<=[./])", path)
        same = next((at for at, (one, other) in enumerate(zip(way, steps, strict=False)) if one != other), len(way))
        yield "".join(steps[: same + 1]).rstrip("./") if same else steps[0].rstrip("./")
