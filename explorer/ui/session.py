"""Session: which run this browser tab is looking at; the run itself lies in the work folder and in nobody's tab."""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict

import streamlit as st
from torch import Tensor

from explorer.data import asset
from explorer.errors import BadInput
from explorer.runs import Run, read_run, write_run
from explorer.timeline import Metrics, Timeline, metrics_of, removed_at, start
from explorer.ui.results import outcome
from explorer.ui.workspace import Source, Workspace, open_workspace, source_from_json, source_to_json, workdir

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,32}")
REMEMBERED = 64  # runs held in memory; all of them are on disk
