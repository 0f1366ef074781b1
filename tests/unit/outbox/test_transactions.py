"""What is committed is enqueued at once, and what is rolled back never."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, MetaData, create_engine, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from lanework import ConfigError, InvalidOptionError, State
from lanework.outbox import Outbox, Relayed
from lanework.testing import NOON
from tests.support.fakes import break_ports
from tests.support.mail_shop import Mail, MailShop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def waiting(engine: Engine, outbox: Outbox) -> int:
    """Return how many rows there are."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(outbox.table)) or 0


def test_a_job_is_enqueued_after_the_commit_and_not_before(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session:
        receipt = outbox.enqueue(session, shop.send.request(Mail(text="hello"), job_id="welcome-42"))
        assert shop.run() == []
        session.commit()

    assert (["hello"], "welcome-42", 0) == (shop.run(), receipt.job_id, waiting(engine, outbox))
    assert receipt.result(timeout=timedelta(0)) is None


def test_what_is_rolled_back_is_never_enqueued(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="rolled back")))
        session.rollback()
        outbox.enqueue(session, shop.send.request(Mail(text="closed")))
    with suppress(ZeroDivisionError), Session(engine) as session, session.begin():
        outbox.enqueue(session, shop.send.request(Mail(text="raised")))
        raise ZeroDivisionError

    shop.clock.advance(timedelta(hours=1))
    assert (Relayed(), []) == (outbox.relay(engine), shop.run())


def test_of_savepoints_what_was_released_is_enqueued(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session:
        for text, is_kept in (("kept", True), ("undone", False)):
            with session.begin_nested() as savepoint:
                outbox.enqueue(session, shop.send.request(Mail(text=text)))
                if not is_kept:
                    savepoint.rollback()
        assert shop.run() == []
        session.commit()

    assert (["kept"], 0) == (shop.run(), waiting(engine, outbox))


def test_savepoints_of_a_transaction_that_is_rolled_back_enqueue_nothing(
    shop: MailShop, outbox: Outbox, engine: Engine
) -> None:
    with Session(engine) as session:
        with session.begin_nested():
            outbox.enqueue(session, shop.send.request(Mail(text="inner")))
        session.rollback()

    assert shop.run() == []


def test_a_session_within_somebodys_transaction_waits_for_that(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as outer:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            outbox.enqueue(session, shop.send.request(Mail(text="hello")))
            session.commit()
        assert shop.run() == []
        outer.rollback()

    shop.clock.advance(timedelta(hours=1))
    assert (Relayed(), []) == (outbox.relay(engine), shop.run())


def test_many_jobs_share_a_transaction_and_their_calls(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    ledger, lanes = break_ports(shop.app)
    factory = scoped_session(sessionmaker(engine))
    outbox.enqueue_many(factory, [shop.send.request(Mail(text=f"{n}")) for n in range(12)])
    outbox.enqueue(factory, shop.newsletter.request(Mail(text="news")))
    factory.commit()
    factory.remove()

    assert {"put_many": 1, "send_many": 1} == {
        name: (ledger.calls + lanes.calls).count(name) for name in ("put_many", "send_many")
    }
    assert sorted([*map(str, range(12)), "news"]) == sorted(shop.run())


def test_a_session_is_used_again_and_again(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session:
        for text in ("one", "two"):
            outbox.enqueue(session, shop.send.request(Mail(text=text)))
            session.commit()
            assert [text] == shop.run()


def test_a_pool_of_one_connection_is_enough(shop: MailShop, outbox: Outbox, engine: Engine, database: str) -> None:
    narrow = create_engine(f"sqlite:///{database}", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=1)
    with Session(narrow) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="hello")))
        session.commit()
    with outbox.begin(narrow) as connection:
        outbox.enqueue(connection, shop.send.request(Mail(text="again")))
    narrow.dispose()

    assert (["hello", "again"], 0) == (shop.run(), waiting(engine, outbox))


def test_of_a_connection_from_begin_jobs_are_sent_after_its_commit(
    shop: MailShop, outbox: Outbox, engine: Engine
) -> None:
    with outbox.begin(engine) as connection:
        outbox.enqueue(connection, shop.send.request(Mail(text="hello")))
        assert shop.run() == []
    with suppress(ZeroDivisionError), outbox.begin(engine) as connection:
        outbox.enqueue(connection, shop.send.request(Mail(text="undone")))
        raise ZeroDivisionError

    assert ["hello"] == shop.run()


def test_of_another_connection_the_relay_sends_them(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with engine.begin() as connection:
        outbox.enqueue(connection, shop.send.request(Mail(text="hello")))
    assert (Relayed(), []) == (outbox.relay(engine), shop.run())
    shop.clock.advance(timedelta(seconds=31))

    assert (Relayed(sent=1), ["hello"]) == (outbox.relay(engine), shop.run())


def test_middleware_is_called_once_when_the_row_is_written(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with engine.begin() as connection:
        outbox.enqueue(connection, shop.send.request(Mail(text="later"), correlation_id="request-7"))
    shop.traces.current = "of the relay"
    shop.clock.advance(timedelta(minutes=1))
    outbox.relay(engine)

    shop.run()
    assert ([("later", "trace-1")], 1) == (shop.sent, shop.traces.seen)


def test_a_delay_counts_from_the_write(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with engine.begin() as connection:
        receipt = outbox.enqueue(connection, shop.send.request(Mail(), delay=timedelta(minutes=10)))
    shop.clock.advance(timedelta(minutes=4))
    outbox.relay(engine)

    assert NOON + timedelta(minutes=10) == shop.app.get(receipt.job_id).run_at


def test_a_commit_stands_when_aws_does_not_answer(
    shop: MailShop, outbox: Outbox, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, lanes = break_ports(shop.app)
    ledger.broken, lanes.broken = {"put"}, {"send"}
    with caplog.at_level(logging.WARNING), Session(engine) as session:
        outbox.enqueue(session, shop.send.request(Mail(text="hello")))
        session.commit()
    assert ("outbox.send_failed", 1) == (caplog.records[-1].message, waiting(engine, outbox))
    assert "lanework outbox relay sends them" in caplog.records[-1].__dict__["hint"]
    ledger.broken, lanes.broken = set(), set()
    shop.clock.advance(timedelta(seconds=31))

    assert (Relayed(sent=1), ["hello"]) == (outbox.relay(engine), shop.run())


def test_a_session_without_the_table_says_what_makes_it(shop: MailShop, outbox: Outbox, empty: Engine) -> None:
    made_by = r"there is no table lanework_outbox in sqlite:.*: make it by a migration .* or by lanework outbox create"
    with Session(empty) as session, pytest.raises(ConfigError, match=made_by):
        outbox.enqueue(session, shop.send.request(Mail()))
    with pytest.raises(ConfigError, match=made_by):
        outbox.relay(empty)


def test_what_is_no_request_is_refused(outbox: Outbox, engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(InvalidOptionError, match=r"job\.request"):
        outbox.enqueue(session, Mail())  # type: ignore[arg-type]


def test_the_table_has_the_name_and_the_schema_that_are_asked_for(shop: MailShop) -> None:
    metadata = MetaData()
    outbox = Outbox(shop.app, metadata=metadata, table="jobs_to_send", schema="audit")

    assert ("audit.jobs_to_send", [outbox.table]) == (outbox.table.fullname, metadata.sorted_tables)


# --- asyncio


def run_async(database: str, steps: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    async def main() -> None:
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{database}",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            pool_timeout=1,
        )
        await steps(engine)
        await engine.dispose()

    asyncio.run(main())


def test_an_async_session_has_sent_its_jobs_when_its_commit_returns(
    shop: MailShop, outbox: Outbox, engine: Engine, database: str
) -> None:
    async def steps(on: AsyncEngine) -> None:
        async with AsyncSession(on) as session:
            receipt = await outbox.enqueue_async(session, shop.send.request(Mail(text="one")))
            await session.commit()
            assert shop.app.get(receipt.job_id).state is State.QUEUED
            await outbox.enqueue_async(session, shop.send.request(Mail(text="undone")))
            await session.rollback()
        async with AsyncSession(on) as session, session.begin():
            await outbox.enqueue_many_async(session, [shop.send.request(Mail(text=text)) for text in ("two", "three")])
        async with outbox.begin_async(on) as connection:
            await outbox.enqueue_async(connection, shop.send.request(Mail(text="four")))

    run_async(database, steps)

    assert (["one", "two", "three", "four"], 0) == (shop.run(), waiting(engine, outbox))


def test_the_event_loop_goes_on_while_an_async_commit_sends(
    shop: MailShop, outbox: Outbox, engine: Engine, database: str
) -> None:
    answered = asyncio.Event()
    ledger, _ = break_ports(shop.app)

    async def steps(on: AsyncEngine) -> None:
        loop = asyncio.get_running_loop()

        def put(record: object) -> object:
            return asyncio.run_coroutine_threadsafe(answer(record), loop).result(timeout=5)

        async def answer(record: object) -> object:
            answered.set()
            return ledger.port.put(record)

        ledger.answers["put"] = put
        async with AsyncSession(on) as session:
            await outbox.enqueue_async(session, shop.send.request(Mail(text="one")))
            await session.commit()

    run_async(database, steps)
    assert (True, ["one"], 0) == (answered.is_set(), shop.run(), waiting(engine, outbox))
