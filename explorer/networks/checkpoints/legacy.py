"""Pickles without an archive: torch.save before 1.6 (five pickles, then the storages), and plain pickle.dump."""

from __future__ import annotations

import io
from typing import IO

from explorer.core.bounds import PICKLE_BYTES
from explorer.core.errors import BadInput
from explorer.networks.checkpoints.pickle_machine import Machine, Storage, Value
from explorer.networks.checkpoints.safe_pickle import check_claims, run
from explorer.networks.checkpoints.state_dicts import CheckpointContents, contents_of

MAGIC = 0x1950A86A20F9469CFC6C
HEADER = 8  # bytes before each storage: its number of items
HEADER_BYTES = 64  # bytes that hold the first pickle, which is the magic number


def read(stream: IO[bytes], length: int) -> CheckpointContents:
    """The contents of the file. Raises BadInput, with a clause that follows the file's name, if it is damaged."""
    return _saved(stream, length) if _is_saved(stream) else _dumped(stream)


def _is_saved(stream: IO[bytes]) -> bool:
    stream.seek(0)
    try:
        return bool(run(Machine(), io.BytesIO(stream.read(HEADER_BYTES))).data == MAGIC)
    except ValueError:
        return False


def _saved(stream: IO[bytes], length: int) -> CheckpointContents:
    root, places = _head(stream, length)

    def load(storage: Storage) -> bytes:
        stream.seek(places[storage.key])
        return stream.read(storage.size)

    return contents_of(root, load)


def _head(stream: IO[bytes], length: int) -> tuple[Value, dict[object, int]]:
    """The saved object, and where its storages lie."""
    stream.seek(0)
    head, machine = io.BytesIO(stream.read(PICKLE_BYTES.most)), Machine()
    _, _, system, root, keys = (
        _run(machine, head, "is truncated or damaged: its pickles can't be read") for _ in range(5)
    )
    little = system.data.get("little_endian") if system.kind == "dict" else None
    if little is not None and little.data is not True:
        raise BadInput("was written on a big-endian machine, and can't be read on this one")
    check_claims(machine)
    if sum(machine.storages.values()) + HEADER * len(machine.storages) > length - head.tell():
        raise BadInput("is truncated: its storages claim more bytes than the file holds")
    order = [key.data for key in keys.data if key.kind == "plain"] if keys.kind == "list" else []
    if len(order) != len(machine.storages) or set(order) != set(machine.storages):
        raise BadInput("is damaged: its list of storages is not that of its tensors")
    places, place = {}, head.tell()
    for key in order:
        places[key] = place + HEADER
        place += HEADER + machine.storages[key]
    return root, places


def _dumped(stream: IO[bytes]) -> CheckpointContents:
    stream.seek(0)
    machine = Machine({}, _storage_in)
    root = _run(
        machine,
        io.BytesIO(stream.read()),
        "is not a torch checkpoint: give a file that torch.save or safetensors wrote",
    )
    check_claims(machine)
    return contents_of(root, lambda storage: b"")


def _storage_in(data: bytes) -> Storage:
    """The one storage of a file within a pickle."""
    root, places = _head(io.BytesIO(data), len(data))
    if root.kind != "storage":
        raise ValueError("a file within a pickle that is no storage")
    found: Storage = root.data
    start = places[found.key]
    key = ("inside", id(data))
    return Storage(key, found.size, found.item, found.dtype, memoryview(data)[start : start + found.size])


def _run(machine: Machine, head: IO[bytes], otherwise: str) -> Value:
    try:
        return run(machine, head)
    except BadInput:
        raise
    except ValueError as error:
        raise BadInput(otherwise) from error
