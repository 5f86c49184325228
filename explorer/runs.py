"""Run folders: a timeline on disk, written whole or not at all, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explorer import timeline as timelines
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.timeline import Timeline

FORMAT = "pruning-explorer run 1"
FILE = "run.json"


@dataclass(frozen=True)
class Run:
    """What a run folder says: what was pruned, on which images, how, and every state on the way."""

    network: Mapping[str, Any]  # how to open it again: {"source", "arch", "digest", ...}
    data: Mapping[str, Any]  # {"source", "seed", ...}
    timeline: Timeline | None = None  # None until the network as loaded has been measured
    settings: Mapping[str, Any] = field(default_factory=dict)


def write_run(folder: Path, run: Run) -> Path:
    """Write the run's `run.json`; raises BadInput where the folder can't be written."""
    content = {
        "format": FORMAT,
        "network": dict(run.network),
        "data": dict(run.data),
        "settings": dict(run.settings),
        "timeline": run.timeline and timelines.to_json(run.timeline),
    }
    return write_whole(folder / FILE, json.dumps(content, indent=1).encode())


def read_run(folder: Path) -> Run:
    """The run of a folder; raises BadInput where it holds none, or a damaged one."""
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{folder} is not a run folder: it holds no {FILE}.") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged: it is not JSON.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInput(f"{path} is not in the format {FORMAT!r}.")
    network, data, settings = (content.get(key) for key in ("network", "data", "settings"))
    if not (isinstance(network, dict) and isinstance(data, dict) and isinstance(settings, dict)):
        raise BadInput(f"{path} is damaged: network, data and settings must be objects.")
    timeline = content.get("timeline")
    return Run(network, data, None if timeline is None else timelines.from_json(timeline), settings)
