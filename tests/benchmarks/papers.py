"""The paper's own settings from their names to Table 1, in miniature: `python tests/benchmarks/papers.py`.

Data sets of a few tiny pictures lie where `study` looks for them, and untrained weights where torchvision keeps the
published ones. Each setting is fine-tuned for one epoch where the paper fine-tunes, and Table 1 and Fig. 2 are measured
on one image: what comes out says that all of it runs, and nothing of the networks. --whole takes images of 224 pixels.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torchvision import datasets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from miniatures import SIDES, at_hand

from explorer.cli import commands
from explorer.study import read_study
from explorer.study.papers import PAPERS, Paper


def measured(paper: Paper, whole: bool) -> str:
    """Study one setting in a folder of its own; what it took."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["PRUNING_EXPLORER_DATA"] = name
        with (
            patch("torch.hub.get_dir", lambda: str(work / "hub")),
            patch.object(datasets.Flowers102, "_check_integrity", lambda self: True),  # sums of the published files
            patch.dict(PAPERS, {paper.name: replace(paper, epochs=min(paper.epochs, 1))}),
            patch.dict(SIDES, dict.fromkeys(SIDES, "224") if whole else {}),
        ):
            words = [*at_hand(paper, work), "--limit", "1", "--only", "ranks", "--out", str(work / "out")]
            commands.main(words, standalone_mode=False)
        study = read_study(work / "out")
    network, units = study.about["network"], sum(study.parts["agreement"]["result"]["layers"].values())
    seconds = time.process_time() - started
    return f"{paper.name}: {units} units, {network['classes']} classes, {', '.join(study.parts)}; {seconds:.0f} s"


def main() -> None:
    """All settings, or those that are named; seconds of the processor."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--names", nargs="+", choices=PAPERS, default=list(PAPERS))
    options.add_argument("--whole", action="store_true", help="images of 224 pixels")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    found = [measured(PAPERS[name], chosen.whole) for name in chosen.names]
    print(*found, sep="\n")


if __name__ == "__main__":
    main()
