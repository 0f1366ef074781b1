"""How a worker process goes."""

from __future__ import annotations

import resource
import sys
from threading import Lock


class WorkerStats:
    """
    Counts jobs, and reads the memory they took.

    Attributes:
        begun: Jobs that were begun since the process started.
        ended: Those of them that have ended.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self._lock = Lock()

    def begin(self) -> None:
        """Count a job that begins."""
        with self._lock:
            self.begun += 1

    def end(self) -> None:
        """Count one that has ended."""
        with self._lock:
            self.ended += 1

    @property
    def peak_mb(self) -> int:
        """The most memory that the process has had, in MB (getrusage counts in KiB on Linux, in bytes on macOS)."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 // (1024 if sys.platform == "darwin" else 1)
