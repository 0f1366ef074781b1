"""Jobs in a project's own transactions: rows of its database, sent after the commit or by a relay."""

from __future__ import annotations

import io
import re
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework import ConfigError
from lanework.outbox import Relayed
from lanework.testing import Clock, app_in_memory, drain
from tests.support.django_projects import DATABASES
from tests.support.fakes import break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = pytest.mark.parametrize("database", DATABASES)
MINUTE = timedelta(minutes=1)


class Letters:
    """The project's application of letters, its outbox, and what was sent."""

    def __init__(self, clock: Clock) -> None:
        from django.db.transaction import atomic  # noqa: PLC0415 - Django is set up by now
        from shop import jobs  # noqa: PLC0415 - as above

        from lanework.django import outbox  # noqa: PLC0415 - as above
        from lanework.django.models import OutboxRow  # noqa: PLC0415 - as above

        self.clock, self.atomic, self.outbox, self.jobs = clock, atomic, outbox, jobs
        self.rows = OutboxRow.objects
        self.app = app_in_memory(jobs.app, clock)
        jobs.SENT.clear()

    def write(self, text: str, database: str, **options: Any) -> str:
        job_id: str = self.outbox.enqueue(self.jobs.send.request({"text": text}, **options), using=database).job_id
        return job_id

    def crash_after_the_commit(self, text: str, database: str, **options: Any) -> None:
        """Leave a row to the relay, which is due."""
        ledger, lanes = break_ports(self.app)
        ledger.broken, lanes.broken = {"put"}, {"send"}
        self.write(text, database, **options)
        mend_ports(self.app)
        self.clock.advance(MINUTE)

    @property
    def sent(self) -> list[str]:
        drain(self.app)
        return list(self.jobs.SENT)


@pytest.fixture
def letters(project: object, clock: Clock) -> Iterator[Letters]:  # noqa: ARG001 - is set up
    from django.test import override_settings  # noqa: PLC0415 - Django is set up by now

    with override_settings(LANEWORK_APP="shop.jobs:app"):
        letters = Letters(clock)
        yield letters
        for database in DATABASES:
            letters.rows.using(database).all().delete()


def manage(*words: str) -> str:
    from django.core.management import call_command  # noqa: PLC0415 - Django is set up by now

    out = io.StringIO()
    call_command("lanework_outbox", *words, stdout=out)
    return out.getvalue().strip()


@DATABASE
def test_a_job_in_a_transaction_is_a_row_until_the_commit_and_a_job_then(letters: Letters, database: str) -> None:
    with letters.atomic(using=database):
        letters.write("committed", database)
        with suppress(ZeroDivisionError), letters.atomic(using=database):
            letters.write("undone", database)
            raise ZeroDivisionError
        with letters.atomic(using=database):
            letters.write("released", database)
        assert (letters.rows.using(database).count(), letters.sent) == (2, [])
    assert (letters.rows.using(database).count(), letters.sent) == (0, ["committed", "released"])

    with suppress(ZeroDivisionError), letters.atomic(using=database):
        letters.write("rolled back", database)
        raise ZeroDivisionError
    letters.clock.advance(MINUTE)
    assert letters.outbox.relay(using=database) == Relayed()


@DATABASE
def test_without_a_transaction_a_job_is_sent_at_once(letters: Letters, database: str) -> None:
    letters.write("at once", database)

    assert (letters.rows.using(database).count(), letters.sent) == (0, ["at once"])


@DATABASE
def test_what_a_crash_left_is_sent_once_by_a_relay(letters: Letters, database: str) -> None:
    letters.crash_after_the_commit("hello", database)

    assert letters.sent == []
    assert [letters.outbox.relay(using=database) for _ in range(2)] == [Relayed(sent=1), Relayed()]
    assert letters.sent == ["hello"]


def test_relays_side_by_side_share_the_rows(letters: Letters) -> None:
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    from lanework.django.outbox import DjangoRows  # noqa: PLC0415 - as above

    for number in range(40):
        letters.crash_after_the_commit(f"{number}", "postgresql")
    now = int(letters.clock().timestamp() * 1000)
    claimed: list[str] = []

    def claim(token: str) -> None:
        while rows := DjangoRows("postgresql").claim(now_ms=now, until_ms=now + 60_000, token=token, most=5):
            claimed.extend(row.id for row in rows)
        connections.close_all()

    relays = [threading.Thread(target=claim, args=(f"relay-{number}",)) for number in range(3)]
    for one in relays:
        one.start()
    for one in relays:
        one.join()
    assert (len(claimed), len(set(claimed))) == (40, 40)


@DATABASE
def test_the_command_relays_and_says_what_it_keeps(letters: Letters, database: str) -> None:
    letters.crash_after_the_commit("good", database)
    letters.crash_after_the_commit("waits", database, after=["nobody"], job_id="orphan")
    on = ("--database", database)

    assert manage("relay", "--once", *on) == "1 sent, 1 kept: `manage.py lanework_outbox list` says why"
    assert "orphan  letter.send  1 failures" in manage("list", *on)
    assert "job 'orphan' can't wait for 'nobody'" in manage("list", *on)
    assert manage("retry", *on) == "1 due now"
    assert manage("drop", "orphan", *on) == "1 dropped"
    assert manage("list", *on) == ""
    assert letters.sent == ["good"]


def test_a_database_without_the_table_is_named_with_the_command_that_makes_it(letters: Letters) -> None:
    from django.core.management import call_command  # noqa: PLC0415 - Django is set up by now

    call_command("migrate", "lanework", "zero", verbosity=0)
    try:
        with pytest.raises(ConfigError, match=r"no table lanework_outbox in database 'default': manage\.py migrate"):
            letters.write("hello", "default")
        with letters.atomic(), pytest.raises(ConfigError):
            letters.write("hello", "default")
        with pytest.raises(ConfigError):
            letters.outbox.relay()
    finally:
        call_command("migrate", "lanework", verbosity=0)


def test_the_example_of_the_page_on_transactions_sends_its_letter(letters: Letters) -> None:
    page = (Path(__file__).parents[2] / "docs" / "transactions.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```\n(from django.*?)^```$", page, re.DOTALL | re.MULTILINE)

    exec(example, {})  # noqa: S102 - our own page

    assert letters.sent == ["Thank you, Anu!"]
