"""Locks: one writer a folder. The operating system releases them when a process ends, even by kill -9."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.core.errors import BadInput

NAME = ".lock"  # in the folder while a process writes there; holds that process's name
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # errors that mean the lock is held by another process
_TURN = threading.Lock()


@contextmanager
def sole_writer(folder: Path, remedy: str, who: str = "") -> Iterator[None]:
    """Make the folder and be its only writer for a while; it is deleted again if nothing was written.

    remedy: the way out, in the BadInput that is raised if another process writes there. who: words on this writer, for
    the message to others. Where the file system has no locks, no writer is refused.
    """
    made = not folder.exists()
    handle = _taken(folder, wait=False)
    if handle is None:
        raise BadInput(f"{folder} is in use by {_holder(folder)}: {remedy}.")
    try:
        os.ftruncate(handle, 0)  # of one that was killed
        os.write(handle, f"process {os.getpid()}{who}".encode())
        yield
    finally:
        _release(folder, handle)
        if made:
            with suppress(OSError):  # something was written
                folder.rmdir()


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Read and write in a folder for a moment, after every other that does, in this process or another."""
    with _TURN:
        handle = _taken(folder, wait=True)
        assert handle is not None, "it was waited for"
        try:
            yield
        finally:
            _release(folder, handle)


@contextmanager
def locked(place: Path, *, wait: bool) -> Iterator[bool]:
    """Whether the block has the lock of a folder that is there; False where the file system has no locks."""
    if sys.platform == "win32":  # which opens no folders
        yield False
        return
    handle = os.open(place, os.O_RDONLY)
    try:
        try:
            held = _lock(handle, wait=wait)
        except OSError:
            held = False
        yield held
    finally:
        os.close(handle)


def _taken(folder: Path, *, wait: bool) -> int | None:
    """The open and locked file of a folder, or None if another process has it."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            if not _free(handle, wait=wait):
                os.close(handle)
                return None
            if _is_at(handle, path):
                return handle
            os.close(handle)  # its former holder has deleted it
    except OSError as error:
        raise BadInput(f"{folder} can't be written ({error.strerror or error}): give another folder.") from error


def _free(handle: int, *, wait: bool) -> bool:
    try:
        return _lock(handle, wait=wait)
    except OSError:  # this file system has none
        return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _release(folder: Path, handle: int) -> None:
    """Delete the file before others get its lock; where open files can't be deleted, it stays."""
    with suppress(OSError):
        (folder / NAME).unlink()
    os.close(handle)


def _holder(folder: Path) -> str:
    try:
        said = (folder / NAME).read_text(errors="replace")[:200]
        return "".join(filter(str.isprintable, said)) or "another process"
    except OSError:  # done meanwhile, or not to be read while it is locked
        return "another process"


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file; False if another process has it. OSError if the file system has no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True
