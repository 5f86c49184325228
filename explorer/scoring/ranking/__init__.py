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
from explorer.scoring.ranking.prices import FLOPS_PENALTY, PRICES, AtPlan, Price, charges, check_price, penalty_title
from explorer.scoring.ranking.scaling import SCALING_TITLES, SCALINGS, check_scaling, l2, scaled

__all__ = [
    "COEFFICIENTS",
    "FLOPS_PENALTY",
    "GROUPS",
    "PRICES",
    "SCALINGS",
    "SCALING_TITLES",
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
    "penalty_title",
    "rank_statistics",
    "ranks",
    "scaled",
    "spearman",
    "spearman_rows",
]
