"""The plan export: which units went, as JSON that replays on the original network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from explorer.core.bounds import PLAN_BYTES, check_file
from explorer.core.errors import BadInput
from explorer.export.contents import ExportContents
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning.plan import from_json

FORMAT = "pruning-explorer plan 1"


def render(contents: ExportContents) -> bytes:
    """The file's bytes: {"format", "network": {"name", "arch", "digest"?, ...}, "removed": [{"layer", "channel"}]}.

    `network` is the one that the plan was made for, as far as the provenance knows it; channels are its own.
    """
    manifest = contents.manifest
    known = manifest.provenance.get("network")
    origin = {"name": manifest.name, "arch": manifest.arch, **(known if isinstance(known, dict) else {})}
    removed = [{"layer": layer, "channel": channel} for layer, channel in contents.removed]
    return json.dumps({"format": FORMAT, "network": origin, "removed": removed}, indent=1).encode()


def read(path: Path) -> dict[str, Any]:
    """The plan in a file; raises BadInput if it holds none."""
    try:
        check_file(path, PLAN_BYTES)
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}): give the plan.json of an export.") from error
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged: it is not JSON.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInput(f"{path} is not in the format {FORMAT!r}: give the plan.json of an export.")
    if not isinstance(content.get("removed"), list) or not isinstance(content.get("network"), dict):
        raise BadInput(f"{path} is damaged: network must be an object and removed a list.")
    return content


def replay(network: Network, plan: dict[str, Any]) -> Network:
    """The original network without the units of a plan: the very tensors of the export, if that was not fine-tuned.

        pruned = replay(open_network("demo"), read(Path("export/plan.json")))

    Raises BadInput if the plan names a unit that this network does not have.
    """
    removed = from_json(network.units, plan["removed"])
    return prune(network, removed) if removed.any() else network


def is_for(network: Network, plan: dict[str, Any]) -> bool:
    """Whether a plan was made for this very network; of the same architecture, it replays on other weights too."""
    return bool(plan["network"].get("digest") == network.digest)
