"""The outbox's table on SQLAlchemy, and what a relay and an operator do with its rows."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, delete, select, update
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from lanework.outbox.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, MetaData

_COLUMNS: Final = [one.name for one in fields(Row)]
_SKIPS_LOCKED: Final = {"mysql": (8,), "mariadb": (10, 6)}
"""From which version on."""


def outbox_table(metadata: MetaData, name: str, schema: str | None = None) -> Table:
    """Return the table, as part of an application's metadata."""
    text = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")  # a payload may have 256 KB, and their TEXT 64
    return Table(
        name,
        metadata,
        Column("id", String(64), primary_key=True),
        Column("job_id", String(128), nullable=False),
        Column("job_type", String(100), nullable=False),
        Column("request", text, nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("due_ms", BigInteger, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("reason", Text, nullable=True),
        Column("claim", String(64), nullable=True),
        Index(f"ix_{name}_due", "due_ms", "id"),
        schema=schema,
    )


class SqlRows:
    """
    Implements `Rows`.

    A claim is an update on condition that the row is still due, and so nobody else's, on any database. Where rows can
    be locked and passed over (SKIP LOCKED: PostgreSQL, MySQL 8, MariaDB 10.6), relays don't wait for each other.
    """

    def __init__(self, engine: Engine, table: Table) -> None:
        # MySQL's default locks gaps, too, and writers of rows would wait for relays.
        is_mysql = engine.dialect.name in _SKIPS_LOCKED
        self._engine = engine.execution_options(isolation_level="READ COMMITTED") if is_mysql else engine
        self._table = table

    def claim(self, *, now_ms: int, until_ms: int, token: str, most: int) -> Sequence[Row]:
        t = self._table
        due = select(t.c.id).where(t.c.due_ms <= now_ms).order_by(t.c.due_ms, t.c.id).limit(most)
        with self._engine.begin() as connection:
            locks = _skips_locked(connection)
            ids = connection.scalars(due.with_for_update(skip_locked=True) if locks else due).all()
            if ids and locks:
                _take(connection, t, ids, now_ms=now_ms, until_ms=until_ms, token=token)
        if not ids:
            return []
        with self._engine.begin() as connection:  # SQLite lets no transaction write that has read what is old by now
            if not locks:
                _take(connection, t, ids, now_ms=now_ms, until_ms=until_ms, token=token)
            mine = t.select().where(t.c.id.in_(ids), t.c.claim == token).order_by(t.c.created_ms, t.c.id)
            return [_row(one) for one in connection.execute(mine).mappings()]

    def remove(self, ids: Sequence[str]) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(self._table).where(self._table.c.id.in_(ids)))

    def postpone(self, rows: Sequence[Row], *, token: str) -> None:
        t = self._table
        with self._engine.begin() as connection:
            for row in rows:
                new = {"due_ms": row.due_ms, "failures": row.failures, "reason": row.reason, "claim": None}
                connection.execute(update(t).where(t.c.id == row.id, t.c.claim == token).values(**new))

    def present(self, ids: Sequence[str]) -> set[str]:
        """Return those of the rows that are in the table: what was rolled back is not."""
        with self._engine.connect() as connection:
            return set(connection.scalars(select(self._table.c.id).where(self._table.c.id.in_(ids))))

    def oldest(self, most: int) -> Sequence[Row]:
        """Return the rows that wait, oldest first."""
        with self._engine.connect() as connection:
            found = connection.execute(self._table.select().order_by(self._table.c.created_ms).limit(most))
            return [_row(one) for one in found.mappings()]

    def retry(self, job_ids: Sequence[str] | None, *, now_ms: int) -> int:
        """Let rows that couldn't be sent be due now: those of some jobs, or all; return how many."""
        t = self._table
        which = t.c.failures > 0 if job_ids is None else t.c.job_id.in_(job_ids)
        with self._engine.begin() as connection:
            return connection.execute(update(t).where(which).values(due_ms=now_ms)).rowcount

    def drop(self, job_ids: Sequence[str]) -> int:
        """Remove rows unsent; return how many."""
        with self._engine.begin() as connection:
            return connection.execute(delete(self._table).where(self._table.c.job_id.in_(job_ids))).rowcount


def values_of(row: Row) -> dict[str, Any]:
    """Return a row as it is inserted."""
    return {**asdict(row), "claim": None}


def _row(found: Any) -> Row:  # noqa: ANN401 - a mapping of SQLAlchemy's
    return Row(**{name: found[name] for name in _COLUMNS})


def _take(connection: Connection, t: Table, ids: Sequence[str], *, now_ms: int, until_ms: int, token: str) -> None:
    still_due = update(t).where(t.c.id.in_(ids), t.c.due_ms <= now_ms)
    connection.execute(still_due.values(due_ms=until_ms, claim=token))


def _skips_locked(connection: Connection) -> bool:
    dialect = connection.dialect
    if dialect.name == "postgresql":
        return True
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    least = _SKIPS_LOCKED.get(name)
    return least is not None and (dialect.server_version_info or (0,)) >= least
