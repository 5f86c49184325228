"""Measurements: plans in numbers, remembered for all sessions, so that no way is measured twice in a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import streamlit as st
from torch import Tensor

from explorer.evaluation.metrics import Metrics
from explorer.pruning.one_shot import Curves
from explorer.ui.work.results import plan_digest
from explorer.ui.work.workspace import Workspace

WORKSPACES, PLANS = 8, 2048  # that are remembered: about 1 kB each


@dataclass(frozen=True)
class Measured:
    """A plan in numbers. answers: the predicted class of each image in view; none without images."""

    metrics: Metrics
    answers: tuple[int, ...] = ()


def measured_earlier(workspace: Workspace, plan: Tensor) -> Measured | None:
    """What was remembered of a plan."""
    return _of(workspace.key).get(plan_digest(plan))


def remember(workspace: Workspace, plan: Tensor, found: Measured) -> Measured:
    """The same; the oldest is forgotten where there are too many."""
    known = _of(workspace.key)
    known[plan_digest(plan)] = found
    while len(known) > PLANS:
        known.pop(next(iter(known)), None)
    return found


def curves_of(key: str) -> Curves:
    """What this tab compared all at once in the workspace of this key: each ranking's curve as it was measured last."""
    return st.session_state.setdefault(f"compared-{key}", {})


@lru_cache(maxsize=WORKSPACES)
def _of(key: str) -> dict[str, Measured]:
    return {}
