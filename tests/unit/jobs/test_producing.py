"""What the application asks for in its own words: its lane, what is the same again, what is refused or split."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from jobs import app, producing
from lanework import EnqueueError, InvalidPayloadError
from lanework.testing import app_in_memory
from tests.support.asked import ASKED
from tests.support.fakes import break_ports


@pytest.fixture(autouse=True)
def _in_memory() -> None:
    app_in_memory(app)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_for_goes_into_its_lane_and_asking_twice_is_once_where_it_is_the_same(name: str) -> None:
    ask, job_type, lane, is_known_again = ASKED[name]

    first, second = ask(), ask()

    assert first is not None
    assert second is not None
    record = app.get(first.job_id)
    assert (record.type, record.lane, first.duplicate, second.duplicate) == (job_type, lane, False, is_known_again)


@pytest.mark.parametrize("name", ASKED)
def test_asking_takes_under_ten_milliseconds_of_its_own_time(name: str) -> None:
    """The processor's time, of the fastest of five: the machine may be busy, the ports here are in memory."""
    ask = ASKED[name][0]
    spent = []
    for _ in range(5):
        before = time.process_time()
        ask()
        spent.append(time.process_time() - before)

    assert min(spent) < 0.010


def test_no_id_holds_an_address_or_a_token() -> None:
    for name in ("reset", "welcome", "bulk", "sign-in"):
        ASKED[name][0]()

    ids = [one.job_id for one in app.inspector.page(limit=100).jobs]
    assert (len(ids), [one for one in ids if "b.mn" in one or "tok" in one]) == (4, [])


def all_jobs() -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = app.inspector.page(limit=100, cursor=cursor)
        yield from (json.loads(one.payload or "{}") for one in page.jobs)
        cursor = page.cursor
        if cursor is None:
            return


def test_a_mail_to_ten_thousand_is_split_into_mails_of_fifty_and_everybody_gets_one() -> None:
    everybody = [f"u{number}@example.com" for number in range(10_000)]

    receipts = producing.send_email(everybody, "Hi", "x", job_id="all")

    assert [receipts[0].job_id, receipts[-1].job_id, len(receipts)] == ["all", "all.200", 200]
    sent_to = [address for one in receipts for address in json.loads(app.get(one.job_id).payload or "")["to"]]
    assert sent_to == everybody


@pytest.mark.parametrize(
    "recipients", [[], "nobody", ["a@example.com"] * 60 + ["nobody"], ["a@example.com\nBcc: b@example.com"]]
)
def test_a_mail_to_nobody_or_to_a_bad_address_among_many_is_refused_and_sent_to_none(recipients: Any) -> None:
    with pytest.raises(InvalidPayloadError, match=r"email\.send.*to"):
        producing.send_email(recipients, "Hi", "x")

    assert list(all_jobs()) == []


def test_a_bad_mail_among_many_keeps_all_of_them_from_being_sent() -> None:
    with pytest.raises(InvalidPayloadError, match="subject"):
        producing.send_bulk_emails([("a@example.com", "Hi", "x"), ("b@example.com", "Hi\nBcc: c@d.mn", "x")], batch="w")

    assert list(all_jobs()) == []


def test_a_template_that_lacks_a_value_is_refused_and_nothing_sent() -> None:
    with pytest.raises(InvalidPayloadError, match=r"template 'reminder': data\.about: Field required"):
        producing.send_template("a@example.com", "Hi", "reminder", {})

    assert list(all_jobs()) == []


def test_while_nothing_can_be_enqueued_a_reset_is_sent_from_here_and_what_is_wrong_is_still_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger, lanes = break_ports(app)
    ledger.broken.add("put")
    lanes.broken.add("send")

    assert producing.send_password_reset("a@b.mn", "tok").ran_inline

    assert "a@b.mn" in capsys.readouterr().out, "where no mail server is set, mails are shown"
    with pytest.raises(InvalidPayloadError, match="email"):
        producing.send_password_reset("nobody", "tok")
    with pytest.raises(EnqueueError):
        producing.send_code("a@b.mn", "123456")
