"""EventBridge's bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.clients import translated
from lanework.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.aws.clients import Clients
    from lanework.model.job.job_event_document import JobEventDocument

SOURCE: Final = "lanework"

_MOST: Final = 10
"""Entries of one PutEvents."""


class EventBridgeBus:
    """A bus that others listen to."""

    def __init__(self, clients: Clients, *, name: str) -> None:
        self._clients = clients
        self._name = name
        self._is_there = False

    def put(self, notices: Sequence[JobEventDocument]) -> None:
        """
        Put notices on the bus, each as an event whose detail it is, and whose detail type says what happened.

        Raises:
            UnavailableError: Whether all were put is not known.
            ConfigError: There is no such bus, or no permission.
        """
        if not self._is_there:
            self._look()
        entries: list[Any] = [
            {
                "EventBusName": self._name,
                "Source": SOURCE,
                "DetailType": one.type,
                "Time": one.time,
                "Detail": one.written(),
            }
            for one in notices
        ]
        for start in range(0, len(entries), _MOST):
            with translated(f"putting events on the bus {self._name}"):
                answer = self._clients.events.put_events(Entries=entries[start : start + _MOST])
            if answer["FailedEntryCount"]:
                codes = sorted({one["ErrorCode"] for one in answer["Entries"] if "ErrorCode" in one})
                msg = f"putting events on the bus {self._name}: {', '.join(codes)}"
                raise UnavailableError(msg)

    def _look(self) -> None:
        """Look once whether there is such a bus: PutEvents answers that all went well where there is none."""
        with translated(f"looking for the bus {self._name}"):
            try:
                self._clients.events.describe_event_bus(Name=self._name)
            except self._clients.events.exceptions.ResourceNotFoundException as error:
                msg = f"there is no bus {self._name}: make it, or set the stack's parameter EventBus"
                raise ConfigError(msg) from error
        self._is_there = True
