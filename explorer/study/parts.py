"""The parts of a study: one table, from which command, report and page are made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.study import published
from explorer.study.agreement import agreement
from explorer.study.from_scratch import from_scratch
from explorer.study.inputs import Work
from explorer.study.lanes import lanes, updates
from explorer.study.one_shot import one_shot
from explorer.study.published import PublishedResult
from explorer.study.rank_table import rank_table
from explorer.study.speed import speed


@dataclass(frozen=True)
class Part:
    """One table or figure of the paper, measured anew."""

    name: str
    title: str
    paper: str  # its counterpart there
    computes: str
    look: str  # what to look for, in one sentence
    published: PublishedResult
    work: Work
    share: float  # of a quick study's time, about, for the bar
    needs: tuple[str, ...] = ()  # the parts whose results it reads


PARTS = {
    part.name: part
    for part in (
        Part(
            "agreement",
            "Agreement with the oracle",
            "Table 1",
            "Spearman's rank correlation (1: the same order, 0: no relation) of every criterion with oracle-abs, the "
            "absolute change in loss when a unit is removed.",
            "Taylor's row: is it the strongest within layers, weak over all layers, and strong again after l2?",
            published.CORRELATIONS,
            agreement,
            0.06,
        ),
        Part(
            "ranks",
            "Where the important units are",
            "Fig. 2",
            "Global rank of every unit by oracle-abs, layer by layer.",
            "Do medians sink with depth, do layers before a max-pooling stand higher, do all whiskers span the axis?",
            published.RANKS,
            rank_table,
            0.01,
            ("agreement",),
        ),
        Part(
            "one-shot",
            "The oracle's ranking without fine-tuning",
            "Fig. 3",
            "Accuracy against parameters left, pruned by one precomputed ranking: the absolute change in loss "
            "(oracle-abs), or the signed one (oracle-loss).",
            "Does the line of oracle-abs stay above that of oracle-loss?",
            published.ONE_SHOT,
            one_shot,
            0.05,
            ("agreement",),
        ),
        Part(
            "race",
            "Criteria raced with fine-tuning",
            "Figs 4, 5",
            "Accuracy against parameters and FLOPs, step by step, by each criterion and with FLOPs regularisation.",
            "Which line stays highest, how far random falls, and whether regularised Taylor leads against FLOPs.",
            published.RACE,
            lanes,
            0.49,
        ),
        Part(
            "scratch",
            "Trained from scratch",
            "Figs 4, 5",
            "Accuracy of the same shape with half the parameters a layer, trained from random weights.",
            "Is the cross below the lines of the pruned networks at its share of parameters?",
            published.RACE,
            from_scratch,
            0.08,
            ("race",),
        ),
        Part(
            "updates",
            "Updates between prunings",
            "Fig. 6",
            "Accuracy against parameters by Taylor, with several numbers of updates after each step.",
            "Do more updates lift the line, and does it still gain at the largest number?",
            published.UPDATES,
            updates,
            0.3,
            ("race",),
        ),
        Part(
            "speed",
            "Measured speed",
            "Table 2",
            "Latency of the full network and of two pruned ones, timed in turn.",
            "How far does the speed-up stay behind the reduction in FLOPs?",
            published.SPEED,
            speed,
            0.01,
            ("race",),
        ),
    )
}


def parts_with_needs(names: Collection[str]) -> set[str]:
    """These parts and those that they need; all where none is named. Raises BadInput for a name that is none."""
    for name in names:
        if name not in PARTS:
            raise BadInput(f"{name!r} is no part of a study; its parts are {', '.join(PARTS)}.")
    return {each for name in names or PARTS for each in (name, *PARTS[name].needs)}
