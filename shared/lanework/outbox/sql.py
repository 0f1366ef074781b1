"""The outbox of an application on SQLAlchemy: what is written in a transaction is enqueued once that is committed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, MetaData, event, insert, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.util import await_only, greenlet_spawn

from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.jobtypes.request import only_requests
from lanework.errors import ConfigError
from lanework.outbox.relay import Relay, Relayed, send_committed
from lanework.outbox.rows import TABLE, row_of, with_id
from lanework.outbox.table import SqlRows, outbox_table, values_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
    from sqlalchemy.orm import SessionTransaction

    from lanework.app import App
    from lanework.engine.jobtypes.request import Request


@dataclass(slots=True)
class _Written:
    """
    What was written in a transaction that is still open.

    Attributes:
        requests: The jobs, by the ids of their rows.
        is_committed: Whether the transaction, or a savepoint in it, was: what is there is read afterwards.
    """

    bind: Engine | Connection
    requests: dict[str, Request] = field(default_factory=dict)
    is_committed: bool = False


class Outbox:
    """
    Writes jobs into a table of the application's own database, in the caller's transaction.

    After the commit they are enqueued at once, by the thread that committed. What a crash, or an outage of AWS, left in
    the table is sent by a relay.

    Attributes:
        table: Its table, part of the metadata.
    """

    def __init__(
        self, app: App, *, metadata: MetaData | None = None, table: str = TABLE, schema: str | None = None
    ) -> None:
        """
        Declare an outbox, once for each database.

        Args:
            app: The application whose jobs are enqueued.
            metadata: Where the table is declared, such as `Base.metadata`, so that Alembic finds it.
            table: The table's name.
            schema: The table's schema; None is the connection's own.
        """
        self._app = app
        self.table = outbox_table(MetaData() if metadata is None else metadata, table, schema)
        self._open: WeakKeyDictionary[Session | Connection, _Written] = WeakKeyDictionary()
        self._heard: WeakKeyDictionary[Session, bool] = WeakKeyDictionary()

    def enqueue(self, session: Session | scoped_session[Session] | Connection, request: Request) -> Receipt[Any]:
        """
        Write one job, as `enqueue_many` does.

        Args:
            session: A session, or a connection: on one from `begin` jobs are sent after its commit, on another by a
                relay.
            request: What `job.request(…)` returned.

        Returns:
            A receipt with the id under which the job will be enqueued.
        """
        return self.enqueue_many(session, [request])[0]

    def enqueue_many(
        self, session: Session | scoped_session[Session] | Connection, requests: Iterable[Request]
    ) -> list[Receipt[Any]]:
        """
        Write jobs of any types in the open transaction; nothing is enqueued before it is committed.

        Middleware's `enqueue` is called here, and payloads and options are checked here; limits and ids are when the
        jobs are sent. Delays count from now.

        Raises:
            InvalidPayloadError, TooLargeError, InvalidOptionError, LaneLeftOutError: As in `Job.enqueue`; nothing was
                written.
            ConfigError: The database has no such table.
        """
        at = session() if isinstance(session, scoped_session) else session
        written = self._written_in(at)
        asked = [with_id(one, self._app) for one in only_requests(list(requests))]
        return self._app.runtime.write_through(asked, partial(self._write, at, written))

    async def enqueue_async(self, session: AsyncSession | AsyncConnection, request: Request) -> Receipt[Any]:
        """Write one job in an asynchronous session or connection; otherwise as `enqueue`."""
        return (await self.enqueue_many_async(session, [request]))[0]

    async def enqueue_many_async(
        self, session: AsyncSession | AsyncConnection, requests: Iterable[Request]
    ) -> list[Receipt[Any]]:
        """Write jobs in an asynchronous session or connection; otherwise as `enqueue_many`."""
        asked = list(requests)
        return await session.run_sync(lambda at: self.enqueue_many(at, asked))

    @contextmanager
    def begin(self, engine: Engine) -> Iterator[Connection]:
        """Open a connection and a transaction, as `engine.begin()` does, whose jobs are sent after its commit."""
        with engine.begin() as connection:
            self._open[connection] = written = _Written(engine)
            yield connection
        self._send(written)

    @asynccontextmanager
    async def begin_async(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Open an asynchronous connection and a transaction; otherwise as `begin`."""
        async with engine.begin() as connection:
            self._open[connection.sync_connection] = written = _Written(engine.sync_engine)  # type: ignore[index]
            yield connection
        await greenlet_spawn(self._send, written)

    def relay(self, engine: Engine, *, is_over: Callable[[], bool] = lambda: False) -> Relayed:
        """
        Send what is due in the table and was not sent by who has written it, as `lanework outbox relay --once` does.

        A row is due 30 s after it was written. For a job that runs each minute, or a loop; any number may run at once.

        Args:
            engine: A synchronous one.
            is_over: Is asked between two batches of 100 whether to stop.

        Raises:
            ConfigError: The database has no such table.
        """
        with self.named_if_missing(engine):
            return Relay(SqlRows(engine, self.table), self._app).run(is_over=is_over)

    @contextmanager
    def named_if_missing(self, bind: Engine | Connection) -> Iterator[None]:
        """Say which command makes the table, if that is why the database raises."""
        try:
            yield
        except DBAPIError as error:
            if inspect(bind.engine).has_table(self.table.name, schema=self.table.schema):
                raise
            name = self.table.fullname
            msg = f"there is no table {name} in {bind.engine.url.render_as_string()}: make it by a migration (alembic "
            msg += "revision --autogenerate), or by lanework outbox create --database-url …"
            raise ConfigError(msg) from error

    # --- the transaction

    def _written_in(self, at: Session | Connection) -> _Written:
        found = self._open.get(at)
        if found is not None:
            return found
        if isinstance(at, Connection):
            return _Written(at)  # nobody is told of its commit
        if at not in self._heard:
            self._heard[at] = True
            event.listen(at, "after_commit", self._note_commit)
            event.listen(at, "after_transaction_end", self._end)
        found = self._open[at] = _Written(at.get_bind(clause=self.table))
        return found

    def _write(self, at: Session | Connection, written: _Written, requests: Sequence[Request]) -> list[Receipt[Any]]:
        rows = [row_of(one, self._app) for one in requests]
        if rows:
            with self.named_if_missing(written.bind):
                at.execute(insert(self.table), [values_of(row) for row in rows])
            written.requests |= {row.id: request for row, request in zip(rows, requests, strict=True)}
        return [Receipt(job_id=row.job_id, reader=self._app) for row in rows]

    def _note_commit(self, session: Session) -> None:
        if session in self._open:
            self._open[session].is_committed = True

    def _end(self, session: Session, transaction: SessionTransaction) -> None:
        """Send what was committed, once the outermost transaction has ended and its connection is free again."""
        if transaction.parent is not None:
            return
        written = self._open.pop(session, None)
        if written is not None and written.is_committed:
            self._send(written)

    # --- after the commit

    def _send(self, written: _Written) -> None:
        """Send what is in the table of what was written."""
        bind = written.bind
        if not written.requests or (isinstance(bind, Connection) and bind.in_transaction()):
            return  # of a session inside another transaction, which may yet be rolled back
        hint = f"the rows are kept in {self.table.fullname}: lanework outbox relay sends them"
        send_committed(partial(self._send_present, bind.engine, written), jobs=len(written.requests), hint=hint)

    def _send_present(self, engine: Engine, written: _Written) -> None:
        rows = SqlRows(engine, self.table)
        present = rows.present([*written.requests])
        committed = [request for row_id, request in written.requests.items() if row_id in present]
        if committed:
            send = partial(self._app.runtime.send_written, committed)
            await_only(asyncio.to_thread(send)) if engine.dialect.is_async else send()
            rows.remove([*present])
