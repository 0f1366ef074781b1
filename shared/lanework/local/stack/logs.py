"""What the functions of an embedded stack wrote, read back from CloudWatch Logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lanework.local.clients import Clients

PLATFORM = ("START RequestId", "END RequestId", "REPORT RequestId")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """
    One line that a function wrote.

    Attributes:
        at: When its invocation ended: the emulator stores an invocation's lines together, at its end.
        function: The function's name.
        text: The line; JSON if a structured logger wrote it.
    """

    at: datetime
    function: str
    text: str


@dataclass(slots=True, kw_only=True)
class LogTail:
    """
    Reads each line once.

    Attributes:
        since: What ended earlier is left out.
    """

    clients: Clients
    stack: str
    since: datetime
    _read: set[str] = field(default_factory=set)

    def read(self) -> list[LogLine]:
        """Return what was written since the last call, oldest first, without Lambda's own START, END and REPORT."""
        prefix = f"/aws/lambda/{self.stack}-"
        pages = self.clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        lines = sorted((line for group in groups for line in self._unread(group)), key=lambda line: line.at)
        if lines:
            self.since = lines[-1].at
        return [line for line in lines if not line.text.startswith(PLATFORM)]

    def _unread(self, group: str) -> list[LogLine]:
        found = self.clients.logs.filter_log_events(logGroupName=group, startTime=int(self.since.timestamp() * 1000))
        fresh = [event for event in found["events"] if event["logStreamName"] not in self._read]
        self._read.update(event["logStreamName"] for event in fresh)  # a stream holds one invocation, written at once
        function = group.removeprefix("/aws/lambda/")
        return [
            LogLine(at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC), function=function, text=event["message"])
            for event in fresh
        ]
