"""Group commit: conditional writes that threads make at the same time share a call."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.ledger.bulk_writes import STATEMENTS, insertion
from lanework.aws.ledger.item import PAYLOAD
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.aws.ledger.partiql import statement_of
from lanework.forks import in_each_process
from lanework.model.job.ids import SHARDS
from lanework.model.lifecycle.change import Applied, Refused
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from lanework.aws.clients import Clients
    from lanework.model.lifecycle.change import Answer, Change
    from lanework.model.lifecycle.states import JobRecord

_TOGETHER: Final = timedelta(milliseconds=4)
"""How long the first of a group waits at most for those who may join."""

_IN_A_BURST_S: Final = 0.02
"""The same while many threads do the same at the same time: each takes half a millisecond of the interpreter."""

_ENOUGH: Final = 14
"""So many wait for no more while no call is under way, lest the endpoint be idle; ten made 5 % more calls a job."""

_REFUSALS: Final = ("ConditionalCheckFailed", "DuplicateItem")
"""Of a condition that didn't hold, and of an insert whose item exists."""


@dataclass(frozen=True, slots=True)
class Written:
    """The write landed; this is the item after it, None where the statement doesn't return it."""

    item: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Declined:
    """A condition didn't hold; this is the item as it stands, None if there is none, or it isn't known."""

    item: dict[str, Any] | None


@dataclass(slots=True)
class _Group:
    """Writes that go together."""

    statements: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Written | Declined] = field(default_factory=dict)
    may_go: Event = field(default_factory=Event)
    is_done: Event = field(default_factory=Event)


class GroupCommit:
    """
    Sends writes of several threads as one BatchExecuteStatement; each thread waits for its own answer only.

    A thread that is alone writes by itself, at once. Others wait for milliseconds, and no longer than until
    all that could join have; or half of them, 14 at least, while no call is under way.
    """

    def __init__(self, clients: Clients, *, wait: timedelta = _TOGETHER) -> None:
        """Send with these clients; the first of a group waits so long at most for others that are expected."""
        self._clients = clients
        self._wait_s = wait.total_seconds()
        in_each_process(self, GroupCommit._begin)
        self._has_partiql = True

    def _begin(self) -> None:
        self._lock = Lock()
        self._expected = 0
        self._writing = 0
        self._under_way = 0
        self._bursts = 0
        self._open: _Group | None = None

    def expect(self, more: int) -> None:
        with self._lock:
            self._expected += more
            self._go_if_enough_joined()

    @contextmanager
    def burst(self, more: int) -> Iterator[None]:
        """While a block lasts, so many more bursts of writes are on; negative: one that is on has a break."""
        with self._lock:
            self._bursts += more
        try:
            yield
        finally:
            with self._lock:
                self._bursts -= more

    @contextmanager
    def company(self) -> Iterator[bool]:
        """Count a thread as writing while a block lasts; tells it whether others might share its call."""
        with self._lock:
            self._writing += 1
            has_company = self._who_may_join > 1 and self._has_partiql
        try:
            yield has_company
        finally:
            with self._lock:
                self._writing -= 1

    def write(self, key: str, statement: dict[str, Any]) -> Written | Declined | None:
        """
        Send a statement with those of others.

        Args:
            key: Its item; one call writes an item once only.
            statement: As boto takes it. An update has RETURNING ALL NEW, and ALL_OLD where its condition fails.

        Returns:
            What came of it; None if that isn't known, or nothing did: write singly.
        """
        with self._lock:
            group = self._open
            if group is not None and key in group.statements:
                return None
            is_first = group is None
            if group is None:
                group = self._open = _Group()
            group.statements[key] = statement
            self._go_if_enough_joined()
        if is_first:
            self._send(group)
        else:
            group.is_done.wait()
        return group.answers.get(key)

    @property
    def _who_may_join(self) -> int:
        return max(self._expected, self._writing)

    def _go_if_enough_joined(self) -> None:
        """Let the group that is open go, once nobody else can join it, or many have and no call is under way."""
        group = self._open
        if group is None:
            return
        joined, others = len(group.statements), self._who_may_join
        is_worth_it = joined >= max(_ENOUGH, others // 2) and not self._under_way
        if is_worth_it or joined == STATEMENTS or joined + self._under_way >= others:
            self._open = None
            group.may_go.set()

    def _send(self, group: _Group) -> None:
        group.may_go.wait(_IN_A_BURST_S if self._bursts else self._wait_s)
        with self._lock:
            if self._open is group:
                self._open = None
            size = len(group.statements)
            self._under_way += size
        try:
            group.answers = self._answers(group.statements)
        finally:
            with self._lock:
                self._under_way -= size
                self._go_if_enough_joined()
            group.is_done.set()

    def _answers(self, statements: dict[str, Any]) -> dict[str, Written | Declined]:
        """Send them; what isn't in the answer is to be written singly, which is safe also where it has landed."""
        try:
            answer = self._clients.dynamodb.batch_execute_statement(Statements=list(statements.values()))
        except ClientError as error:
            from lanework.aws.errors import is_unknown_to_the_endpoint  # noqa: PLC0415 - for what goes wrong

            if is_unknown_to_the_endpoint(error):  # as with inserts (bulk_writes.py)
                self._has_partiql = False
            return {}
        found = ((key, _answer_of(one)) for key, one in zip(statements, answer["Responses"], strict=True))
        return {key: one for key, one in found if one is not None}


class GroupCommitLedger(DynamoLedger):
    """A ledger whose conditional writes share calls, where threads make them at the same time."""

    def __init__(
        self, clients: Clients, *, stack: str, region: str, index_shards: int = SHARDS, wait: timedelta = _TOGETHER
    ) -> None:
        super().__init__(clients, stack=stack, region=region, index_shards=index_shards)
        self._group = GroupCommit(clients, wait=wait)

    def expect(self, more: int) -> None:
        """Count threads that are about to write, so that their writes may share calls; negative: they have written."""
        self._group.expect(more)

    def burst(self, more: int = 1) -> AbstractContextManager[None]:
        """Wait longer for others while a block lasts, since many write at the same time; -1 within it: not now."""
        return self._group.burst(more)

    def _put_record(self, record: JobRecord, *, is_repeated: bool) -> JobRecord | None:
        """A job that is recorded when it starts is inserted with others' writes; who has its id is asked for singly."""
        if record.state is not State.RUNNING:
            return super()._put_record(record, is_repeated=is_repeated)
        with self._group.company() as has_company:
            if has_company:
                statement = insertion(self._table, self._item_of(record))
                if isinstance(self._group.write(record.job_id, statement), Written):
                    return None
            return super()._put_record(record, is_repeated=is_repeated or has_company)

    def _write(self, job_id: str, change: Change) -> Answer:
        with self._group.company() as has_company:
            answer = self._write_with_others(job_id, change) if has_company else None
            return answer or super()._write(job_id, change)

    def _write_with_others(self, job_id: str, change: Change) -> Answer | None:
        """Return what came of a change; None where that isn't known, and it is to be made singly."""
        statement = statement_of(change, self._model, job_id, self._table)
        if statement is None:
            return None
        match self._group.write(job_id, statement.request):
            case Written(item) if item is not None:
                return Applied(self._record(item))
            case Declined(item) if not statement.is_narrower:
                return Refused(None if item is None else self._record(item))
            case _:
                return None

    def _expire_payload(self, job_id: str, expires_at: datetime | None) -> None:
        with self._group.company() as has_company:
            is_done = (
                has_company
                and expires_at is not None
                and self._group.write(f"{job_id} {PAYLOAD}", self._payloads.expiring(job_id, expires_at)) is not None
            )
            if not is_done:
                super()._expire_payload(job_id, expires_at)


def _answer_of(response: Any) -> Written | Declined | None:  # noqa: ANN401 - boto's response
    error = response.get("Error")
    if error is None:
        return Written(response.get("Item"))
    return Declined(error.get("Item")) if error.get("Code") in _REFUSALS else None
