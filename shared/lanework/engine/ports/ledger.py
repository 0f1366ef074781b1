"""The ledger: one item per job, each write under a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.engine.ports.index_keys import EntryKey, JobKey, Page, Summary
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.model.job.guard_items import GuardItem, GuardWrite
    from lanework.model.lifecycle.change import Answer, Change, StepExists
    from lanework.model.lifecycle.states import JobRecord


class Ledger(Protocol):
    """One item per job. Every write carries a condition; none replaces a whole item."""

    def put(self, record: JobRecord) -> JobRecord | None:
        """
        Record a new job. Return None if that happened, or the record that already has the id.

        A record that has expired and was not removed yet gives its id up. A payload that lies beside the record is
        written before it, so that no record is without; should only that have happened, the id is free (rule 16).

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def put_many(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        """Record new jobs with different ids; one answer for each, as `put` gives it."""

    def marks(self, names: Sequence[str]) -> dict[str, GuardItem]:
        """Return the marks that exist, as of now (a consistent read); at most 100 names."""

    def put_guarded(
        self, record: JobRecord, markings: Sequence[GuardWrite], items: TransactionItems | None = None
    ) -> JobRecord | None:
        """
        Record a new job, write its guards' marks and the caller's items, all of it or nothing. Answers as `put` does.

        Raises:
            ContendedError: A mark isn't as it was read, or is being written.
            ItemConditionError: A condition of the caller's items didn't hold.
            UnavailableError: Whether it was written is not known.
        """

    def change(self, job_id: str, change: Change) -> Answer:
        """
        Write, if the conditions hold of the stored item.

        A refusal by a record that shows this very change is `Applied`: it landed, and its answer was lost (rule 17).

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def change_and_keep(self, job_id: str, change: Change, *, step: str, text: str) -> Answer | StepExists:
        """
        Write, and keep what a step left, both or neither: neither if that step has left something before.

        Raises:
            UnavailableError: Whether it was written is not known.
        """

    def get(self, job_id: str) -> JobRecord | None:
        """Return the record as of now (a consistent read), its payload included, or None."""

    def get_many(self, job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:
        """
        Return the records that exist, without payloads that are kept apart: 100 a call.

        Args:
            job_ids: Which.
            consistent: As of now, for twice the price; otherwise as of a moment ago.
        """

    def payload_of(self, record: JobRecord) -> str | None:
        """
        Return the job's payload, wherever it is kept.

        None if what lies beside the record is missing: `put_back` mends it.
        """

    def put_back(self, job_id: str, payload: str) -> bool:
        """
        See that a payload which lies beside its job's record is there: put this one if none is; tell whether it did.

        Costs a read where it is there, as it ought to be.

        Raises:
            UnavailableError: Whether it is there is not known.
        """

    def clear_beside(self, job_id: str) -> None:
        """Delete what is kept beside a job: a payload of its own, its lines and its steps. Repeating it is safe."""

    def due(self, shard: int, *, until: datetime, limit: int, after: str | None = None) -> Page[EntryKey]:
        """
        Return a shard's jobs whose sweep entry is due by then, soonest first; at most `limit`.

        Args:
            shard: Which.
            until: By when.
            limit: Most of a page.
            after: Cursor of the page before: what it returned is passed over, though its entries may have moved since.
        """

    def held(self, name: str, shard: int, *, limit: int, until: datetime | None = None) -> list[str]:
        """Return the ids of a shard's jobs that are held under a name, by the time of their entry; at most `limit`."""

    def step(self, job_id: str, name: str) -> str | None:
        """Return what a job's step left, as JSON text, or None."""

    def keep_step(self, job_id: str, name: str, result: str) -> None:
        """Keep what a job's step left."""

    def keep_first(self, job_id: str, name: str, result: str) -> str:
        """Keep what a job's step left, unless it has left something before; return what is kept."""

    def add_log(self, job_id: str, claim_id: str, *, at: datetime, lines: Sequence[str]) -> None:
        """Keep the lines of one attempt beside its job."""

    def log_of(self, job_id: str) -> tuple[str, ...]:
        """Return a job's lines, all attempts, oldest first."""

    def recent(
        self, *, day: str, before: str | None, limit: int, keep: Callable[[JobKey], bool] | None = None
    ) -> Page[JobKey]:
        """
        Return jobs that were enqueued on a day (UTC, as `2026-11-22`), newest first.

        Args:
            day: The day.
            before: Cursor of the page before, or None for the newest.
            limit: Most keys to return.
            keep: Filter over the keys; what it refuses costs no read of an item.

        Returns:
            A page, from one query of each shard. With a filter it may be short, even empty, and still have a cursor:
            a query looks at 1,000 keys.
        """

    def enqueued(self, *, day: str, after: str, until: datetime) -> Page[JobKey]:
        """
        Return jobs that were enqueued on a day, oldest first.

        Args:
            day: The day (UTC).
            after: Cursor of the page before, or a moment: what was enqueued then or later.
            until: What was enqueued earlier than this.

        Returns:
            Up to 1,000 of each shard, in one query of each; no cursor if these are all.
        """

    def summaries(self, job_ids: Sequence[str]) -> list[Summary]:
        """Return what is known of jobs that exist, as of a moment ago: 100 a call, each for half a read unit."""

    def dead(
        self, *, before: str | None, limit: int, since: datetime | None = None, until: datetime | None = None
    ) -> Page[EntryKey]:
        """
        Return dead jobs, the latest death first. The index may lag: a job that was just redriven may still be in it.

        Args:
            before: Cursor of the page before, or None for the newest.
            limit: Most keys to return.
            since: Only jobs that died then or later.
            until: Only jobs that died earlier than this.
        """


@dataclass(frozen=True, slots=True)
class UnavailableOne:
    """The answer for one of many: its service was not available, and whether it was written is not known."""

    reason: str
