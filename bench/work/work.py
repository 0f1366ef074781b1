"""The work of every system's jobs, and how they tell that it is done. The standard library only: it runs everywhere."""

from __future__ import annotations

import asyncio
import os
import struct
import time

WAIT_S = 0.05
CPU_S = 0.005

RECORD = struct.Struct("<ddd")
"""When a job was enqueued, when its code began, and when it ended: seconds since 1970."""

_done = os.open(os.environ.get("BENCH_DONE", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def do(work: str, enqueued_at: float) -> int:
    """Do a job: `noop`, `wait` for 50 ms, or `cpu` for 5 ms of it."""
    began = time.time()
    if work == "wait":
        time.sleep(WAIT_S)
    elif work == "cpu":
        _burn()
    return _tell(enqueued_at, began)


async def do_async(work: str, enqueued_at: float) -> int:
    """Do the same in a coroutine."""
    began = time.time()
    if work == "wait":
        await asyncio.sleep(WAIT_S)
    elif work == "cpu":
        _burn()
    return _tell(enqueued_at, began)


def _burn() -> None:
    until = time.thread_time() + CPU_S
    while time.thread_time() < until:
        pass


def _tell(enqueued_at: float, began: float) -> int:
    os.write(_done, RECORD.pack(enqueued_at, began, time.time()))
    return 1
