"""The format of torch.save before 1.6: five pickles, then the storages, checked before torch reads it."""

from __future__ import annotations

import io
from typing import IO

from explorer.core.bounds import PICKLE_BYTES
from explorer.core.errors import BadInput
from explorer.networks.checkpoints.pickle_machine import Machine, Value
from explorer.networks.checkpoints.safe_pickle import check_claims, run

MAGIC = 0x1950A86A20F9469CFC6C
HEADER = 8  # bytes before each storage: its number of items


def check(stream: IO[bytes], length: int) -> None:
    """BadInput, with a clause that follows the file's name, unless torch can read the file without surprise."""
    stream.seek(0)
    head, machine = io.BytesIO(stream.read(PICKLE_BYTES.most)), Machine()
    if _run(machine, head, "is not a torch checkpoint").data != MAGIC:
        raise BadInput("is a pickle that torch.save did not write; only weights are read")
    for _ in range(4):
        _run(machine, head, "is truncated or damaged: its pickles can't be read")
    check_claims(machine)
    if sum(machine.storages.values()) + HEADER * len(machine.storages) > length - head.tell():
        raise BadInput("is truncated: its storages claim more bytes than the file holds")


def _run(machine: Machine, head: IO[bytes], otherwise: str) -> Value:
    try:
        return run(machine, head)
    except BadInput:
        raise
    except ValueError as error:
        raise BadInput(otherwise) from error
