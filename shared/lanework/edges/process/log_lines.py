"""The log lines of a parent of worker processes: as the logger of its children writes them, without what that loads."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lanework.observe.logs import level_of

if TYPE_CHECKING:
    from lanework.model.events import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """
    Writes JSON lines to standard output.

    Attributes:
        service: What they say is the service.
        level: The lowest level that is written, as `logging` numbers it.
    """

    service: str
    level: int

    def write(self, action: Action, reason: str) -> None:
        """Write a line about something that happened, if it is of this level."""
        level = level_of(action)
        if level >= self.level:
            sys.stdout.write(f"{self.line(action, reason, level=level, at=datetime.now(UTC))}\n")
            sys.stdout.flush()

    def line(self, action: Action, reason: str, *, level: int, at: datetime) -> str:
        """Return the text of a line."""
        said = {
            "level": logging.getLevelName(level),
            "message": action,
            "timestamp": at.isoformat(timespec="milliseconds"),
            "service": self.service,
            "action": action,
            "reason": reason,
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
