"""A row of an outbox: what a request is written as, and read back from. Knows no database."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from lanework.engine.enqueue.prepared_job import prepare
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.errors import InvalidOptionError, UndecodableError
from lanework.model.lanes import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.app import App
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.request import Request

TABLE: Final = "lanework_outbox"
"""The table's name, unless the application has another."""

GRACE: Final = timedelta(seconds=30)
"""How long a row is left to whoever has written it: a relay that was faster would do the same work once more."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AS_THEY_ARE: Final = ("job_id", "run_at", "start_by", "tenant", "after", "on_failure")


class StoredOptions(BaseModel):
    """What a caller has said of a job, in absolute times; what isn't set is the type's to say when the job is sent."""

    model_config = ConfigDict(extra="forbid")

    job_id: str
    lane: str | None = None
    attempts: int | None = None
    backoff: timedelta | None = None
    timeout: timedelta | None = None
    webhook: str | None = None
    run_at: datetime | None = None
    start_by: datetime | None = None
    tenant: str | None = None
    unique_for: timedelta | None = None
    after: list[str] | None = None
    on_failure: str | None = None


class StoredRequest(BaseModel):
    """
    A request as a row holds it.

    Attributes:
        payload: JSON text.
        version: Version of the payload, as the type that wrote it has it.
        queue: The job's queue, where it isn't the type's.
    """

    model_config = ConfigDict(extra="forbid")

    type: str
    payload: str
    version: int = 1
    queue: str | None = None
    headers: dict[str, str] = {}
    options: StoredOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A row, with the names of the table's columns.

    Attributes:
        id: Of the row; the ids of rows sort by the time at which they were written.
        job_id: The id under which the job is enqueued, however often that is tried.
        request: A `StoredRequest` as JSON.
        created_ms: When it was written, in milliseconds since 1970.
        due_ms: From when a relay may send it.
        failures: How often a relay couldn't.
        reason: Why it couldn't.
    """

    id: str
    job_id: str
    job_type: str
    request: str
    created_ms: int
    due_ms: int
    failures: int = 0
    reason: str | None = None


class Rows(Protocol):
    """Where rows are kept, as a relay sees it: each call is a transaction of its own."""

    def claim(self, *, now_ms: int, until_ms: int, token: str, most: int) -> Sequence[Row]:
        """Return rows that are due, oldest first; nobody else gets them until then."""

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows that were sent."""

    def postpone(self, rows: Sequence[Row], *, token: str) -> None:
        """Keep rows that couldn't be sent, with new times, failures and reasons, unless they were claimed anew."""


def with_id(request: Request, app: App) -> Request:
    """
    Return a request as it is written: under an id, its times absolute.

    Raises:
        InvalidOptionError: It can't be kept in a table.
    """
    for name, is_said, why in (
        ("debounce", request.debounce is not None, "a row may be sent twice, which would begin its window anew"),
        ("fallback", request.runs_inline, "a row is kept until it can be sent"),
        ("link", request.takes is not None, "the job before it has its result"),
    ):
        if is_said:
            msg = f"{name} can't be used in an outbox, since {why}: leave it out, or enqueue after the commit"
            raise InvalidOptionError(msg)
    now = app.ports.clock()
    by = request.start_by
    return replace(
        request,
        job_id=request.job_id or app.ports.new_id(),
        delay=None,
        run_at=now + request.delay if request.delay else request.run_at,
        start_by=now + by if isinstance(by, timedelta) else by,
    )


def row_of(request: Request, app: App) -> Row:
    """
    Return the row of a request that has an id; all that an enqueue would refuse is refused now.

    Raises:
        InvalidPayloadError, TooLargeError, InvalidOptionError, LaneLeftOutError: As in `Job.enqueue`.
    """
    ports = app.ports
    ports.check_lane(request.policy.lane)
    now = ports.clock()
    job = prepare(request, now=now, new_id=ports.new_id, look_ahead=ports.look_ahead)
    stored = StoredRequest(
        type=request.type.name,
        payload=job.envelope.payload,
        version=request.type.version,
        headers=dict(request.headers),
        options=StoredOptions(**_said(request)),
    )
    declared = app.registry.find(request.type.name)
    if declared is not None and declared.queue != request.type.queue:
        stored.queue = request.type.queue
    return Row(
        id=ports.new_id(),
        job_id=job.job_id,
        job_type=request.type.name,
        request=json.dumps(stored.model_dump(mode="json", exclude_unset=True)),  # ASCII, which no character set changes
        created_ms=milliseconds(now),
        due_ms=milliseconds(now + GRACE),
    )


def request_of(row: Row, app: App) -> Request:
    """
    Return the request of a row, checked by today's code.

    Raises:
        UnknownJobTypeError, InvalidPayloadError, InvalidOptionError: This code can't take it.
        UndecodableError: It isn't what this release writes, or its payload is of a later version.
    """
    try:
        stored = StoredRequest.model_validate_json(row.request)
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"the row can't be read: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UndecodableError(msg) from None
    job_type = app.registry.get(stored.type)
    if stored.version > job_type.version:
        msg = (
            f"its payload is of version {stored.version}, and this code knows {job_type.version}: deploy what has "
            "written it"
        )
        raise UndecodableError(msg)
    options: dict[str, Any] = {name: getattr(stored.options, name) for name in stored.options.model_fields_set}
    payload = job_type.current(stored.payload, stored.version)
    request = app.request(stored.type, payload, **cast("EnqueueOptions", options))
    if stored.queue is not None:
        request = replace(request, type=replace(request.type, queue=stored.queue))
    return request.with_headers(stored.headers) if stored.headers else request


def milliseconds(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970, rounded up: databases differ in what they make of times and zones."""
    return -(-(moment - _EPOCH) // timedelta(milliseconds=1))


def moment(ms: int) -> datetime:
    """Return the moment that so many milliseconds since 1970 are."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _said(request: Request) -> dict[str, Any]:
    """Return what a request says that its type doesn't: the rest is the type's, also after it was changed."""
    options, policy = request.type.options, request.policy
    usual, in_lane = resolve_policy(options), LANES[policy.lane]
    of_the_type = {
        "lane": usual.lane,
        "attempts": in_lane.attempts if options.attempts is None else options.attempts,
        "backoff": usual.backoff,
        "timeout": in_lane.usual_job if options.timeout is None else options.timeout,
        "webhook": usual.webhook,
    }
    said = {name: getattr(policy, name) for name, value in of_the_type.items() if getattr(policy, name) != value}
    said |= {name: value for name in _AS_THEY_ARE if (value := getattr(request, name))}
    if request.unique_for != request.type.unique_for:
        said["unique_for"] = request.unique_for
    return said
