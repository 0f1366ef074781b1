"""Who waits for whom, in memory."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class MemoryWorkflows:
    """Implements the `WorkflowStore` port."""

    def __init__(self) -> None:
        """Begin empty."""
        self._children: dict[str, set[str]] = {}
        self._lock = Lock()

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """See `WorkflowStore.add_children`."""
        with self._lock:
            for parent, child in edges:
                self._children.setdefault(parent, set()).add(child)

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """See `WorkflowStore.children`."""
        found = sorted(self._children.get(parent, ()))
        return [child for child in found if after is None or child > after][:limit]
