"""Images, or clips, in a folder with one sub-folder a class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from explorer.core.errors import BadInput
from explorer.core.text import one_line
from explorer.data.decoding import Clip, examine
from explorer.data.images import Account, ImageSet, Labelled, Source, first_names, image_set
from explorer.data.inventory import Inventory, take_inventory
from explorer.data.layout import Layout, Placed, laid_out
from explorer.data.splits import stored_splits


def open_folder(folder: Path, *, seed: int, limit: int | None, clips: bool = False) -> ImageSet:
    """All images in a folder, or all `clips`; classes are its sub-folders that hold any, in alphabetical order.

    A class's images may lie at any depth in its folder; clips are CLASS/CLIP/FRAME, frames in order of their names,
    numbers in them by value. Splits and other arrangements: see `laid_out`. Every image found is used, or listed in
    `skipped` with the reason (it can't be read, it has no label), and is then in no split; other files are counted in
    `notes`.
    """
    found = take_inventory(folder)
    layout = laid_out(str(folder), found.images, deep=2 if clips else 1)
    classes = sorted({image.label for image in layout.placed})
    bad, remarks = examine([image.path for image in layout.placed])
    layout.keep(bad)
    if not layout.placed:
        raise BadInput(_nothing(folder, found, layout))
    groups = _clips(layout.placed) if clips else [[image] for image in layout.placed]
    numbers = {name: number for number, name in enumerate(classes)}
    labelled = Labelled(
        _source(groups, clips),
        np.array([numbers[group[0].label] for group in groups]),
        [one_line(name.encode(errors="replace").decode()) for name in classes],
        stored_splits([group[0].split for group in groups]),
    )
    left_out = {str(path): reason for path, reason in layout.left_out.items()}
    account = Account(left_out, [*layout.notes, *remarks, *_notes(found)])
    return image_set(folder.resolve().name, labelled, seed=seed, limit=limit, account=account)


def _source(groups: list[list[Placed]], clips: bool) -> Source:
    if clips:
        return [Clip(tuple(image.path for image in group)) for group in groups]
    return [image.path for group in groups for image in group]


def _clips(placed: Iterable[Placed]) -> list[list[Placed]]:
    """The frames of each clip, in order."""
    groups: dict[Path, list[Placed]] = {}
    for image in placed:
        groups.setdefault(image.path.parent, []).append(image)
    return [sorted(group, key=lambda image: _by_number(image.path.name)) for group in groups.values()]


def _by_number(name: str) -> list[tuple[int, str]]:
    """frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _notes(found: Inventory) -> list[str]:
    """Notes on the files in the folder that are no images, by reason."""
    reasons: dict[str, list[str]] = {}
    for path, reason in found.ignored.items():
        reasons.setdefault(reason, []).append(str(path.relative_to(found.root)))
    if found.bare:
        reasons["no class, as no image is in it"] = ["/".join(dirs) for dirs in found.bare]
    return [f"Not looked at: {first_names(names)} ({reason})." for reason, names in reasons.items()]


def _nothing(folder: Path, found: Inventory, layout: Layout) -> str:
    needs = f"folder {folder} needs images in sub-folders, one for each class"
    if not found.images:
        return " ".join([f"{needs}: there is none in it.", *_notes(found)])
    path, reason = next(iter(layout.left_out.items()))
    return f"{needs}: none of the {len(found.images):,} found can be used; {path} is the first: {reason}."
