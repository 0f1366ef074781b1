"""What a crash or an outage left in the table is sent, once per id, and no row stops another."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, update

from lanework import App, Jobs
from lanework.outbox import Outbox, Relayed
from lanework.outbox.relay import BATCH, LEASE
from lanework.outbox.rows import milliseconds, moment
from lanework.outbox.table import SqlRows
from lanework.testing import app_in_memory
from tests.support.fakes import break_ports, mend_ports
from tests.support.mail_shop import Mail, MailShop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import Request
    from lanework.outbox.rows import Row

MINUTE = timedelta(minutes=1)


def left_by_a_crash(shop: MailShop, outbox: Outbox, engine: Engine, *requests: Request) -> list[str]:
    """Write rows whose writer has died after its commit, and let a minute pass; return the ids of the jobs."""
    with engine.begin() as connection:
        receipts = outbox.enqueue_many(connection, requests)
    shop.clock.advance(MINUTE)
    return [one.job_id for one in receipts]


def rows_of(outbox: Outbox, engine: Engine) -> Sequence[Row]:
    return SqlRows(engine, outbox.table).oldest(100)


def test_rows_are_sent_in_the_order_in_which_they_were_written(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    texts = [f"{n:03}" for n in range(2 * BATCH + 1)]
    with engine.begin() as connection:
        for text in texts:
            outbox.enqueue(connection, shop.send.request(Mail(text=text)))
            shop.clock.advance(timedelta(milliseconds=1))
    shop.clock.advance(MINUTE)

    assert (Relayed(sent=len(texts)), texts) == (outbox.relay(engine), shop.run())


def test_a_row_is_left_to_its_writer_for_half_a_minute(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    with engine.begin() as connection:
        outbox.enqueue(connection, shop.send.request(Mail()))
    shop.clock.advance(timedelta(seconds=29))

    assert Relayed() == outbox.relay(engine)


def test_a_row_that_was_sent_before_its_sender_died_enqueues_nothing_new(
    shop: MailShop, outbox: Outbox, engine: Engine
) -> None:
    (job_id,) = left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="once")))
    shop.app.enqueue_request(shop.send.request(Mail(text="once"), job_id=job_id))

    assert (["once"], Relayed(sent=1), []) == (shop.run(), outbox.relay(engine), shop.run())


def test_two_relays_share_what_is_due(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, *(shop.send.request(Mail(text=f"{n}")) for n in range(BATCH + 20)))
    rows = SqlRows(engine, outbox.table)
    now = milliseconds(shop.clock())

    first = rows.claim(now_ms=now, until_ms=now + 60_000, token="one", most=BATCH)
    second = rows.claim(now_ms=now, until_ms=now + 60_000, token="two", most=BATCH)

    assert (BATCH, 20) == (len(first), len(second))
    assert set() == {row.id for row in first} & {row.id for row in second}


def test_what_a_killed_relay_had_claimed_is_the_next_ones_after_a_minute(
    shop: MailShop, outbox: Outbox, engine: Engine
) -> None:
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="hello")))
    now = shop.clock()
    SqlRows(engine, outbox.table).claim(
        now_ms=milliseconds(now), until_ms=milliseconds(now + LEASE), token="killed", most=BATCH
    )
    assert Relayed() == outbox.relay(engine)
    shop.clock.advance(MINUTE)

    assert (Relayed(sent=1), ["hello"]) == (outbox.relay(engine), shop.run())


def test_a_relay_that_lost_its_claim_takes_no_try_from_the_next_one(
    shop: MailShop, outbox: Outbox, engine: Engine
) -> None:
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail()))
    rows, now = SqlRows(engine, outbox.table), milliseconds(shop.clock())
    (row,) = rows.claim(now_ms=now, until_ms=now, token="slow", most=BATCH)
    rows.claim(now_ms=now, until_ms=now + 60_000, token="next", most=BATCH)

    rows.postpone([row], token="slow")

    assert [now + 60_000] == [one.due_ms for one in rows_of(outbox, engine)]


def test_a_row_that_can_not_be_sent_is_kept_with_its_reason_and_stops_no_other(
    shop: MailShop, outbox: Outbox, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    family = Jobs(queue="other")

    @family.job("report.gone")
    def gone(_: Mail) -> None: ...

    @family.job("mail.changed")
    def changed(_: Mail) -> None: ...

    before = app_in_memory(App(family), shop.clock)
    with engine.begin() as connection:
        Outbox(before).enqueue_many(connection, [before.request("report.gone", {}, job_id="of-no-type")])
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="good")))
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="waits"), after=["nobody"], job_id="orphan"))
    with engine.begin() as connection:
        text = outbox.table.c.request
        broken = left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="spoilt"), job_id="spoilt"))
        connection.execute(update(outbox.table).where(outbox.table.c.job_id == broken[0]).values({text: "{"}))

    with caplog.at_level(logging.WARNING):
        assert Relayed(sent=1, kept=3) == outbox.relay(engine)

    assert ["good"] == shop.run()
    reasons = {row.job_id: (row.failures, str(row.reason).split(":")[0]) for row in rows_of(outbox, engine)}
    assert {
        "of-no-type": (1, "unknown job type 'report.gone'; known"),
        "orphan": (1, "job 'orphan' can't wait for 'nobody'"),
        "spoilt": (1, "the row can't be read"),
    } == reasons
    said = [one for one in caplog.records if one.message == "outbox.kept"]
    assert {"of-no-type", "orphan", "spoilt"} == {one.__dict__["job_id"] for one in said}
    assert all("lanework outbox retry" in one.__dict__["hint"] for one in said)


def test_the_waits_between_two_tries_double_up_to_an_hour(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(), after=["nobody"]))
    waits = []
    for _ in range(12):
        outbox.relay(engine)
        (row,) = rows_of(outbox, engine)
        waits.append((row.due_ms - milliseconds(shop.clock())) // 1000)
        shop.clock.advance(timedelta(seconds=waits[-1]))

    assert [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600] == waits


def test_what_could_not_be_sent_is_sent_once_its_code_is_there(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    (job_id,) = left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="hello")))
    old = Outbox(app_in_memory(App(), shop.clock))
    assert Relayed(kept=1) == old.relay(engine)
    assert Relayed() == outbox.relay(engine)

    assert 1 == SqlRows(engine, outbox.table).retry([job_id], now_ms=milliseconds(shop.clock()))
    assert (Relayed(sent=1), ["hello"]) == (outbox.relay(engine), shop.run())


def test_a_job_over_its_quota_waits_until_one_more_fits(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, *(shop.newsletter.request(Mail(text=text)) for text in ("one", "two")))
    assert (Relayed(sent=1, kept=1), ["one"]) == (outbox.relay(engine), shop.run())
    (row,) = rows_of(outbox, engine)
    assert str(row.reason).startswith("quota:type:mail.newsletter is used up (1 in 1:00:00): one more fits from")
    shop.clock.advance(moment(row.due_ms) - shop.clock() - timedelta(milliseconds=1))
    assert Relayed() == outbox.relay(engine)
    shop.clock.advance(timedelta(milliseconds=1))

    assert (Relayed(sent=1), ["two"]) == (outbox.relay(engine), shop.run())


def test_an_outage_costs_a_batch_a_few_calls_and_no_row(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    left_by_a_crash(shop, outbox, engine, *(shop.send.request(Mail(text=f"{n}")) for n in range(50)))
    ledger, lanes = break_ports(shop.app)
    ledger.broken, lanes.broken = {"put", "put_many"}, {"send", "send_many"}
    ledger.answers["put_many"] = lambda records: [ledger.port.put(one) for one in records]

    assert Relayed(kept=50) == outbox.relay(engine)
    assert len(ledger.calls) < 10
    mend_ports(shop.app)
    shop.clock.advance(timedelta(seconds=10))
    assert Relayed(sent=50) == outbox.relay(engine)


def test_of_a_batch_with_a_failure_the_others_are_enqueued_once(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    shop.app.enqueue("mail.newsletter", {}, job_id="taken")
    left_by_a_crash(
        shop,
        outbox,
        engine,
        shop.send.request(Mail(text="one")),
        shop.send.request(Mail(text="taken"), job_id="taken"),
        shop.send.request(Mail(text="two")),
    )

    assert Relayed(sent=2, kept=1) == outbox.relay(engine)
    assert ["", "one", "two"] == sorted(shop.run())
    assert "a job of type 'mail.newsletter' has it" in str(rows_of(outbox, engine)[0].reason)


def test_a_row_under_the_id_of_another_is_a_duplicate(shop: MailShop, outbox: Outbox, engine: Engine) -> None:
    for _ in range(2):
        left_by_a_crash(shop, outbox, engine, shop.send.request(Mail(text="welcome"), job_id="welcome-42"))

    assert (Relayed(sent=2), ["welcome"]) == (outbox.relay(engine), shop.run())
