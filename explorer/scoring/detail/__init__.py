"""Detail: in comes one unit, out what writes it, what excites it, where it stands, and what its removal does."""

from explorer.scoring.detail.consequence import (
    Coupled,
    Effects,
    Saving,
    coupled,
    effects_by_class,
    effects_overall,
    open_and_closed,
    saving,
)
from explorer.scoring.detail.images import EXCITEMENT, activation, most_exciting, upsampled, without_normalisation
from explorer.scoring.detail.one_image import ImageEffects, ablation_flops, linearised_effects, measured_effects
from explorer.scoring.detail.removed_units import RemovedUnits, removed_units
from explorer.scoring.detail.standing import UnitRank, neighbours, standing
from explorer.scoring.detail.weights import Kernel, KernelPicture, Norm, kernel_picture, kernels, locate, norms, source

__all__ = [
    "EXCITEMENT",
    "Coupled",
    "Effects",
    "ImageEffects",
    "Kernel",
    "KernelPicture",
    "Norm",
    "RemovedUnits",
    "Saving",
    "UnitRank",
    "ablation_flops",
    "activation",
    "coupled",
    "effects_by_class",
    "effects_overall",
    "kernel_picture",
    "kernels",
    "linearised_effects",
    "locate",
    "measured_effects",
    "most_exciting",
    "neighbours",
    "norms",
    "open_and_closed",
    "removed_units",
    "saving",
    "source",
    "standing",
    "upsampled",
    "without_normalisation",
]
