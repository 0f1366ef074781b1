"""The handle of a running embedded stack: a small file by which the command line finds it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from lanework.local.emulator.private_files import read_private, write_private
from lanework.local.emulator.process import answers

if TYPE_CHECKING:
    from pathlib import Path

    from lanework.local.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class StackHandle:
    """
    Where a running embedded stack is.

    Attributes:
        endpoint: The emulator's address.
        region: The region that its clients must name.
        stack: The stack's name, from which all names follow.
        pid: The emulator's process.
        started_at: When it was up.
    """

    endpoint: str
    region: str
    stack: str
    pid: int
    started_at: datetime

    def write(self, path: Path) -> None:
        """Write the handle in one step, so that no reader sees half of it."""
        partial = path.with_suffix(f".{self.pid}")
        write_private(partial, json.dumps({**asdict(self), "started_at": self.started_at.isoformat()}))
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the handle that the file holds, or nothing if there is none of this user's that makes sense."""
        try:
            fields = json.loads(read_private(path))
            return cls(**{**fields, "started_at": datetime.fromisoformat(fields["started_at"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def is_alive(self) -> bool:
        """Tell whether the process is there and the endpoint answers."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return answers(self.endpoint)


def handle_file(project: Project) -> Path:
    """Return where the project's handle is kept."""
    return project.home / "stack.json"


def find_running(project: Project) -> StackHandle | None:
    """Return the project's running stack, or nothing: also if a crash left its handle behind."""
    handle = StackHandle.read(handle_file(project))
    return handle if handle is not None and handle.is_alive() else None
