from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.schema import CreateTable

from lanework.outbox import Outbox
from tests.support.mail_shop import MailShop


def test_alembic_finds_the_table_and_once_it_is_there_nothing_more(shop: MailShop, empty: Engine) -> None:
    class Base(DeclarativeBase): ...

    outbox = Outbox(shop.app, metadata=Base.metadata)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [operation[0] for operation in compare_metadata(context, Base.metadata)]
    outbox.table.create(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        left = compare_metadata(context, Base.metadata)

    assert (["add_table", "add_index"], []) == (found, left)


def test_a_payload_of_256_kb_fits_into_the_column_of_every_database(outbox: Outbox) -> None:
    for dialect, column in ((MySQLDialect(), "request MEDIUMTEXT"), (PGDialect(), "request TEXT")):  # type: ignore[no-untyped-call]
        assert column in str(CreateTable(outbox.table).compile(dialect=dialect))
