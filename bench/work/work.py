"""The work of every system's jobs, and how they tell that it is done. The standard library only: it runs everywhere."""

from __future__ import annotations

import asyncio
import os
import struct
import time

WAIT_S = {"wait": 0.05, "wait-100": 0.1}
CPU_S = {"cpu": 0.005, "cpu-1": 0.001}
"""How long a kind of work waits, or burns CPU, in seconds; any other does nothing."""

RECORD = struct.Struct("<ddd")
"""When a job was enqueued, when its code began, and when it ended: seconds since 1970."""

_done = os.open(os.environ.get("BENCH_DONE", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def do(work: str, enqueued_at: float) -> int:
    """Do a job: `noop`, or what WAIT_S and CPU_S say."""
    began = time.time()
    if work in WAIT_S:
        time.sleep(WAIT_S[work])
    elif work in CPU_S:
        _burn(CPU_S[work])
    return _tell(enqueued_at, began)


async def do_async(work: str, enqueued_at: float) -> int:
    """Do the same in a coroutine."""
    began = time.time()
    if work in WAIT_S:
        await asyncio.sleep(WAIT_S[work])
    elif work in CPU_S:
        _burn(CPU_S[work])
    return _tell(enqueued_at, began)


def _burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def _tell(enqueued_at: float, began: float) -> int:
    os.write(_done, RECORD.pack(enqueued_at, began, time.time()))
    return 1
