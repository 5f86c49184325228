"""Presets: how much of a study is done, and with which settings; one table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.study.published import CRITERIA
from explorer.training.finetune import Recipe

A_MAPS, B_MAPS = 0.41, 0.195  # shares of the maps that Table 2's pruned AlexNets keep


@dataclass(frozen=True)
class Preset:
    """The settings of a study. Shares are of the network's units, and from 0 to 1."""

    name: str
    images: int  # for calibration, at most
    validation: int  # images that accuracies are measured on, at most
    seeds: int  # of everything that trains: how many
    scored: tuple[str, ...]  # criteria that are compared with the oracle, as far as they can score the network
    resamples: int  # of the images, for the intervals
    draws: int  # of random rankings
    places: int  # of the one-shot curves
    raced: tuple[str, ...]
    step: float  # share of the units that goes between two rankings
    left: float  # share of the units at which a lane ends
    updates: int  # minibatches after each step
    compared: tuple[int, ...]  # numbers of updates between prunings, for Fig. 6
    recipe: Recipe
    scratch_updates: int
    scratch_recipe: Recipe
    batch: int  # images at once, for latency
    runs: int  # of which latency is the median


RECIPE, FROM_SCRATCH = Recipe(learning_rate=1e-3), Recipe(learning_rate=1e-3, optimizer="adam")
RACED = ("taylor", "activation_mean", "weight", "obd", "random")

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick",
            images=128,
            validation=500,
            seeds=1,
            scored=(*CRITERIA, "taylor2", "linear_oracle", "random"),
            resamples=50,
            draws=200,
            places=13,
            raced=RACED,
            step=0.05,
            left=B_MAPS,
            updates=5,
            compared=(1, 5, 20),
            recipe=RECIPE,
            scratch_updates=300,
            scratch_recipe=FROM_SCRATCH,
            batch=16,
            runs=20,
        ),
        Preset(
            name="full",
            images=256,
            validation=1000,
            seeds=3,
            scored=(*CRITERIA, "taylor2", "linear_oracle", "random"),
            resamples=200,
            draws=1000,
            places=25,
            raced=(*RACED, "activation_std", "apoz"),
            step=0.04,
            left=B_MAPS,
            updates=10,
            compared=(1, 3, 10, 30),
            recipe=RECIPE,
            scratch_updates=1500,
            scratch_recipe=FROM_SCRATCH,
            batch=16,
            runs=50,
        ),
    )
}


def with_criteria(preset: Preset, names: tuple[str, ...]) -> Preset:
    """The preset with these criteria compared and raced as well."""
    return replace(preset, scored=(*preset.scored, *names), raced=(*preset.raced, *names))
