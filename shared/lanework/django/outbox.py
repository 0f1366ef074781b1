"""A transactional outbox in a Django project's database: a job is a row, and is sent once that is committed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.utils import OperationalError, ProgrammingError

from lanework import ConfigError, Receipt
from lanework.django.models import OutboxRow
from lanework.django.settings import project_app
from lanework.engine.jobtypes.request import only_requests
from lanework.outbox.relay import Relay, send_committed
from lanework.outbox.rows import Row, row_of, with_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lanework import App, Request
    from lanework.outbox.relay import Relayed

_COLUMNS: Final = [one.name for one in fields(Row)]


def enqueue(request: Request, *, using: str = DEFAULT_DB_ALIAS) -> Receipt[Any]:
    """
    Write one job into the open transaction, as `enqueue_many` does.

    Args:
        request: What `job.request(…)` or `app.request(…)` returned.
        using: The database.
    """
    return enqueue_many([request], using=using)[0]


def enqueue_many(requests: Iterable[Request], *, using: str = DEFAULT_DB_ALIAS) -> list[Receipt[Any]]:
    """
    Write jobs into the open transaction of a database, to be sent after its commit; without one they are sent at once.

    Raises:
        InvalidPayloadError, TooLargeError, InvalidOptionError, LaneLeftOutError: As in `Job.enqueue`; nothing was
            written.
        ConfigError: The database has no such table.
    """
    app = project_app()
    asked = [with_id(one, app) for one in only_requests(list(requests))]
    return app.runtime.write_through(asked, partial(_write, app, using))


def relay(*, using: str = DEFAULT_DB_ALIAS, is_over: Callable[[], bool] = lambda: False) -> Relayed:
    """
    Send what is due in a database's table, and was not sent by who has written it: `manage.py lanework_outbox`.

    Args:
        using: The database.
        is_over: Is asked between two batches of 100 whether to stop.

    Raises:
        ConfigError: The database has no such table.
    """
    with _named_if_missing(using):
        return Relay(DjangoRows(using), project_app()).run(is_over=is_over)


class DjangoRows:
    """Implements `Rows` on the model, in the way of `lanework.outbox.table.SqlRows`."""

    def __init__(self, using: str) -> None:
        self._using = using

    def claim(self, *, now_ms: int, until_ms: int, token: str, most: int) -> Sequence[Row]:
        """Return rows that are due, oldest first; nobody else gets them until then."""
        rows, has = OutboxRow.objects.using(self._using), connections[self._using].features
        due = rows.filter(due_ms__lte=now_ms).order_by("due_ms", "id")
        with transaction.atomic(using=self._using, durable=True):
            if has.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            ids = list(due.values_list("id", flat=True)[:most])
            if ids and has.has_select_for_update_skip_locked:
                rows.filter(id__in=ids, due_ms__lte=now_ms).update(due_ms=until_ms, claim=token)
        if ids and not has.has_select_for_update_skip_locked:  # SQLite: a transaction of its own, which begins to write
            rows.filter(id__in=ids, due_ms__lte=now_ms).update(due_ms=until_ms, claim=token)
        mine = rows.filter(id__in=ids, claim=token).order_by("created_ms", "id").values(*_COLUMNS)
        return [Row(**one) for one in mine]

    def remove(self, ids: Sequence[str]) -> None:
        """Remove rows that were sent."""
        OutboxRow.objects.using(self._using).filter(id__in=ids).delete()

    def postpone(self, rows: Sequence[Row], *, token: str) -> None:
        """Keep rows that couldn't be sent, unless they were claimed anew."""
        with transaction.atomic(using=self._using):
            for row in rows:
                mine = OutboxRow.objects.using(self._using).filter(id=row.id, claim=token)
                mine.update(due_ms=row.due_ms, failures=row.failures, reason=row.reason, claim=None)


def _write(app: App, using: str, requests: Sequence[Request]) -> list[Receipt[Any]]:
    rows = [row_of(one, app) for one in requests]
    new = [OutboxRow(**asdict(row)) for row in rows]
    with _named_if_missing(using), transaction.atomic(using=using):  # its commit may be the outer one's
        OutboxRow.objects.using(using).bulk_create(new)
        transaction.on_commit(partial(_send, app, using, requests, [row.id for row in rows]), using=using)
    return [Receipt(job_id=row.job_id, reader=app) for row in rows]


def _send(app: App, using: str, requests: Sequence[Request], ids: Sequence[str]) -> None:
    def send() -> None:
        app.runtime.send_written(requests)
        DjangoRows(using).remove(ids)

    send_committed(send, jobs=len(ids), hint="the rows are kept: manage.py lanework_outbox sends them")


@contextmanager
def _named_if_missing(using: str) -> Iterator[None]:
    """Say what makes the table, if that is why the database raises."""
    try:
        yield
    except (ProgrammingError, OperationalError) as error:
        table = OutboxRow._meta.db_table  # noqa: SLF001 - Django's documented way
        if table in connections[using].introspection.table_names():
            raise
        msg = f"there is no table {table} in database {using!r}: manage.py migrate makes it"
        raise ConfigError(msg) from error
