"""The dialog that starts a fine-tuning: a network for one's own images, out of weights trained on others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.networks.preparation import Preparation, usual_preparation
from explorer.training.finetune import IMAGENET, NONE, PAPER, Recipe
from explorer.ui.choosing.image_source import images_field
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.image_fields import changes_fields
from explorer.ui.elements.understood import images_html
from explorer.ui.pages.network.opening import arch_field, field_key, show, told
from explorer.ui.pages.network.tunings import Tuning, all_tunings, look_at, start, unreadable
from explorer.ui.work.uploaded import images_at, thumbnails
from explorer.ui.work.workspace import keep_upload

OWN_CHECKPOINT = "own"
WEIGHTS: dict[str, str] = {IMAGENET: "ImageNet, published", OWN_CHECKPOINT: "a checkpoint", NONE: "none, from scratch"}


@st.dialog("Fine-tune a network", width="large", on_dismiss=lambda: show(None))
@boundary()
def tuning_form() -> None:
    """Ask for all that decides a fine-tuning, and start it."""
    say.caption(
        "Makes a network for your own classes: an architecture gets a new head, all its weights are "
        "updated on the finetune split, and it is measured on the validation split after every epoch."
    )
    said = st.container()
    try:
        _form(said)
    except BadInput as problem:
        say.error(problem, said)
    _earlier()


def _form(said: Any) -> None:
    left, right = st.columns(2, gap="medium")
    foot = st.container()
    with right:
        recipe, epochs, seed = _recipe_fields()
        pictures, below = st.container(), st.container()
    with left:
        arch = arch_field("for example torchvision:resnet18")
        weights, uploaded = _weights_fields()
        data = images_field(field_key("images"), below)
        usual = usual_preparation(arch) if arch else None
        images = None
        with told(partial(say.warning, place=below)):
            clips = usual is not None and usual.preprocessing.clips
            images = images_at(data, seed, clips=clips) if data else None
        pictures.html(images_html(images, thumbnails(images.digest, images) if images else ()))
        ready = arch is not None and images is not None and (weights != OWN_CHECKPOINT or uploaded is not None)
        pressed = foot.button("Start", type="primary", disabled=not ready)
        if usual:
            say.caption(f"Preprocessing: {usual.describe()}")
        changes = changes_fields(field_key("images"), usual.preprocessing if usual else None)
    if pressed and arch and usual and data is not None:
        with said, st.spinner("Checking"):
            _begin(Tuning(arch, weights, "", data, epochs, recipe, seed, changes), usual, uploaded)
        show(None)
        st.rerun()


def _weights_fields() -> tuple[str, Any]:
    """The kind of weights to start from, and the uploaded file if there is one."""
    weights = st.segmented_control(
        "Start from the weights",
        list(WEIGHTS),
        default=IMAGENET,
        required=True,
        key=field_key("weights"),
        format_func=WEIGHTS.__getitem__,
        help="Published weights are downloaded where they are not on this disk.",
    )
    uploaded = st.file_uploader("Checkpoint", key=field_key("start")) if weights == OWN_CHECKPOINT else None
    return str(weights), uploaded


def _recipe_fields() -> tuple[Recipe, int, int]:
    """The recipe, the number of epochs and the seed; the paper's recipe by default."""
    epochs = st.number_input("Epochs", 1, 1000, 10, key=field_key("epochs"), help="Passes over the finetune images.")
    rate = st.number_input(
        "Learning rate",
        1e-8,
        10.0,
        PAPER.learning_rate,
        step=1e-4,
        format="%g",
        key=field_key("rate"),
        help="The paper's is 0.001 or 0.0001.",
    )
    with st.container(horizontal=True):
        momentum = st.number_input("Momentum", 0.0, 0.999, PAPER.momentum, step=0.05, key=field_key("momentum"))
        decay = st.number_input(
            "Weight decay", 0.0, 1.0, PAPER.weight_decay, step=1e-4, format="%g", key=field_key("decay")
        )
    with st.container(horizontal=True):
        size = st.number_input(
            "Minibatch, images", 1, 4096, PAPER.batch_size, key=field_key("minibatch"), help="Images in each update."
        )
        seed = st.number_input(
            "Seed",
            0,
            2**31,
            0,
            key=field_key("seed"),
            help="Decides the splits, the new head's weights and the order of images.",
        )
    return Recipe(rate, momentum, decay, size), epochs, seed


def _begin(tuning: Tuning, usual: Preparation, uploaded: Any) -> None:
    """Check what can be checked at once, keep the checked bytes, and start the job."""
    preprocessing = tuning.changes.apply(usual.preprocessing)
    images_at(tuning.data, tuning.seed, clips=preprocessing.clips)
    if tuning.weights == OWN_CHECKPOINT:
        content = uploaded.getvalue()
        read_checkpoint(content, uploaded.name)
        tuning = replace(tuning, weights=keep_upload(content), name=uploaded.name)
    start(tuning)
    look_at(tuning)


def _earlier() -> None:
    """Earlier ones, to go on with or to open."""
    known = {tuning.id: tuning for tuning in all_tunings()}
    for problem in unreadable():
        say.warning(problem)
    if not known:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Earlier ones", list(known), key=field_key("earlier"), format_func=lambda name: _about(known[name])
        )
        if st.button("Show this fine-tuning") and chosen:
            look_at(known[chosen])
            show(None)
            st.rerun()


def _about(tuning: Tuning) -> str:
    return f"{tuning.title}, {counted(tuning.epochs, 'epoch')}, learning rate {tuning.recipe.learning_rate:g}"
