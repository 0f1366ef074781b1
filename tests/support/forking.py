"""Doing something in a process that is forked from this one, threads, locks and all."""

from __future__ import annotations

import os
import select
import signal
import traceback
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE_S = 60.0


def in_a_fork(do: Callable[[], str]) -> str:
    """Return what a forked child says; one that hangs says "hangs"."""
    return in_forks([do])[0]


def in_forks(things: Sequence[Callable[[], str]]) -> list[str]:
    """Return what children say that are forked one after the other and run at the same time."""
    children = [_fork(do) for do in things]
    return [_answer(pid, heard) for pid, heard in children]


def _fork(do: Callable[[], str]) -> tuple[int, int]:
    heard, its_end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that the child won't have: they are the point
        pid = os.fork()
    if pid:
        os.close(its_end)
        return pid, heard
    try:
        said = do()
    except BaseException:  # noqa: BLE001 - whatever it is, the test is to read it
        said = traceback.format_exc()
    os.write(its_end, said.encode()[:60_000])
    os._exit(0)


def _answer(pid: int, heard: int) -> str:
    said = b""
    try:
        while select.select([heard], [], [], _PATIENCE_S)[0]:
            part = os.read(heard, 65_536)
            if not part:
                return said.decode()
            said += part
        return "hangs"
    finally:
        os.close(heard)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
