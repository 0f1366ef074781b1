"""What the contract is held against: the ports of memory or AWS, and what a consumer does beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lanework.engine.ports.bundle import Ports
from lanework.engine.ports.ledger import Ledger
from lanework.model.lanes import Lane


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a consumer received it."""

    handle: str
    body: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Backend:
    """
    Ports, and what a consumer does beside them.

    Attributes:
        stack: The stack's name; memory has none.
        endpoint: Where AWS is; memory has none.
    """

    name: str
    ports: Ports
    receive: Callable[[Lane], Message | None]
    dead: Callable[[Lane], list[Message]]
    stack: str = ""
    endpoint: str = ""


def ids_due(ledger: Ledger, shard: int, *, until: datetime, limit: int) -> list[str]:
    """Return the first jobs of the sweep index that are due."""
    return [one.job_id for one in ledger.due(shard, until=until, limit=limit).keys]
