"""The field that says which images: uploaded from the browser's computer, or named where the app may read them."""

from __future__ import annotations

import streamlit as st

from explorer.core.errors import BadInput
from explorer.data import SOURCES
from explorer.data.sources import NAMED, is_named
from explorer.networks.demos import DEMO
from explorer.ui.elements import say
from explorer.ui.work.uploaded import keep_images
from explorer.ui.work.visitors import paths_allowed

ZIP, FOLDER, NAME, NONE = "zip", "folder", "name", "none"
WAYS = {ZIP: "A .zip or .npz", FOLDER: "A folder", NAME: "By path or name"}
LAYOUTS = "with one folder for each class, with or without folders of splits, or with a .csv table"
NONE_YET = {NONE: "No images yet"}
WITHOUT = "Structure, costs, criteria that read weights, pruning and export work without; images can be added later."
ZIP_HELP = f"A .zip {LAYOUTS}; or an .npz of arrays."
FOLDER_HELP = f"A folder {LAYOUTS}. Large ones upload faster as a .zip."
HERE = "of clips, a FOLDER of CLASS/CLIP/FRAME.jpg. Folders and files are those of the computer that the app runs on."
NOT_HERE = (
    "This server opens no folders or files by their path: upload the images as a .zip or a folder, or name one of {}."
)


def images_field(key: str, place: say.Place = st, *, needed: bool = True) -> str | None:
    """The source of the images; None if none is given yet or it can't be used, with the reason in that place.

    Where they are not `needed`, a person can say that there are none yet: NONE.
    """
    ways = WAYS if needed else WAYS | NONE_YET
    way = st.segmented_control(
        "Images", list(ways), default=ZIP, required=True, key=f"{key}-way", format_func=ways.__getitem__
    )
    if way == NONE:
        say.caption(WITHOUT)
        return NONE
    try:
        return _named(key) if way == NAME else _uploaded(key, folder=way == FOLDER)
    except BadInput as problem:
        say.warning(problem, place)
        return None


def _uploaded(key: str, *, folder: bool) -> str | None:
    if folder:
        files = st.file_uploader(
            "Folder of images", accept_multiple_files="directory", key=f"{key}-folder", help=FOLDER_HELP
        )
        return keep_images(files, folder=True) if files else None
    file = st.file_uploader("Zip of folders, or .npz", key=f"{key}-zip", help=ZIP_HELP)
    return keep_images([file], folder=False) if file else None


def _named(key: str) -> str:
    kinds = f"{' or '.join(SOURCES)}; {HERE}" if paths_allowed() else " or ".join(NAMED)
    label = "Name, folder or file" if paths_allowed() else "Name"
    where = st.text_input(label, DEMO, key=f"{key}-data", help=kinds).strip()
    check_allowed(where)
    return where


def check_allowed(where: str) -> None:
    """Raises BadInput for a path where this server opens none."""
    if not paths_allowed() and not is_named(where):
        raise BadInput(NOT_HERE.format(" or ".join(NAMED)))
