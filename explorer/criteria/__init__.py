"""Criteria: from what was gathered to one saliency a unit. Higher always means more important: keep."""

from __future__ import annotations

from explorer.criteria.table import CRITERIA, Criterion, applicable, check_applies, needs, score

__all__ = ["CRITERIA", "Criterion", "applicable", "check_applies", "needs", "score"]
