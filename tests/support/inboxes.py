"""The lanes in memory, as a worker process receives from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from lanework.engine.ports.consumer import Received
from lanework.memory import MemoryLanes
from lanework.model.lanes import Lane


class Nothing(BaseModel):
    """A payload."""


@dataclass
class MemoryInbox:
    """
    The lanes in memory, as a worker process receives from them.

    Attributes:
        is_broken: Whether it has a fault of its own.
    """

    lanes: MemoryLanes
    is_broken: bool = False

    def receive(self, lane: Lane, *, limit: int, wait: timedelta, hide_for: timedelta) -> list[Received]:  # noqa: ARG002
        if self.is_broken:
            msg = "Messages"
            raise KeyError(msg)
        message = self.lanes.receive(lane, visibility=hide_for)
        return [] if message is None else [message]

    def delete(self, lane: Lane, handles: Sequence[str]) -> None:
        for handle in handles:
            self.lanes.delete(lane, handle)

    def hide(self, lane: Lane, handles: Mapping[str, timedelta]) -> None:
        for handle, after in handles.items():
            self.lanes.change_visibility(lane, handle, after)
