"""The outbox on PostgreSQL and MariaDB: what SQLite, on which tests/unit/outbox runs, can't show."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateSchema, DropSchema

from lanework import ConfigError
from lanework.outbox import Outbox, Relayed
from lanework.outbox.relay import BATCH
from lanework.outbox.rows import milliseconds
from lanework.outbox.table import SqlRows
from tests.support.mail_shop import Mail, MailShop

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework import Request

MINUTE = timedelta(minutes=1)


def left_by_a_crash(shop: MailShop, outbox: Outbox, engine: Engine, *requests: Request) -> None:
    """Write rows whose writer has died after its commit, and let a minute pass."""
    with engine.begin() as connection:
        outbox.enqueue_many(connection, requests)
    shop.clock.advance(MINUTE)


def waiting(engine: Engine, outbox: Outbox) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(outbox.table)) or 0


def test_what_is_committed_is_sent_and_nothing_else(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="Сайн уу 👋")))
        with session.begin_nested() as savepoint:
            outbox.enqueue(session, shop.send.request(Mail(text="undone")))
            savepoint.rollback()
        with session.begin_nested():
            outbox.enqueue(session, shop.send.request(Mail(text="released")))
        assert shop.run() == []
        session.commit()
        outbox.enqueue(session, shop.send.request(Mail(text="rolled back")))
        session.rollback()

    assert (["Сайн уу 👋", "released"], 0) == (shop.run(), waiting(engine, outbox))


def test_a_payload_of_256_kb_comes_back_as_it_was(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    large = "ы" * 120_000
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text=large)))

    assert (Relayed(sent=1), [large]) == (outbox.relay(engine), shop.run())


def test_relays_side_by_side_send_each_row_once(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    count = 6 * BATCH
    left_by_a_crash(shop, outbox, engine, *(shop.send.request(Mail(text=f"{n}")) for n in range(count)))
    rows, now = SqlRows(engine, outbox.table), milliseconds(shop.clock())

    def claim(relay: int) -> list[str]:
        claimed: list[str] = []
        while found := rows.claim(now_ms=now, until_ms=now + 60_000, token=f"relay-{relay}", most=BATCH // 4):
            claimed += [row.id for row in found]
        return claimed

    with ThreadPoolExecutor(4) as relays:
        claimed = Counter(row_id for some in relays.map(claim, range(4)) for row_id in some)

    assert (count, {1}) == (len(claimed), set(claimed.values()))


def test_a_relay_passes_by_what_another_one_has_locked(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, *(shop.send.request(Mail(text=f"{n}"), job_id=f"{n}") for n in range(4)))
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as other:
        locked = outbox.table.select().where(outbox.table.c.job_id.in_(["0", "1"])).with_for_update()
        assert 2 == len(other.execute(locked).all())

        assert Relayed(sent=2) == outbox.relay(engine)
        assert ["2", "3"] == shop.run()
    assert Relayed(sent=2) == outbox.relay(engine)


def test_a_writer_does_not_wait_for_a_relay(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, *(shop.send.request(Mail(text=f"{n}")) for n in range(20)))
    has_begun, may_end = Event(), Event()
    ports = shop.app.ports

    def slowly() -> None:
        rows, now = SqlRows(engine, outbox.table), milliseconds(ports.clock())
        rows.claim(now_ms=now, until_ms=now + 60_000, token="slow", most=BATCH)
        has_begun.set()
        may_end.wait(10)

    with ThreadPoolExecutor(1) as relay:
        done = relay.submit(slowly)
        assert has_begun.wait(10)
        with Session(engine) as session:
            outbox.enqueue(session, shop.send.request(Mail(text="at once")))
            session.commit()
        assert ["at once"] == shop.run()
        may_end.set()
        done.result(timeout=10)


def test_a_session_without_the_table_says_what_makes_it(shop: MailShop, address: str) -> None:
    outbox, engine = Outbox(shop.app, table="nowhere"), create_engine(address)
    with Session(engine) as session, pytest.raises(ConfigError, match=r"no table nowhere in .*lanework outbox"):
        outbox.enqueue(session, shop.send.request(Mail()))
    with pytest.raises(ConfigError, match="there is no table nowhere"):
        outbox.relay(engine)
    engine.dispose()


def test_alembic_sees_no_difference_between_table_and_database(address: str, shop: MailShop) -> None:
    metadata, engine = MetaData(), create_engine(address)
    outbox = Outbox(shop.app, metadata=metadata, table="migrated")
    with engine.connect() as connection:
        outbox.table.create(connection)
        own = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name == "migrated"}
        assert [] == compare_metadata(MigrationContext.configure(connection, opts=own), metadata)
        outbox.table.drop(connection)
        connection.commit()
    engine.dispose()


def test_on_postgresql_the_table_may_be_in_a_schema(shop: MailShop, address_of: Callable[[str], str]) -> None:
    outbox, engine = Outbox(shop.app, schema="audit"), create_engine(address_of("postgresql"))
    with engine.begin() as connection:
        connection.execute(CreateSchema("audit"))
        outbox.table.create(connection)
    with Session(engine) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="hello")))
        session.commit()

    assert (["hello"], 0) == (shop.run(), waiting(engine, outbox))
    with engine.begin() as connection:
        connection.execute(DropSchema("audit", cascade=True))
    engine.dispose()


def test_a_transaction_in_two_phases_sends_after_the_second(shop: MailShop, address_of: Callable[[str], str]) -> None:
    outbox, engine = Outbox(shop.app, table="in_two_phases"), create_engine(address_of("postgresql"))
    outbox.table.create(engine)
    with Session(engine, twophase=True) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="committed")))
        session.prepare()
        assert shop.run() == []
        session.commit()
    assert ["committed"] == shop.run()
    with suppress(ZeroDivisionError), Session(engine, twophase=True) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="rolled back")))
        session.prepare()
        raise ZeroDivisionError
    shop.clock.advance(MINUTE)

    assert (Relayed(), []) == (outbox.relay(engine), shop.run())
    outbox.table.drop(engine)
    engine.dispose()


def test_an_async_session_on_postgresql_sends_after_its_commit(
    shop: MailShop, address_of: Callable[[str], str]
) -> None:
    outbox = Outbox(shop.app, table="in_asyncio")

    async def steps() -> None:
        engine = create_async_engine(address_of("postgresql"))
        async with engine.begin() as connection:
            await connection.run_sync(outbox.table.create)
        async with AsyncSession(engine) as session:
            await outbox.enqueue_async(session, shop.send.request(Mail(text="one")))
            await session.commit()
            await outbox.enqueue_async(session, shop.send.request(Mail(text="undone")))
            await session.rollback()
        async with outbox.begin_async(engine) as connection:
            await outbox.enqueue_async(connection, shop.send.request(Mail(text="two")))
        async with engine.begin() as connection:
            assert 0 == (await connection.scalar(select(func.count()).select_from(outbox.table)))
            await connection.run_sync(outbox.table.drop)
        await engine.dispose()

    asyncio.run(steps())
    assert ["one", "two"] == shop.run()
