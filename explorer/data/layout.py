"""Layout: the splits and classes that folders of images mean; an ambiguous layout is refused, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.data.inventory import Dirs
from explorer.data.splits import TRAIN, split_named

PICTURES = ("images", "image", "imgs", "jpegimages")
ANNOTATIONS = {
    *("annotation", "annotations", "mask", "masks", "segmentation", "segmentations", "label", "labels"),
    *("groundtruth", "groundtruths", "trimaps", "heatmaps"),
}


@dataclass(frozen=True)
class Placed:
    """An image file, and where it belongs."""

    path: Path
    split: str  # as its folder is called; "" where the data has no splits of its own
    dirs: Dirs  # its class, then the folders in that

    @property
    def label(self) -> str:
        """The name of its class."""
        return self.dirs[0]


@dataclass(eq=False)
class Layout:
    """Every image is either placed or left out, with the reason; notes say how folders were read."""

    placed: list[Placed] = field(default_factory=list)
    left_out: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def keep(self, reasons: Mapping[Path, str]) -> None:
        """Leave out those that there is a reason for."""
        self.placed = [image for image in self.placed if image.path not in reasons]
        self.left_out.update(reasons)


def laid_out(name: str, images: Mapping[Path, Dirs], deep: int) -> Layout:
    """Splits and classes of a folder's images; `deep`: 1 for CLASS/../IMAGE, 2 for CLASS/CLIP/FRAME.

    A folder that holds everything else is looked into. Folders called like splits (see `split_named`) which have
    classes in them are the splits; CLASS/SPLIT is taken as well. The classes are those of the images for training,
    where there are such. Raises BadInput if names and depths admit more than one reading.
    """
    layout = Layout()
    layout.keep(_annotations(images))
    found = _unwrapped(layout, {path: dirs for path, dirs in images.items() if path not in layout.left_out}, deep)
    splits = _splits(name, layout, found.values(), deep)
    if splits:
        layout.placed = [Placed(path, dirs[0], dirs[1:]) for path, dirs in found.items() if dirs and dirs[0] in splits]
        _unwrap_splits(layout, deep)
    elif _splits_in_classes(name, found.values(), deep):
        layout.placed = [Placed(p, d[1], (d[0], *d[2:])) for p, d in found.items() if len(d) > deep]
        layout.notes.append("The folders in each class are taken for the splits.")
    else:
        layout.placed = [Placed(path, "", dirs) for path, dirs in found.items()]
    placed = {image.path for image in layout.placed}
    layout.keep({path: "in no folder of a split or class" for path in found if path not in placed})
    layout.keep({image.path: reason for image in layout.placed if (reason := _unlabelled(image, deep))})
    _check_classes(name, layout)
    _keep_trained(layout)
    _note_depth(layout, deep)
    return layout


def _annotations(images: Mapping[Path, Dirs]) -> dict[Path, str]:
    """The images in folders called like annotations where a folder beside is called like pictures, and that reason."""
    folders = {dirs[:depth] for dirs in set(images.values()) for depth in range(1, len(dirs) + 1)}
    above = {dirs[:-1] for dirs in folders if _plain(dirs[-1]) in PICTURES}
    reasons = {
        dirs: f"in {dirs[-1]}, which is named like annotations, beside images"
        for dirs in folders
        if dirs[:-1] in above and _plain(dirs[-1]) in ANNOTATIONS
    }
    if not reasons:
        return {}
    prefixes = ((path, dirs[:depth]) for path, dirs in images.items() for depth in range(1, len(dirs) + 1))
    return {path: reasons[prefix] for path, prefix in prefixes if prefix in reasons}


def _plain(name: str) -> str:
    return "".join(filter(str.isalpha, name.lower()))


def _unwrapped(layout: Layout, images: Mapping[Path, Dirs], deep: int) -> dict[Path, Dirs]:
    """The images by their folders inside of the one that holds them all, if there is one."""
    inside = _wrappers(images.values(), deep)
    if inside:
        layout.notes.append(f"Classes are those in {'/'.join(inside)}, which holds all images.")
    return {path: dirs[len(inside) :] for path, dirs in images.items()}


def _wrappers(folders: Iterable[Dirs], deep: int) -> Dirs:
    """The folders, one in the other, that hold all images which lie in any, above the first with several in it."""
    inner, found = [dirs for dirs in folders if dirs], Dirs()
    while inner and min(map(len, inner)) > deep and len({dirs[0] for dirs in inner}) == 1:
        found = (*found, inner[0][0])
        inner = [dirs[1:] for dirs in inner]
    several = len({dirs[0] for dirs in inner}) > 1
    split = next((depth for depth, name in enumerate(found) if split_named(name)), None)
    return found[:split] if several or split is not None else ()


def _splits(name: str, layout: Layout, folders: Iterable[Dirs], deep: int) -> set[str]:
    """The top folders that are splits; none where these are the classes."""
    deepest: dict[str, int] = {}
    for dirs in folders:
        if dirs:
            deepest[dirs[0]] = max(len(dirs), deepest.get(dirs[0], 0))
    named = {top for top in deepest if split_named(top)}
    others = set(deepest) - named
    with_classes = any(deepest[top] > deep for top in named)
    if others and len(named) == 1:
        if with_classes or split_named(*named) != TRAIN:
            raise BadInput(
                f"folder {name} has {_names(named)}, which is named like a split, beside "
                f"{_names(others)}: give a folder of splits alone, or of classes alone."
            )
        layout.notes.append(
            f"{_names(named)} is read as a class, because it stands beside others."
        )  # it may be a vehicle
        return set()
    if named and not with_classes:
        raise BadInput(
            f"folder {name} has {_names(named)}, named like splits, with no folders of classes in them: "
            "give each split one sub-folder for each class, or a .csv table of paths and labels."
        )
    return named


def _unwrap_splits(layout: Layout, deep: int) -> None:
    """Take off what is no class in train/train/CLASS, and in train/images/CLASS beside test/images/CLASS."""
    layout.placed = [replace(image, dirs=image.dirs[_repeated(image, deep) :]) for image in layout.placed]
    wrappers = _wrappers([image.dirs for image in layout.placed if len(image.dirs) >= deep], deep)
    layout.placed = [
        replace(image, dirs=image.dirs[len(wrappers) :]) if image.dirs[: len(wrappers)] == wrappers else image
        for image in layout.placed
    ]


def _repeated(image: Placed, deep: int) -> int:
    return int(len(image.dirs) > deep and split_named(image.label) == split_named(image.split))


def _splits_in_classes(name: str, folders: Iterable[Dirs], deep: int) -> bool:
    """Whether this is CLASS/SPLIT/.. throughout."""
    inner = {split_named(dirs[1]) if len(dirs) > deep else None for dirs in folders if dirs}
    if len(inner - {None}) > 1 and None in inner:
        raise BadInput(
            f"folder {name} has folders named like splits in some classes and images beside them: give "
            "each split a folder of its own, with one sub-folder for each class."
        )
    return len(inner) > 1


def _unlabelled(image: Placed, deep: int) -> str:
    """Why this image has no class, or is no frame of a clip; "" for those that have one."""
    where = f" of {image.split}" if image.split else ""
    if len(image.dirs) < deep:
        return f"unlabelled, in no class folder{where}" if not image.dirs else f"in no clip{where}"
    return f"deeper than CLASS/CLIP{where}" if deep > 1 and len(image.dirs) > deep else ""


def _check_classes(name: str, layout: Layout) -> None:
    """Raises BadInput if the only "class" is a folder called like pictures, as in data for detection: split/images."""
    labels = {image.label for image in layout.placed}
    if len(labels) == 1 and all(_plain(label) in PICTURES for label in labels):
        raise BadInput(
            f"folder {name} has all images in folders called {_names(labels)}, which name no class: give each class a "
            "sub-folder of its own, or a .csv table of paths and labels."
        )


def _keep_trained(layout: Layout) -> None:
    """Classes are those of the training images, where there are such; say which split lacks which."""
    by_split = _labels_by_split(layout)
    trained = {split for split in by_split if split_named(split) in (TRAIN, "finetune")}
    known = set().union(*(by_split[split] for split in trained or by_split))
    _match_cases(layout, known)
    by_split = _labels_by_split(layout)
    layout.keep(
        {
            image.path: f"of {image.label}, which is no class of {_names(trained)}"
            for image in layout.placed
            if image.label not in known
        }
    )
    for split, labels in by_split.items():
        if missing := known - labels:
            layout.notes.append(f"{split} has no image of {_names(missing)}.")


def _labels_by_split(layout: Layout) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for image in layout.placed:
        found.setdefault(image.split, set()).add(image.label)
    return found


def _match_cases(layout: Layout, known: set[str]) -> None:
    """Take Cat for the class cat, where there is one of that name, and say so; of known classes alike, just say so."""
    alike: dict[str, list[str]] = {}
    for name in sorted(known):
        alike.setdefault(name.casefold(), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            layout.notes.append(f"{_names(names)} are read as {len(names)} classes: their names differ in case alone.")
    others = sorted({image.label for image in layout.placed} - known)
    meant = {name: alike[name.casefold()][0] for name in others if len(alike.get(name.casefold(), ())) == 1}
    for name, known_as in meant.items():
        layout.notes.append(f"{name} is read as the class {known_as}: the names differ in case alone.")
    layout.placed = [
        replace(image, dirs=(meant.get(image.label, image.label), *image.dirs[1:])) for image in layout.placed
    ]


def _note_depth(layout: Layout, deep: int) -> None:
    below = [image for image in layout.placed if len(image.dirs) > deep]
    if not below:
        return
    layout.notes.append(f"{len(below):,} images lie in folders inside of their class's, and are read as images of it.")
    inside: dict[str, set[str]] = {}
    for image in below:
        inside.setdefault(image.label, set()).add(image.dirs[deep])
    names, *others = inside.values()
    if len(below) == len(layout.placed) and len(names) > 1 and others and all(names == each for each in others):
        layout.notes.append(f"If {_names(names)} are the classes, give one of {_names(inside)} alone.")


def _names(names: Iterable[str], most: int = 5) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
