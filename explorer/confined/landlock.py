"""Landlock (Linux): of all files, only some may be read."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446  # system calls, the same on all machines
ASK_VERSION, BENEATH = 1, 1  # flag, and kind of rule
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # version -> number of file rights that it knows
NO_NEW_PRIVILEGES = 38  # of prctl


def supported() -> bool:
    """Whether this system can do it."""
    return sys.platform == "linux" and _version() > 0


def read_only(readable: Iterable[str]) -> None:
    """From now on, and for good, this process may only read files at or below these places.

    Places that do not exist are left out. Raises OSError if the system refuses.
    """
    ruleset = _call(CREATE, *_buffer(struct.pack("Q", (1 << _rights(_version())) - 1)), 0)
    try:
        for place in readable:
            if Path(place).exists():
                _allow(ruleset, place)
        ctypes.CDLL(None).prctl(*map(ctypes.c_ulong, (NO_NEW_PRIVILEGES, 1, 0, 0, 0)))
        _call(RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, place: str) -> None:
    handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = READ_FILE | (READ_FOLDER if Path(place).is_dir() else 0)
        _call(ADD, ruleset, BENEATH, _buffer(struct.pack("=Qi", rights, handle))[0], 0)
    finally:
        os.close(handle)


def _version() -> int:
    """0 where there is none."""
    try:
        return _call(CREATE, None, 0, ASK_VERSION)
    except OSError:
        return 0


def _rights(version: int) -> int:
    return max(count for since, count in RIGHTS.items() if since <= version)


def _buffer(content: bytes) -> tuple[ctypes.c_char_p, ctypes.c_size_t]:
    return ctypes.c_char_p(content), ctypes.c_size_t(len(content))


def _call(number: int, *arguments: object) -> int:
    found = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), "the system takes no rules for files")
    return int(found)
