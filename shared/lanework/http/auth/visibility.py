"""What of jobs the caller of a request reads: an admin all of it, others nothing that a payload keeps private."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from lanework.http.auth.check import CALLER
from lanework.http.auth.tokens import Role
from lanework.http.problems import ProblemError
from lanework.model.job.fingerprint import shape_of
from lanework.model.job.masking import private_values, veiled_error, veiled_log, veiled_record, veiled_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanework.app import App
    from lanework.engine.deadletters.groups import Group
    from lanework.engine.workflows.query import JobResult
    from lanework.http.routing import Routes
    from lanework.model.job.masking import Private
    from lanework.model.lifecycle.states import JobRecord


class Sight:
    """Shows jobs to the caller of the request under way."""

    def __init__(self, routes: Routes, app: App) -> None:
        self._routes = routes
        self._app = app

    @property
    def is_full(self) -> bool:
        """Whether the caller may read payloads, and so whatever quotes them."""
        caller = self._routes.resolver.context.get(CALLER)
        return caller is not None and caller.role.may(Role.ADMIN)

    def record(self, record: JobRecord) -> JobRecord:
        """Return a job as the caller reads it; one whose payload is kept apart costs a read, if there is anything."""
        return record if self.is_full else veiled_record(record, self._private(record, reads=_says_anything(record)))

    def records(self, records: Iterable[JobRecord]) -> tuple[JobRecord, ...]:
        """Return jobs of a list as the caller reads them; where the payload is kept apart, of errors the types."""
        if self.is_full:
            return tuple(records)
        return tuple(veiled_record(one, self._private(one)) for one in records)

    def log(self, record: JobRecord) -> tuple[str, ...]:
        """Return what a job said as the caller reads it."""
        lines = self._app.inspector.log(record.job_id)
        if self.is_full or not lines:
            return lines
        return veiled_log(lines, record, self._private(record, reads=True))

    def results(self, results: Iterable[JobResult]) -> Iterator[JobResult]:
        """Yield what came of jobs, 100 at most, as the caller reads it."""
        found = tuple(results)
        if self.is_full or not found:
            yield from found
            return
        records = self._app.ports.ledger.get_many([one.job_id for one in found])
        for one in found:
            record = records.get(one.job_id)
            private = None if record is None else self._private(record)
            yield replace(
                one,
                result=None if one.result is None else veiled_value(one.result, private),
                omitted=None if one.omitted is None else veiled_error(one.omitted, private),
            )

    def shape(self, group: Group) -> str:
        """Return what the errors of a group have in common, as the caller reads it."""
        return group.shape if self.is_full else shape_of(self.records([group.latest])[0].error or "")

    def check_search(self, error: str | None) -> None:
        """
        Refuse to look for jobs by words of their errors where the caller reads these masked.

        Raises:
            ProblemError: 403.
        """
        if error is not None and not self.is_full:
            detail = "error= searches texts that are masked for your role: it needs the role admin; use fingerprint="
            raise ProblemError(HTTPStatus.FORBIDDEN, "wrong-role", detail)

    def _private(self, record: JobRecord, *, reads: bool = False) -> Private:
        """Return what of a job is private; None if its payload isn't at hand, and isn't to be read."""
        text = record.payload
        if text is None and reads:
            text = self._app.ports.ledger.payload_of(record)
        job_type = self._app.registry.find(record.type)
        return None if text is None else private_values(text, None if job_type is None else job_type.model)


def _says_anything(record: JobRecord) -> bool:
    said = (record.error, record.failures, record.progress_note, record.result, record.result_omitted, record.damage)
    return any(one not in (None, ()) for one in said)
