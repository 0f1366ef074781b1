"""
Enqueueing jobs that wait for others: what they wait for must exist, and must know of them before it ends.

The order loses nothing: who waits for whom is noted, then the parent is told that somebody does, then the job is
recorded. A parent that ended before it was told counts as it stands; one that ended between that and the record is
found by the look that follows the record, and, should the producer be gone by then, by the reconciler's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lanework.engine.dependencies.cycles import check_circle
from lanework.engine.dependencies.release_dependents import Waiting
from lanework.errors import UnavailableError, UnknownParentError
from lanework.model.lifecycle import dependency_moves
from lanework.model.workflow.dependency import Standing
from lanework.model.workflow.workflow import read_ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanework.engine.enqueue.prepared_job import Order
    from lanework.engine.ports.bundle import Ports

_PAGE: Final = 100


class Parents:
    """Joins jobs on their way in to those that they wait for."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def joined(self, orders: Sequence[Order]) -> list[Order]:
        """
        Note who waits for whom, and return the orders, each of which knows whether others wait for it.

        Raises:
            InvalidOptionError: Jobs wait for each other in a circle.
            UnknownParentError: A job waits for one that doesn't exist. Nothing was enqueued.
            UnavailableError: The parents can't be read or told. Nothing was enqueued.
        """
        waiting = [order for order in orders if order.record.after]
        among = {order.envelope.id for order in orders}
        check_circle({order.envelope.id: order.record.after for order in waiting})
        outside = {parent for order in waiting for parent in order.record.after if parent not in among}
        self._check_known(waiting, outside)
        self._ports.workflows.add_children(
            [(parent, order.envelope.id) for order in waiting for parent in order.record.after]
        )
        for parent in sorted(outside):
            if read_ref(parent) is None:
                self._ports.ledger.change(parent, dependency_moves.attach())
        parents = {parent for order in waiting for parent in order.record.after}
        return [
            replace(order, record=replace(order.record, has_children=True)) if order.envelope.id in parents else order
            for order in orders
        ]

    def look(self, orders: Iterable[Order], repeated: set[str]) -> None:
        """
        Look at the jobs that were recorded, whose parents may have ended meanwhile.

        Args:
            orders: What was enqueued.
            repeated: Ids of these that existed before, and so may not know that others wait for them.
        """
        among = {order.envelope.id for order in orders} - repeated
        late = [order.envelope.id for order in orders if not among.issuperset(order.record.after)]
        try:
            for parent in sorted({one for order in orders for one in order.record.after if one in repeated}):
                self._ports.ledger.change(parent, dependency_moves.attach())
            for start in range(0, len(late), _PAGE):
                Waiting(self._ports).look(late[start : start + _PAGE])
        except UnavailableError:
            return  # they are recorded, with an entry: the reconciler looks at them

    def _check_known(self, waiting: Sequence[Order], outside: set[str]) -> None:
        facts = Waiting(self._ports).facts(outside)
        for order in waiting:
            unknown = [one for one in order.record.after if one in facts and facts[one].standing is Standing.GONE]
            if unknown:
                raise UnknownParentError(order.envelope.id, unknown)
