"""Worker processes, the oldest of which is killed again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("pollers.py")
WORKERS = 4


class Workers:
    """
    Worker processes, the oldest of which is killed again and again.

    Attributes:
        killed: How many were.
    """

    def __init__(self, nursery: subprocess.Popen[str], effects: Path) -> None:
        self._nursery = nursery
        self._effects = effects
        self._living = [self._begin() for _ in range(WORKERS)]
        self.killed = 0

    def kill_the_oldest_each(self, jobs: int) -> None:
        """Kill the oldest with SIGKILL and begin another, once for each so many jobs' effects: fast or slow."""
        done = len(self._effects.read_text().splitlines()) if self._effects.exists() else 0
        while self.killed < done // jobs:
            os.kill(self._living.pop(0), signal.SIGKILL)
            self._living.append(self._begin())
            self.killed += 1

    def _begin(self) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("another\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


@contextmanager
def workers(endpoint: str, stack: str, effects: Path, log: Path) -> Iterator[Workers]:
    """Let workers live for as long as the block; their jobs write to `effects`, their events go to `log`."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}
    command = [sys.executable, str(SCRIPT), endpoint, stack, str(effects), str(log)]
    nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield Workers(nursery, effects)
    finally:
        nursery.communicate(timeout=20)  # its stdin ends, and so do they


def completions(log: Path) -> Counter[str]:
    """Return how often each job's completion was reported; a worker that was killed may have had no time to."""
    events = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}"))
    return Counter(event["job_id"] for event in events if event.get("action") == "job.completed")
