"""The oracle: what removing each single unit does to the loss, measured. Every figure is before fine-tuning."""

from explorer.oracle.anytime import PRECISIONS, Way, oracle, oracle_steps
from explorer.oracle.incremental import Incremental
from explorer.oracle.keeping import oracle_bytes, read_oracle
from explorer.oracle.reference import Reference, reference_oracle
from explorer.oracle.result import SETTLED, Oracle

__all__ = [
    "PRECISIONS", "SETTLED", "Incremental", "Oracle", "Reference", "Way", "oracle", "oracle_bytes", "oracle_steps",
    "read_oracle", "reference_oracle",
]  # fmt: skip
