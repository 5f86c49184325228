"""Study: in comes one's own network, out the tables and figures of Molchanov et al. 2017 (arXiv:1611.06440)."""

from __future__ import annotations

from explorer.study.folders import REPORT, Study, read_study
from explorer.study.inputs import StudyInputs
from explorer.study.parts import PARTS, Part
from explorer.study.presets import PRESETS, Preset
from explorer.study.running import study

__all__ = ["PARTS", "PRESETS", "REPORT", "Part", "Preset", "Study", "StudyInputs", "read_study", "study"]
