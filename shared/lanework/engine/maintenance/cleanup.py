"""
Retiring ended jobs before their records expire: by count, by age, or both.

Retiring strips and hides, and deletes no record early: the id stays used for as long as a message of the job may exist.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.deadletters.query import DeadJobs
from lanework.engine.deadletters.redrive import Redriver, RedriveResult
from lanework.engine.jobtypes.builtin import CLEAN, CleanupPayload
from lanework.engine.jobtypes.request import request_of
from lanework.engine.queries.recent import recent_pages
from lanework.model.events import Action
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle import retention
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.retention import Cleaning, beyond
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey
    from lanework.model.lifecycle.states import JobRecord

PAGE: Final = 100
"""Jobs that are read together; also the most that a command retires itself."""

BATCH: Final = 10_000
"""Most jobs that are chosen before they are retired; the next walk chooses what is beyond them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A job to retire, as it was read: the life it ended in, and how."""

    job_id: str
    life: int
    state: State

    def is_as_read(self, record: JobRecord) -> bool:
        """Tell whether the job still stands as it was chosen."""
        return (record.life, record.state, record.retired) == (self.life, self.state, False)


@dataclass(slots=True, kw_only=True)
class Cleaned:
    """How many of the chosen jobs were retired; `passed_over` are no longer as they were chosen, such as redriven."""

    retired: int = 0
    passed_over: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanPlan:
    """
    What a cleaning would retire; making it changes nothing.

    Attributes:
        chosen: The first of the jobs, at most a page, the newest first.
        count: How many they are; at most 10,000 are counted.
        is_counted: Whether `count` is all of them.
        types: How many of each job type, the most frequent first.
    """

    cleaning: Cleaning
    chosen: tuple[Chosen, ...]
    count: int
    is_counted: bool
    types: Mapping[str, int]

    @property
    def is_one_page(self) -> bool:
        """Whether `chosen` are all of them."""
        return self.count == len(self.chosen)


class Cleaner:
    """
    Chooses ended jobs and retires them.

    Completed and cancelled jobs are found by walking the index of recent jobs, 15 days back. That reads the keys of all
    jobs (about 0.2 KB each, 40 of them a read unit), and the items of those only that are of the queues asked for and
    not retired yet. Dead jobs are found in their own index, each a read of an item. What was enqueued over 15 days ago
    is in no list and isn't found here: it expires by age.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._redriver = Redriver(ports)

    def plan(self, cleaning: Cleaning) -> CleanPlan:
        """Return what a cleaning would retire."""
        found = list(islice(self._beyond((cleaning,)), BATCH))
        return CleanPlan(
            cleaning=cleaning,
            chosen=tuple(map(_chosen, found[:PAGE])),
            count=len(found),
            is_counted=len(found) < BATCH,
            types=dict(Counter(record.type for record in found).most_common()),
        )

    def choose(self, cleanings: Sequence[Cleaning]) -> list[Chosen]:
        """Return the next jobs to retire, at most 10,000; fewer are all that there are."""
        return [_chosen(record) for record in islice(self._beyond(cleanings), BATCH)]

    def retire(self, chosen: Sequence[Chosen], *, between: Callable[[Cleaned], None] = lambda _: None) -> Cleaned:
        """
        Retire jobs that still stand as they were chosen; a repetition after a crash goes on with what is left.

        `between` is called after each job; it raises to interrupt.
        """
        cleaned = Cleaned()
        for start in range(0, len(chosen), PAGE):
            page = chosen[start : start + PAGE]
            records = self._ports.ledger.get_many([one.job_id for one in page])
            for one in page:
                record = records.get(one.job_id)
                if record is not None and one.is_as_read(record) and self._retire(record):
                    cleaned.retired += 1
                else:
                    cleaned.passed_over += 1
                between(cleaned)
        return cleaned

    def _retire(self, record: JobRecord) -> bool:
        """
        Drop the job if it is dead, then clear what lies beside it, then its own item, which takes it off the lists.

        In this order: a job that a crash leaves half stripped is found again, and one that was redriven meanwhile keeps
        its payload. Only a dead one that was dropped and not yet stripped is left as cancelled, until it expires.
        """
        if record.state is State.DEAD and self._redriver.drop(record) is not RedriveResult.DROPPED:
            return False
        self._ports.ledger.clear_beside(record.job_id)
        answer = self._ports.ledger.change(record.job_id, retention.retire(record))
        if not isinstance(answer, Applied):
            return answer.record is not None and answer.record.retired  # it had landed, its answer lost
        self._ports.emit(Action.JOB_RETIRED, answer.record)
        return True

    def _beyond(self, cleanings: Sequence[Cleaning]) -> Iterator[JobRecord]:
        dead = [one for one in cleanings if one.state is State.DEAD]
        others = [one for one in cleanings if one.state is not State.DEAD]
        if others:
            yield from beyond(self._recent(others), others)
        if dead:
            queues = {one.queue for one in dead}
            yield from beyond(
                DeadJobs(self._ports).matching(DeadFilter(queue=queues.pop() if len(queues) == 1 else None)), dead
            )

    def _recent(self, cleanings: Iterable[Cleaning]) -> Iterator[JobRecord]:
        """Yield the jobs of the queues that are asked for, the newest first."""
        queues = {one.queue for one in cleanings}

        def keep(key: JobKey) -> bool:
            return None in queues or key.queue in queues

        for page in recent_pages(self._ports, keep=keep):
            yield from page.jobs


def _chosen(record: JobRecord) -> Chosen:
    return Chosen(job_id=record.job_id, life=record.life, state=record.state)


class Cleanups(Cleaner):
    """Retires ended jobs for operators: a page here and now, more by a job of Lanework's own."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[Any]]) -> None:
        super().__init__(ports)
        self._registry = registry
        self._enqueue = enqueue

    def clean(self, plan: CleanPlan, *, between: Callable[[Cleaned], None] = lambda _: None) -> Cleaned | Receipt[Any]:
        """
        Retire the jobs of a plan: now if they are at most a page, otherwise by a job of Lanework's own.

        Returns:
            What became of them, which `between` is called with after each; or the receipt of the job that does it,
            which has progress and can be cancelled.
        """
        if plan.is_one_page:
            return self.retire(plan.chosen, between=between)
        return self.clean_later(plan.cleaning)

    def clean_later(self, cleaning: Cleaning) -> Receipt[Any]:
        """Have jobs retired by a job of Lanework's own, without counting them first."""
        payload = CleanupPayload(cleanings=(cleaning,))
        return self._enqueue(request_of(self._registry.get(CLEAN), payload, {}))
