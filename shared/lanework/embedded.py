"""How a process finds the embedded stack that runs in its folder: by a small file, the stack's handle."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from lanework.model.lanes import ALL_LANES, Lane, lanes_of

if TYPE_CHECKING:
    from pathlib import Path

HOME: Final = ".lanework"
"""The git-ignored folder of a project where the embedded stack keeps its state, log and handle."""


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
        lanes: The lanes that it has, the most urgent first.
    """

    endpoint: str
    region: str
    stack: str
    pid: int
    started_at: datetime
    lanes: tuple[Lane, ...] = ALL_LANES

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the handle that the file holds, or nothing if there is none of this user's that makes sense."""
        try:
            fields = json.loads(read_private(path))
            at, lanes = datetime.fromisoformat(fields["started_at"]), lanes_of(fields["lanes"])
            return cls(**{**fields, "started_at": at, "lanes": lanes})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def is_alive(self) -> bool:
        """Tell whether the process is there and the endpoint answers."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return answers(self.endpoint)


def handle_file(project: Path) -> Path:
    """Return where the handle of a project's stack is kept, given the project's folder."""
    return project / HOME / "stack.json"


def running_in(project: Path) -> StackHandle | None:
    """Return the stack that runs for a project's folder, or nothing: also if a crash left its handle behind."""
    handle = StackHandle.read(handle_file(project))
    return handle if handle is not None and handle.is_alive() else None


def running_at(folder: Path) -> StackHandle | None:
    """Return the stack that runs for the nearest project in which a folder lies."""
    project = next((one for one in (folder, *folder.parents) if handle_file(one).is_file()), None)
    return None if project is None else running_in(project)


def answers(endpoint: str) -> bool:
    """Tell whether an emulator is up at the endpoint."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def read_private(path: Path) -> str:
    """
    Return the text of a file.

    Raises:
        OSError: There is none, or it is a link, or somebody else wrote it.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_uid != os.getuid():
            msg = f"{path} belongs to somebody else"
            raise PermissionError(msg)
        return file.read()
