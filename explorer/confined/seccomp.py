"""A filter of system calls (Linux): no network, no other processes, no file opened for writing, made or changed.

The system applies it to every later call of this process, whether from Python, a library or machine code.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

from explorer.confined import calls

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value: see linux/filter.h

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED, NOT_THERE = 1, 38
NUMBER, MACHINE, ARGUMENTS = 0, 4, 16  # places in struct seccomp_data
IDENTITIES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h
OTHER_NUMBERS = 0x40000000  # from here on, x86_64 has the calls of x32 once more
THREAD = 0x10000  # CLONE_THREAD
WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2  # of prctl


def supported() -> bool:
    """Whether this system can filter calls, and it is known how."""
    known = sys.platform == "linux" and struct.calcsize("P") == 8 and sys.byteorder == "little"
    return known and platform.machine() in calls.MACHINES


def filter_calls() -> None:
    """Filter the calls of this process, and of its threads to come, for good; OSError where the system refuses."""
    program = _assembled(instructions(platform.machine(), os.getpid()))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for arguments in ((NO_NEW_PRIVILEGES, 1, 0, 0, 0), (SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0)):
        if prctl(*(ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments)) != 0:
            raise OSError(ctypes.get_errno(), "the system takes no filter of calls")


def instructions(machine: str, process: int) -> list[Instruction]:
    """The filter for a process on a machine."""
    numbers = calls.refused_for_arguments(machine)
    known = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, IDENTITIES[machine]), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    return [
        *known,
        *_refusing((AT_LEAST, 0, 1, OTHER_NUMBERS), NOT_PERMITTED),
        *(line for n in calls.refused(machine) for line in _refusing((EQUAL, 0, 1, n), NOT_PERMITTED)),
        *(line for n in calls.absent(machine) for line in _refusing((EQUAL, 0, 1, n), NOT_THERE)),
        *_asking(numbers["clone"], 0, (ANY_BIT, 1, 0, THREAD)),
        *(_asking(numbers["open"], 1, (ANY_BIT, 0, 1, WRITING)) if "open" in numbers else []),
        *_asking(numbers["openat"], 2, (ANY_BIT, 0, 1, WRITING)),
        *_asking(numbers["tgkill"], 0, (EQUAL, 1, 0, process)),
        *_asking(numbers["prlimit64"], 0, (EQUAL, 1, 0, 0)),  # 0: this process
        (RETURN, 0, 0, ALLOW),
    ]


def _refusing(test: Instruction, error: int) -> list[Instruction]:
    """Refuse a call that a test holds for."""
    return [test, (RETURN, 0, 0, ERRNO | error)]


def _asking(number: int, argument: int, test: Instruction) -> list[Instruction]:
    """Allow a call where the test of one of its arguments jumps over the refusal, and refuse it else."""
    load = (LOAD, 0, 0, ARGUMENTS + 8 * argument)  # the lower half: no flag and no process lies above
    return [(EQUAL, 0, 4, number), load, test, (RETURN, 0, 0, ERRNO | NOT_PERMITTED), (RETURN, 0, 0, ALLOW)]


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


def _assembled(lines: list[Instruction]) -> _Program:
    return _Program(len(lines), b"".join(struct.pack("HBBI", *line) for line in lines))
