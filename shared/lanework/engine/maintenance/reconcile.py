"""What the clock makes good beside the sweep: what lies in dead-letter queues, and jobs that nothing carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.dependencies.release_dependents import Waiting
from lanework.engine.messaging.message_events import Apart, report_fault
from lanework.engine.webhooks.notify import notify_pending
from lanework.engine.workflows.repair import WorkflowRepair
from lanework.errors import LaneworkError
from lanework.model.events import Action
from lanework.model.lanes import QUEUE_RETENTION
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

_AUDITED_AFTER: Final = QUEUE_RETENTION - timedelta(days=1)
_AUDIT_PAGE: Final = 100
_AUDIT_PAGES: Final = 20
"""Of a tick: 2,000 jobs a minute, so that a day of 2.8 million is audited in a day."""

_AUDIT: Final = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """
    What a tick did.

    Attributes:
        letters: Messages that SQS had moved to a dead-letter queue and that were dealt with.
        tickets: Tickets that were removed from one, since their job is dead no more.
        notified: Deaths whose webhook was sent, since the process that recorded them had not.
        unblocked: Jobs that waited for others and wait no longer: a crash had left them.
        stranded: Of the audited jobs, those that nothing carried, now entered for the sweep.
        refused: Why some of it could not be done; the rest was.
    """

    letters: int
    tickets: int
    notified: int
    unblocked: int
    audited: int
    stranded: int
    refused: tuple[Exception, ...] = ()


class Reconciler:
    """Looks through the dead-letter queues, and audits each job once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._audited = self._stranded = 0

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Reconciled:
        """Look through each lane's dead letters and at a page of jobs; what is refused keeps none of the rest."""
        from lanework.engine.deadletters.dlq_scan import DlqScan  # noqa: PLC0415 - a schedule's fire needs none of it

        looked = DlqScan(self._ports).tick(has_time=has_time)
        refused: list[Exception] = [*looked.refused]

        def counted(part: Callable[[], int]) -> int:
            try:
                return part()
            except Exception as error:  # noqa: BLE001 - the other parts do their work first
                refused.append(error)
                if not isinstance(error, LaneworkError):
                    report_fault("a part of the reconciler failed", error, self._ports)
                return 0

        unblocked = counted(lambda: WorkflowRepair(self._ports).tick(has_time=has_time))
        unblocked += counted(lambda: Waiting(self._ports).tick(has_time=has_time))
        notified = counted(lambda: notify_pending(self._ports, has_time=has_time))
        self._audited = self._stranded = 0
        for _ in range(_AUDIT_PAGES):
            if not (has_time() and counted(self._audit)):
                break
        return Reconciled(
            letters=looked.moved,
            tickets=looked.removed,
            notified=notified,
            unblocked=unblocked,
            audited=self._audited,
            stranded=self._stranded,
            refused=tuple(refused),
        )

    def _audit(self) -> int:
        """
        Look at a page of jobs, each once, a day before its message would be gone; return how many.

        What nothing carries is entered for the sweep (rule 15).
        """
        today = (self._ports.clock() - _AUDITED_AFTER).date().isoformat()
        day, _, before = (self._ports.flags.bookmark(_AUDIT) or "").partition("|")
        if day != today:
            day, before = today, ""
        if before == "done":
            return 0
        page = self._ports.ledger.recent(day=day, before=before or None, limit=_AUDIT_PAGE)
        records = self._ports.ledger.get_many([key.job_id for key in page.keys])
        apart = Apart(self._ports)
        for record in records.values():
            with apart.each(f"job {record.job_id}"):
                self._stranded += self._rescue(record)
        apart.raise_first()
        self._ports.flags.set_bookmark(_AUDIT, f"{day}|{page.cursor or 'done'}")
        self._audited += len(page.keys)
        return len(page.keys)

    def _rescue(self, record: JobRecord) -> bool:
        if record.due_at is None or record.sweep_at is not None:
            return False
        now = self._ports.clock()
        answer = self._ports.ledger.change(record.job_id, operator_moves.enter(record, at=max(now, record.due_at)))
        if isinstance(answer, Applied):
            self._ports.emit(Action.JOB_SEND_DEFERRED, record, reason="found by the audit: it may have no message")
        return isinstance(answer, Applied)
