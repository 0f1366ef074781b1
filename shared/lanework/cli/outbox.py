"""Commands about an outbox in a database: create, relay, list, retry, drop."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lanework.app import App
from lanework.cli.connect import application
from lanework.cli.options import AsJson, JobId, Yes, group, limit_option, with_options
from lanework.cli.output import answer, confirm, out, print_json, say, table_of
from lanework.cli.times import stamp
from lanework.errors import ConfigError, InvalidOptionError, LaneworkError, NothingMatchesError
from lanework.observe.logs import show_lines
from lanework.outbox.rows import TABLE, milliseconds, moment
from lanework.wiring import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanework.outbox.relay import Relayed
    from lanework.outbox.rows import Row
    from lanework.outbox.table import SqlRows

app = group("outbox", "An outbox in a database: its table, the relay that sends its rows, rows that can't be sent.")

EVERY_S: Final = 5
"""How often the relay looks, in seconds."""


_WRITE_IT: Final = "write it as postgresql+psycopg://user:password@host/name"


def _address(text: str) -> str:
    if re.fullmatch(r"[a-z]\w*(\+\w+)?://.*", text) is None:
        msg = f"that is no address of SQLAlchemy's; {_WRITE_IT}"  # which isn't repeated: it may hold a password
        raise typer.BadParameter(msg)
    return text


def _table(text: str) -> str:
    if re.fullmatch(r"(\w{1,63}\.)?\w{1,63}", text) is None:
        msg = f"{text[:60]!r} is no table; write it as {TABLE}, or audit.{TABLE}"
        raise typer.BadParameter(msg)
    return text


@dataclass(kw_only=True)
class Database:
    """Where the table is."""

    database_url: Annotated[
        str | None,
        typer.Option(
            parser=_address,
            envvar="LANEWORK_DATABASE_URL",
            metavar="URL",
            help="The database, as SQLAlchemy writes it: postgresql+psycopg://shop@db/shop. The variable keeps a "
            "password off the command line.",
        ),
    ] = None
    table: Annotated[str, typer.Option(parser=_table, metavar="NAME", help="The table, or SCHEMA.TABLE.")] = TABLE

    @cached_property
    def outbox(self) -> Any:  # noqa: ANN401 - SQLAlchemy may not be here
        """The outbox that is meant, of an application without jobs."""
        return self.outbox_of(App())

    def outbox_of(self, jobs: App) -> Any:  # noqa: ANN401 - as above
        """Return the outbox of an application."""
        try:
            from lanework.outbox import Outbox  # noqa: PLC0415 - for who has an outbox

            schema, _, name = self.table.rpartition(".")
            return Outbox(jobs, table=name, schema=schema or None)
        except ImportError as error:
            msg = f"{error}: install lanework[outbox]"
            raise ConfigError(msg) from None

    @cached_property
    def engine(self) -> Any:  # noqa: ANN401 - as above
        """
        What connects to the database.

        Raises:
            InvalidOptionError: The address can't be used.
            ConfigError: Its driver isn't installed.
        """
        _ = self.outbox
        from sqlalchemy import create_engine  # noqa: PLC0415 - for who has an outbox
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

        if self.database_url is None:
            msg = f"no database is named: give --database-url, or set LANEWORK_DATABASE_URL; {_WRITE_IT}"
            raise InvalidOptionError(msg)
        try:
            engine = create_engine(self.database_url, pool_pre_ping=True)
        except SQLAlchemyError as error:
            msg = f"--database-url can't be used ({error}); {_WRITE_IT}"
            raise InvalidOptionError(msg) from None
        except ImportError as error:
            msg = f"{error}: install the database's driver, or name another one in --database-url"
            raise ConfigError(msg) from None
        if engine.dialect.is_async:
            msg = f"{engine.driver} is an asynchronous driver: give a synchronous one, such as postgresql+psycopg"
            raise InvalidOptionError(msg)
        return engine

    @property
    def rows(self) -> SqlRows:
        """The table's rows."""
        from lanework.outbox.table import SqlRows  # noqa: PLC0415 - as above

        return SqlRows(self.engine, self.outbox.table)

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Say in one line what the database refuses, or that it isn't there."""
        engine = self.engine
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - for who has an outbox

        try:
            with self.outbox.named_if_missing(engine):
                yield
        except SQLAlchemyError as error:
            msg = f"the database at {engine.url.render_as_string()}: {str(error).splitlines()[0]}"
            raise ConfigError(msg) from error


@app.command()
@with_options
def create(database: Database) -> None:
    """
    Create the table, if it isn't there. With Alembic or Django, a migration does.

    Example: lanework outbox create --database-url postgresql+psycopg://shop@db/shop
    """
    with database.reached():
        database.outbox.table.create(database.engine, checkfirst=True)
    out().print(f"the table {database.table} is there", markup=False)


@app.command()
@with_options
def relay(
    database: Database,
    once: Annotated[bool, typer.Option("--once", help="Send what is due, and stop.")] = False,
) -> None:
    """
    Send what a crash or an outage left in the table: every 5 s what is older than 30 s, until SIGTERM or Ctrl-C.

    Example: lanework outbox relay --database-url postgresql+psycopg://shop@db/shop
    """
    jobs = application(changes=True)
    outbox = database.outbox_of(jobs)
    show_lines(sys.stderr)
    if once:
        with database.reached():
            _say(outbox.relay(database.engine))
        return
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say(f"relaying {database.table}; SIGTERM or Ctrl-C stops it after the batch")
    for _ in _until(stop):
        try:
            with database.reached():
                done = outbox.relay(database.engine, is_over=stop.is_set)
        except LaneworkError as error:
            say(f"{error}; the relay tries again in {EVERY_S} s")
        else:
            if done.sent or done.kept:
                _say(done)


@app.command("list")
@with_options
def list_(
    database: Database,
    limit: Annotated[int, limit_option("rows")] = 20,
    as_json: AsJson = False,
) -> None:
    """
    List what waits in the table, oldest first, with why it couldn't be sent.

    Example: lanework outbox list --database-url postgresql+psycopg://shop@db/shop
    """
    with database.reached():
        rows = database.rows.oldest(limit)
    if as_json:
        print_json([_json(row) for row in rows])
    elif not rows:
        out().print("nothing waits: every row was sent")
    else:
        out().print(table_of(("job", "type", "written", "failures", "next try", "reason"), map(_cells, rows)))


@app.command()
@with_options
def retry(
    database: Database,
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="Jobs; none means all that failed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Let rows that couldn't be sent be due now; the relay takes them next.

    Example: lanework outbox retry welcome-42 --database-url postgresql+psycopg://shop@db/shop
    """
    with database.reached():
        count = database.rows.retry(job_ids or None, now_ms=milliseconds(utc_now()))
    if job_ids and not count:
        raise _nothing(database, *job_ids)
    answer({"retried": count}, f"{count} due now; lanework outbox relay sends them", as_json=as_json)


@app.command()
@with_options
def drop(database: Database, job_id: JobId, yes: Yes = False, as_json: AsJson = False) -> None:
    """
    Remove a row unsent, for good: its job is never enqueued.

    Example: lanework outbox drop welcome-42 --database-url postgresql+psycopg://shop@db/shop
    """
    confirm(f"Remove job {job_id} from the outbox for good?", yes=yes)
    with database.reached():
        count = database.rows.drop([job_id])
    if not count:
        raise _nothing(database, job_id)
    answer({"dropped": count}, f"{count} dropped", as_json=as_json)


def _nothing(database: Database, *job_ids: str) -> NothingMatchesError:
    msg = (
        f"no row of job {' or '.join(map(repr, job_ids))} in {database.table}: `lanework outbox list` shows what waits"
    )
    return NothingMatchesError(msg)


def _until(stop: Event) -> Iterator[None]:
    yield
    while not stop.wait(EVERY_S):
        yield


def _say(done: Relayed) -> None:
    kept = f", {done.kept} kept: `lanework outbox list` says why" if done.kept else ""
    say(f"{done.sent} sent{kept}")


def _cells(row: Row) -> Sequence[object]:
    written, due = stamp(moment(row.created_ms)), stamp(moment(row.due_ms))
    return (row.job_id, row.job_type, written, row.failures, due, row.reason)


def _json(row: Row) -> dict[str, object]:
    return {
        "jobId": row.job_id,
        "type": row.job_type,
        "writtenAt": moment(row.created_ms).isoformat(),
        "failures": row.failures,
        "nextTryAt": moment(row.due_ms).isoformat(),
        "reason": row.reason,
    }
