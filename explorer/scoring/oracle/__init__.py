"""Oracle: in come units, out what removing each alone does to the loss, measured, before fine-tuning."""

from explorer.scoring.oracle.ablator import Ablator, Counter
from explorer.scoring.oracle.anytime import PRECISIONS, OracleOptions, ablator_for, oracle, oracle_steps
from explorer.scoring.oracle.incremental import Incremental
from explorer.scoring.oracle.keeping import oracle_bytes, read_oracle
from explorer.scoring.oracle.reference import ReferenceOracle, reference_oracle
from explorer.scoring.oracle.result import SETTLED, Oracle

__all__ = [
    "PRECISIONS",
    "SETTLED",
    "Ablator",
    "Counter",
    "Incremental",
    "Oracle",
    "OracleOptions",
    "ReferenceOracle",
    "ablator_for",
    "oracle",
    "oracle_bytes",
    "oracle_steps",
    "read_oracle",
    "reference_oracle",
]
