"""The fields of a preprocessing, which dialogs share."""

from __future__ import annotations

import streamlit as st

from explorer.data import Changes, Preprocessing, numbers
from explorer.data.preprocessing import MAX_FRAMES, MAX_SIDE


def changes_fields(key: str, usual: Preprocessing | None, asked: bool = False) -> Changes:
    """The user's changes of the usual preprocessing. Raises BadInput if a field that takes numbers holds none.

    `asked`: the usual preprocessing is unknown, so the fields are open.
    """
    size, crop, frames, mean, std = (getattr(usual, name, None) for name in ("size", "crop", "frames", "mean", "std"))
    with st.expander("Change the preprocessing", expanded=asked):
        with st.container(horizontal=True):
            size = _count("Size, pixels", f"{key}-size", size, MAX_SIDE, "Resize the shorter side.")
            crop = _count("Crop, pixels", f"{key}-crop", crop, MAX_SIDE, "Crop the centre.")
            if usual is None or frames is not None:
                frames = _count("Frames of each clip", f"{key}-frames", frames, MAX_FRAMES, "Evenly spread.")
        with st.container(horizontal=True):
            mean = _numbers("Mean", f"{key}-mean", mean, "Subtracted from each channel, whose values are 0 to 1.")
            std = _numbers("Std", f"{key}-std", std, "Each channel is divided by it.")
    return Changes(size, crop, mean, std, frames)


def _count(label: str, key: str, usual: int | None, most: int, explanation: str) -> int | None:
    return st.number_input(
        label, 1, most, None, key=key, placeholder="none" if usual is None else str(usual), help=explanation
    )


def _numbers(label: str, key: str, usual: tuple[float, ...] | None, explanation: str) -> tuple[float, ...] | None:
    shown = ",".join(f"{value:g}" for value in usual or ())
    text = st.text_input(
        label, key=key, placeholder=shown, help=f"{explanation} One number for each channel, separated by commas."
    )
    return numbers(text) if text.strip() else None
