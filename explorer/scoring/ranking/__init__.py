"""Ranking: in come saliencies, out an order across layers, priced, and its agreement with the oracle."""

from explorer.scoring.ranking.correlation import (
    COEFFICIENTS,
    GROUPS,
    Measure,
    correlate,
    correlation_table,
    kendall,
    kendall_rows,
    measures,
    spearman,
    spearman_rows,
)
from explorer.scoring.ranking.order import TOP, RankStatistics, overlap, overlap_rows, rank_statistics, ranks
from explorer.scoring.ranking.prices import FLOPS_PENALTY, PRICES, AtPlan, Price, charges, check_price
from explorer.scoring.ranking.scaling import SCALINGS, check_scaling, l2, scaled

__all__ = [
    "COEFFICIENTS",
    "FLOPS_PENALTY",
    "GROUPS",
    "PRICES",
    "SCALINGS",
    "TOP",
    "AtPlan",
    "Measure",
    "Price",
    "RankStatistics",
    "charges",
    "check_price",
    "check_scaling",
    "correlate",
    "correlation_table",
    "kendall",
    "kendall_rows",
    "l2",
    "measures",
    "overlap",
    "overlap_rows",
    "rank_statistics",
    "ranks",
    "scaled",
    "spearman",
    "spearman_rows",
]
