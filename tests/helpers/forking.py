"""Processes that a test ends, forked from one server that has imported what is slow to import."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

PRELOADED = [  # by their names: the server does not look into tests/helpers. None starts a thread, which no fork takes
    *("torchvision", "torch_pruning", "hypothesis", "pytest", "pandas", "plotly.graph_objects", "plotly.subplots"),
    *("streamlit.testing.v1", "explorer.export.folders", "explorer.pruning.procedure", "explorer.runs.pruning_runs"),
    *("explorer.figures.curve", "explorer.figures.layer_overview", "explorer.networks.load"),
]


def forked(target: Callable[..., object], *given: object, **more: object) -> BaseProcess:
    """A process that has begun to call this."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=target, args=given, kwargs=more)
    process.start()
    return process
