"""What the contest says: bars, the sentence on who is ahead, and whose choices met."""

from __future__ import annotations

import streamlit as st

from explorer.core.palette import CURRENT_STATE
from explorer.core.text import counted
from explorer.evaluation.intervals import normal
from explorer.figures.contest_bars import ContestRow, Level, Unpruned, contest_bars
from explorer.figures.style import criterion_style
from explorer.jobs.job import Job
from explorer.pruning.challenge import DRAWS, Challenge, Contender, ahead, gap, shared
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.pages.challenge.contest import (
    CHANCE,
    IN_A_SENTENCE,
    NAMES,
    TRAINING,
    UPDATES,
    YOU,
    Contenders,
    tune,
    tuning_key,
)
from explorer.ui.pages.challenge.scores import written
from explorer.ui.work.estimates import TRAINED, about
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.session import View


def outcome(view: View, challenge: Challenge, found: Contenders) -> None:
    """Draw who is ahead, by how much, and after a little fine-tuning too where that was asked for."""
    job = JOBS.find(tuning_key(view, challenge, found[YOU].plans[0]))
    drawn = job.version if job else None
    tuned: Contenders | None = job.result if job else None
    say.body("**{}**", verdict(found))
    if tuned:
        say.body("After fine-tuning: {}", verdict(tuned))
    root = view.timeline.root.metrics
    loss, accuracy = root.quality
    rows = [_row(name, each, tuned[name] if tuned else None) for name, each in found.items()]
    chart(contest_bars(rows, Unpruned(loss, accuracy), root.images), "contest")
    after = f"; hatched, after {UPDATES} updates" if tuned else ""
    say.caption(
        f"With {counted(challenge.count, 'unit')} gone, without fine-tuning{after}, on {view.workspace.validated_on}. "
        f"Whiskers: 95 % of what so many images leave open. Dashed: before, with nothing gone. Chance: mean of {DRAWS} "
        f"draws by seed {challenge.seed}, losses {found[CHANCE].spread[0]:.4f} to {found[CHANCE].spread[1]:.4f}."
    )
    _table(found)
    _tuning(view, challenge, found, job, drawn)


def verdict(found: Contenders) -> str:
    """One sentence: who is ahead, and whether the images tell that apart."""
    first, images = ahead(found), f"these {len(found[YOU].losses):,} images"
    if len(first) > 1:
        *others, last = (IN_A_SENTENCE[name] for name in first)
        return _begun(f"{', '.join(others)} and {last} lose least, and {images} do not tell them apart.")
    (best,) = first
    rival = YOU if best != YOU else min(found.keys() - {YOU}, key=lambda name: found[name].loss)
    lead = gap(found[rival], found[best]).mean
    verb = "win" if best == YOU else "wins"
    before = f"{lead:.4f} nats before {IN_A_SENTENCE[rival]}"
    return _begun(f"{IN_A_SENTENCE[best]} {verb}, by {before}: more than {images} leave open.")


def _begun(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _row(name: str, each: Contender, tuned: Contender | None) -> ContestRow:
    color = CURRENT_STATE if name == YOU else criterion_style(name).color
    later = (_loss(tuned), _accuracy(tuned)) if tuned else ()
    return ContestRow(NAMES[name], color, _loss(each), _accuracy(each), *later)


def _loss(each: Contender) -> Level:
    return (each.loss, *normal(each.loss, each.error))


def _accuracy(each: Contender) -> Level:
    return (each.accuracy, *each.accuracy_interval)


def _table(found: Contenders) -> None:
    """Each in numbers, against the person, and how many of their units it chose too."""
    yours = found[YOU]
    mine = int(yours.plans[0].sum())
    others = [name for name in found if name != YOU]
    st.table(
        {
            "": [NAMES[name] for name in found],
            "loss": [f"{each.loss:.4f} ± {each.error:.4f}" for each in found.values()],
            "right": [f"{each.accuracy:.1%}" for each in found.values()],
            "you against it": ["", *(written(gap(yours, found[name])) for name in others)],
            "chose of yours": ["", *(_met(yours, found[name], mine) for name in others)],
        },
        border="horizontal",
        hide_index=True,
    )
    say.caption(
        "Loss in nats ± its standard error; you against it: below 0 where you are better, ± the standard error of the "
        "difference on the same images. Letters on your units: T, Taylor chose it too; J, the joint choice."
    )


def _met(yours: Contender, other: Contender, mine: int) -> str:
    met = shared(yours.plans[0], other.plans)
    return f"{met:.0f} of {mine:,}" if len(other.plans) == 1 else f"{met:.1f} of {mine:,}, on average"


def _tuning(view: View, challenge: Challenge, found: Contenders, job: Job | None, drawn: object) -> None:
    """The button that fine-tunes each, or how far that is."""
    if job is None:
        images = len(found) * (TRAINED * UPDATES * TRAINING.recipe.batch_size + len(view.workspace.validation))
        time = about(view.workspace, images)
        st.button(
            "Fine-tune each a little",
            on_click=tune,
            args=(view, challenge, found),
            help=f"{UPDATES} updates with the same minibatches, learning rate {TRAINING.recipe.learning_rate:g}.",
        )
        say.caption(f"Does the lead last? {UPDATES} updates each" + (f", {time}." if time else "."))
        return
    explain_end(job, NOTHING)
    follow(job, drawn)
