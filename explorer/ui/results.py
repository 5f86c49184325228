"""Results: what pages show, computed once for each network, images and plan, and shared by all browser sessions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import streamlit as st
from safetensors import SafetensorError
from torch import Tensor

from explorer.criteria import CRITERIA, score
from explorer.curvature import curvature
from explorer.evaluate import Outcome, evaluate
from explorer.evidence import Evidence
from explorer.export.files import write_whole
from explorer.observe import observe
from explorer.oracle import Oracle, reference_oracle_steps
from explorer.ranking import scaled
from explorer.ui.jobs import Job, JobManager
from explorer.ui.workspace import Workspace, workdir

Saliencies = dict[str, Tensor]


@st.cache_resource
def jobs() -> JobManager:
    """The job manager of this server."""
    return JobManager()


def outcome(workspace: Workspace, removed: Tensor) -> Outcome:
    """What the network says of the validation images with these units gated."""
    return _outcome(workspace.key, removed.numpy().tobytes(), workspace, removed)


@st.cache_resource(max_entries=256, show_spinner=False)
def _outcome(key: str, plan: bytes, _workspace: Workspace, _removed: Tensor) -> Outcome:
    return evaluate(_workspace.network, _workspace.validation, _removed)


def scoring(workspace: Workspace) -> Job:
    """The job that scores every unit by all criteria; its partial result comes before those that need curvature."""
    manager, key = jobs(), f"score-{workspace.key}"
    found = manager.find(key)
    return found if found and found.state in ("queued", "running", "done") else manager.submit(key, "Scoring", _score(workspace))
