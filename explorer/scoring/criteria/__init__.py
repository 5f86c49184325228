"""Criteria: in comes what was gathered, out one saliency a unit. Higher always means more important: keep."""

from __future__ import annotations

from explorer.scoring.criteria.table import CRITERIA, Criterion, applicable, fits_all, needs, score

__all__ = ["CRITERIA", "Criterion", "applicable", "fits_all", "needs", "score"]
