"""What jobs that wait for jobs need from outside, as a protocol: `aws/` and `memory/` provide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkflowStore(Protocol):
    """Who waits for whom."""

    def add_children(self, edges: Sequence[tuple[str, str]]) -> None:
        """
        Note, for each pair of what is waited for and a job, that the one waits for the other. Repeating it is safe.

        Raises:
            UnavailableError: Some may not be noted.
        """

    def children(self, parent: str, *, after: str | None, limit: int) -> list[str]:
        """Return the ids of jobs that wait for this, in their order, those after `after` (a consistent read)."""
