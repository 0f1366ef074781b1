"""What of jobs the caller of a request reads: an admin all of it, others nothing that a payload keeps private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.http.auth.check import CALLER
from lanework.http.auth.tokens import Role
from lanework.model.job.masking import private_values, veiled, veiled_error, veiled_record, veiled_value
from lanework.model.job.validation_errors import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanework.app import App
    from lanework.http.routing import Routes
    from lanework.model.lifecycle.states import JobRecord


class Sight:
    """Shows jobs to the caller of the request under way."""

    def __init__(self, routes: Routes, app: App) -> None:
        """Take what knows the caller, and what knows the jobs' types."""
        self._routes = routes
        self._app = app

    @property
    def is_full(self) -> bool:
        """Whether the caller may read payloads, and so whatever quotes them."""
        caller = self._routes.resolver.context.get(CALLER)
        return caller is not None and caller.role.may(Role.ADMIN)

    def record(self, record: JobRecord) -> JobRecord:
        """Return a job as the caller reads it; one whose payload is kept apart costs a read, if there is anything."""
        return record if self.is_full else veiled_record(record, self._private(record))

    def records(self, records: Iterable[JobRecord]) -> tuple[JobRecord, ...]:
        """Return jobs of a list as the caller reads them; where the payload is kept apart, of errors the types."""
        if self.is_full:
            return tuple(records)
        return tuple(veiled_record(one, None if one.payload is None else self._private(one)) for one in records)

    def log(self, record: JobRecord) -> tuple[str, ...]:
        """Return what a job said as the caller reads it; an entry of several lines tells of an error."""
        lines = self._app.inspector.log(record.job_id)
        if self.is_full or not lines:
            return lines
        private = self._private(record)
        return tuple(veiled_error(one, private) if "\n" in one else veiled(one, private) for one in lines)

    def value(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Return a result whose job's payload isn't at hand."""
        return value if self.is_full else veiled_value(value, ())

    def error(self, text: str, record: JobRecord) -> str:
        """Return what was made of a job's error."""
        if self.is_full:
            return text
        return (
            f"{record.error_type or 'an error'}: {MASK}"
            if record.payload is None
            else veiled_error(text, self._private(record))
        )

    def _private(self, record: JobRecord) -> tuple[str, ...]:
        says = record.error or record.failures or record.result or record.result_omitted or record.progress_note
        text = record.payload
        if text is None and says is not None:
            text = self._app.ports.ledger.payload_of(record)
        job_type = self._app.registry.find(record.type)
        return () if text is None else private_values(text, None if job_type is None else job_type.model)
