"""
Letting jobs go that wait for others.

There is one way to do it: read how the parents stand, and write what follows, on the condition that the job still waits
for what it was seen to wait for. The end of a parent does it for its children; the reconciler does it for every waiting
job, at growing intervals, so that what a crash left undone is done; and enqueue does it once the job is recorded, so
that a parent which ended meanwhile is not missed. All of it may be repeated, and done by many at once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.dependencies.workflow_progress import Shards
from lanework.engine.dlq_messages.tickets import send_to_dlq
from lanework.engine.jobtypes.builtin import RELEASE
from lanework.engine.messaging.message_events import report_fault
from lanework.engine.messaging.resend import dispatch_recorded, readable
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import ConfigError, LaneworkError, UnavailableError, UndecodableError, UnsendableError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import QUEUE_OF_OURS, SHARDS
from lanework.model.lanes import LANES, Lane, nearest_lane
from lanework.model.lifecycle import dependency_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.dependency_moves import BLOCKED, NOTIFICATION_PENDING, notified, with_pending_notification
from lanework.model.lifecycle.states import ENDED, Cause, State
from lanework.model.workflow.dependency import GONE, Moment, fact_of, step_of
from lanework.model.workflow.workflow import misunderstood, read_ref, workflow_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lanework.engine.dependencies.workflow_progress import Released
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.change import Change
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.workflow.dependency import Fact

MOST_AT_ONCE: Final = 25
"""How many jobs the end of a run lets go itself, at three calls each: it has two seconds."""

_PAGE: Final = 100
_ROUNDS: Final = 60
"""How often a job is tried whose parents end one after the other: it may have 50."""


_WHY: Final = ("what it waits for has not completed", "it can't take the result of what it waited for")
"""Why a waiting job died. Its error says more, and may quote that of another job, which no log line may."""


class Waiting:
    """Looks at waiting jobs, and lets go what may go."""

    def __init__(self, ports: Ports, *, most: int | None = None) -> None:
        """Take the ports; `most`: how many jobs `release` moves itself, leaving the rest to a job of Lanework's own."""
        self._ports = ports
        self._most = most
        self._moved = 0
        self._ended: list[JobRecord] = []
        self._released: Released = []
        self._shards = Shards(ports)

    def facts(self, parents: Iterable[str]) -> dict[str, Fact]:
        """Return how parents stand, as of now."""
        wanted = sorted(set(parents))
        found: dict[str, Fact] = dict.fromkeys(wanted, GONE)
        jobs = [one for one in wanted if read_ref(one) is None]
        records = self._ports.ledger.get_many(jobs, consistent=True)
        found |= {job_id: fact_of(record) for job_id, record in records.items()}
        refs = {one: ref for one in wanted if (ref := read_ref(one)) is not None}
        workflows = {workflow_id: self._ports.workflows.get(workflow_id) for workflow_id, _ in refs.values()}
        now = self._ports.clock()
        return found | {one: workflow_fact(workflows[ref[0]], ref[1], now) for one, ref in refs.items()}

    def look(self, children: Sequence[str]) -> int:
        """
        Do for jobs what follows from how their parents stand, and for those that wait for them; return how many moved.

        Those that don't wait are left alone. UnavailableError: not all could be looked at; repeat it.
        """
        waiting = self._waiting(children)
        facts = self.facts(parent for one in waiting for parent in one.open_parents)
        for one in waiting:
            self._try(one, facts)
        return self._follow_ends()

    def follow(self, ended: JobRecord) -> int:
        """Do what follows from a job's end, for its workflow and for all that wait for it; return how many moved."""
        self._ended.append(ended)
        return self._follow_ends()

    def release(self, released: Released, *, has_time: Callable[[], bool] = lambda: True) -> int:
        """
        Do what follows for all that wait for something that has happened, and for those that wait for them.

        Returns how many moved. Those that had moved before are passed over, so it may be repeated.
        """
        self._released += released
        return self._follow_ends(has_time)

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> int:
        """Look at the waiting jobs whose time has come; return how many moved."""
        for shard in range(SHARDS):
            while has_time() and (due := self._due(shard)):
                self._mend(due)
                facts = self.facts(parent for one in due for parent in one.open_parents)
                moved = [self._try(one, facts) or self._push_on(one) for one in due]
                if not any(moved):  # another tick has them, or the index lags behind the items
                    break
        return self._follow_ends(has_time)

    def _mend(self, due: Sequence[JobRecord]) -> None:
        """Let workflows that these wait for go on without parts that were never made."""
        refs = {ref[0] for one in due for parent in one.open_parents if (ref := read_ref(parent)) is not None}
        for found in map(self._ports.workflows.get, sorted(refs)):
            if found is not None:
                self._released += self._shards.mend(found)

    def _follow_ends(self, has_time: Callable[[], bool] = lambda: True) -> int:
        """Go on to those that wait for what has ended, level by level: a long chain is no deep call."""
        while (self._ended or self._released) and has_time():
            if self._ended:
                self._record_end(self._ended.pop())
            else:
                self._let_go(*self._released.pop(), has_time=has_time)
        return self._moved

    def _record_end(self, ended: JobRecord) -> None:
        try:
            self._released += self._shards.record_end(ended)
        except (UnavailableError, ConfigError):
            raise
        except Exception as error:  # noqa: BLE001 - it lies in the workflow's items; who waits for the job is let go
            report_fault(f"recording an end in workflow {ended.workflow}", error, self._ports)
        if ended.has_children:
            self._released.append((ended.job_id, fact_of(ended)))

    def _let_go(self, parent: str, fact: Fact, *, has_time: Callable[[], bool]) -> None:
        after: str | None = None
        while children := self._ports.workflows.children(parent, after=after, limit=_PAGE):
            if self._most is not None and self._moved + len(children) > self._most:
                _release_later(parent, self._ports)
                return
            for one in self._waiting(children):
                self._try(one, {parent: fact})
            after = children[-1]
            if not has_time():
                return

    def _waiting(self, children: Sequence[str]) -> list[JobRecord]:
        records = self._ports.ledger.get_many(children, consistent=True)
        waiting = [one for one in readable(records.values(), self._ports) if one.state is State.BLOCKED]
        return [one for one in waiting if self._is_understood(one)]

    def _is_understood(self, child: JobRecord) -> bool:
        """Tell whether this code knows what a job waits for; one of a later release is put off, and reported."""
        problem = misunderstood(child)
        if problem is not None:
            self._ports.emit(Action.JOB_UNREADABLE, child, cause=child.cause, reason=problem)
            self._push_on(child)
        return problem is None

    def _due(self, shard: int) -> list[JobRecord]:
        now = self._ports.clock()
        ids = self._ports.ledger.held(BLOCKED, shard, limit=_PAGE, until=now)
        return [one for one in self._waiting(ids) if one.sweep_at is not None and one.sweep_at <= now]

    def _push_on(self, child: JobRecord) -> bool:
        change = dependency_moves.wait_on(child, now=self._ports.clock())
        return isinstance(self._ports.ledger.change(child.job_id, change), Applied)

    def _try(self, child: JobRecord, facts: Mapping[str, Fact]) -> bool:
        """Make the moves that follow for one job; what goes wrong with it alone stops none of the others."""
        try:
            return self._move(child, facts)
        except (UnavailableError, ConfigError):
            raise  # the others would meet the same
        except Exception as error:  # noqa: BLE001 - it lies in this job
            report_fault(f"job {child.job_id} was left waiting", error, self._ports)
            return False

    def _move(self, child: JobRecord, facts: Mapping[str, Fact]) -> bool:
        """Make the moves that follow for one job; return whether it waits no longer."""
        for _ in range(_ROUNDS):
            change = self._next(child, facts)
            if change is None:
                return False
            if change.write.get("state") is State.DEAD:
                self._send_to_dlq(child, change)
                if self._ports.webhooks.address_of(child) is not None:
                    change = with_pending_notification(change, now=self._ports.clock())
            answer = self._ports.ledger.change(child.job_id, self._ports.ending(change))
            if answer.record is None:
                return True
            if answer.record.state is not State.BLOCKED:
                if isinstance(answer, Applied):
                    self._follow(answer.record, change)
                return True  # else somebody was faster
            child = answer.record
        return False

    def _next(self, child: JobRecord, facts: Mapping[str, Fact]) -> Change | None:
        now = self._ports.clock()
        if child.takes is not None and child.payload is None:
            child = replace(child, payload=self._ports.ledger.payload_of(child))
        expires_at = run_moves.expiry(now=now, ever_died=True)
        return step_of(child, facts, Moment(now=now, look_ahead=self._ports.look_ahead, expires_at=expires_at))

    def _send_to_dlq(self, child: JobRecord, death: Change) -> None:
        """Send a ticket before the job is dead: no message would repeat this. A ticket of a living job is dropped."""
        payload = child.payload or self._ports.ledger.payload_of(child) or "{}"
        cause, error = str(death.write["cause"]), str(death.write["error"])
        with suppress(UnsendableError, UndecodableError):  # a redrive by its record needs no ticket
            ticket = Envelope.of(child, payload).as_ticket(life=child.life + 1)
            send_to_dlq(self._ports.lanes, child.lane, ticket.encode(), cause=cause, error=error)

    def _follow(self, child: JobRecord, change: Change) -> None:
        """Send a job that was let go; note one that ended, for those that wait for it."""
        self._moved += 1
        if child.state in ENDED and child.has_followers:
            self._ended.append(child)
        if child.state is State.CANCELLED:
            self._ports.emit(
                Action.JOB_CANCELLED, child, cause=child.cause, reason="a job that it waits for didn't complete"
            )
        elif child.state is State.DEAD:
            self._ports.emit(Action.JOB_DEAD, child, cause=child.cause, reason=_WHY[child.cause is Cause.INVALID])
        else:
            written: Any = change.write.get("payload")
            payload = written or child.payload or self._ports.ledger.payload_of(child)
            failed: str | None = None
            if child.state is not State.SCHEDULED and payload is not None:
                failed = dispatch_recorded(child, payload, self._ports)
            self._ports.emit(Action.JOB_UNBLOCKED, child, cause=child.cause, reason=failed)
        if child.held_by == NOTIFICATION_PENDING:
            notify_without_message(child, self._ports)


def notify_without_message(dead: JobRecord, ports: Ports) -> None:
    """Notify of a death that no message carries; what fails now is left to the clock."""
    try:
        ports.notify(dead)
        ports.ledger.change(dead.job_id, notified(dead))
    except UnavailableError as error:
        ports.emit(Action.RUN_WRITE_FAILED, dead, cause=dead.cause, reason=f"sending its webhook: {error}")


def follow_up(ended: JobRecord, ports: Ports) -> None:
    """
    Do what follows from a job's end for others. Never raises: the reconciler makes up for it.

    Whoever ends a job calls it, once that is recorded. A job whose end matters to nobody else costs nothing.
    """
    if not ended.has_followers:
        return
    try:
        Waiting(ports, most=MOST_AT_ONCE).follow(ended)
    except LaneworkError as error:  # without a permission, too: the end is recorded, and stands
        ports.emit(Action.RUN_WRITE_FAILED, ended, reason=f"follow-up of its end: {error}")
    except Exception as error:  # noqa: BLE001 - whatever others hold, the end stands
        report_fault(f"follow-up of the end of job {ended.job_id}", error, ports)


def _release_later(parent: str, ports: Ports) -> None:
    """Have a job of Lanework's own let go what waits for a parent: more than the end of a run has time for."""
    envelope = Envelope(
        id=ports.new_id(),
        type=RELEASE,
        queue=QUEUE_OF_OURS,
        lane=nearest_lane(Lane.HIGH, ports.stack_lanes),
        payload=json.dumps({"parent": parent}),
        attempts=LANES[Lane.HIGH].attempts,
        backoff=timedelta(seconds=2),
        created_at=ports.clock(),
        nonce=ports.new_nonce(),
    )
    ports.ledger.put(run_moves.new_record(envelope))
    ports.lanes.send(envelope.lane, OutgoingMessage.of(envelope))
