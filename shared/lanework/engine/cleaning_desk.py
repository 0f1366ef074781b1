"""What an operator does with ended jobs: see how many a cleaning would retire, and retire them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.engine.cleaning import Cleaner
from lanework.engine.registry import Options
from lanework.engine.request import Request
from lanework.engine.system import CLEAN, CleanOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.cleaning import Cleaned, CleanPlan
    from lanework.engine.ports import Ports
    from lanework.engine.receipt import Receipt
    from lanework.engine.registry import Registry
    from lanework.model.retention import Cleaning


class CleaningDesk:
    """Retires ended jobs. A page is retired here and now, more by a job of Lanework's own."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[Any]]) -> None:
        """Take the ports, the job types, and what enqueues."""
        self._registry = registry
        self._enqueue = enqueue
        self._cleaner = Cleaner(ports)

    def plan(self, cleaning: Cleaning) -> CleanPlan:
        """Return what a cleaning would retire; at most 10,000 jobs are counted."""
        return self._cleaner.plan(cleaning)

    def clean(self, plan: CleanPlan, *, between: Callable[[Cleaned], None] = lambda _: None) -> Cleaned | Receipt[Any]:
        """
        Retire the jobs of a plan.

        Args:
            plan: Which.
            between: Called with what became of them so far, where it is done here and now.

        Returns:
            What became of them; or, where they are more than a page, the receipt of the job that does it, which has
            progress and can be cancelled.
        """
        if plan.is_one_page:
            return self._cleaner.retire(plan.chosen, between=between)
        return self.clean_later(plan.cleaning)

    def clean_later(self, cleaning: Cleaning) -> Receipt[Any]:
        """Have jobs retired by a job of Lanework's own, without counting them first."""
        order = CleanOrder(cleanings=(cleaning,))
        return self._enqueue(Request(type=self._registry.get(CLEAN), payload=order, options=Options()))
