from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    InvalidOptionError,
    InvalidPayloadError,
    Jobs,
    TooLargeError,
    UnknownJobTypeError,
)
from lanework.errors import UndecodableError
from lanework.outbox.rows import request_of, row_of, with_id
from lanework.testing import NOON, app_in_memory
from tests.support.mail_shop import Mail, MailShop, a_mail_shop

HOUR = timedelta(hours=1)


class Renamed(BaseModel):
    """Payload of code that has changed."""

    address: str


@pytest.fixture
def shop() -> MailShop:
    return a_mail_shop()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"job_id": "welcome-42", "tenant": "acme", "correlation_id": "request-7"},
        {"lane": "critical"},
        {"lane": "low", "attempts": 3},
        {"attempts": 9, "backoff": timedelta(seconds=0.25), "timeout": timedelta(seconds=7)},
        {"webhook": "https://example.com/hook", "unique_for": HOUR},
        {"run_at": NOON + HOUR, "start_by": NOON + 2 * HOUR},
        {"after": ["order-1", "order-2"], "on_failure": "run"},
    ],
)
def test_a_request_comes_back_from_its_row_as_it_was(shop: MailShop, options: dict[str, Any]) -> None:
    asked = with_id(shop.send.request(Mail(text="Сайн уу"), **options), shop.app)

    assert asked == request_of(row_of(asked, shop.app), shop.app)


def test_a_job_in_another_queue_than_its_types_stays_in_it_when_a_relay_sends_it(shop: MailShop) -> None:
    request = shop.send.request(Mail())
    asked = with_id(replace(request, type=replace(request.type, queue="newsletter")), shop.app)

    assert "newsletter" == request_of(row_of(asked, shop.app), shop.app).type.queue


def test_times_that_count_from_now_are_absolute_in_a_row(shop: MailShop) -> None:
    asked = with_id(shop.send.request(Mail(), delay=HOUR, start_by=2 * HOUR), shop.app)

    assert (None, NOON + HOUR, NOON + 2 * HOUR) == (asked.delay, asked.run_at, asked.start_by)


def test_what_the_type_says_is_looked_up_when_the_job_is_sent(shop: MailShop) -> None:
    row = row_of(with_id(shop.send.request(Mail(), attempts=7), shop.app), shop.app)
    family = Jobs(queue="mail")

    @family.job("mail.send", lane="low", timeout=timedelta(seconds=3))
    def send(_: Mail) -> None: ...

    policy = request_of(row, app_in_memory(App(family))).policy
    assert ("low", 7, timedelta(seconds=3)) == (policy.lane, policy.attempts, policy.timeout)


def test_what_an_enqueue_refuses_is_refused_when_it_is_written(shop: MailShop) -> None:
    with pytest.raises(TooLargeError, match="payload is"):
        row_of(with_id(shop.send.request(Mail(text="x" * 300_000)), shop.app), shop.app)
    with pytest.raises(InvalidOptionError, match="it would never run"):
        row_of(with_id(shop.send.request(Mail(), run_at=NOON + HOUR, start_by=HOUR), shop.app), shop.app)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"debounce": HOUR}, "debounce can't be used in an outbox, since a row may be sent twice"),
        ({"fallback": "inline"}, "fallback can't be used in an outbox, since a row is kept until it can be sent"),
    ],
)
def test_what_a_row_can_not_keep_is_refused_with_what_to_do(shop: MailShop, options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidOptionError, match=f"{why}.*: leave it out, or enqueue after the commit"):
        with_id(shop.send.request(Mail(), **options), shop.app)


def test_code_that_does_not_know_the_type_or_the_payload_says_so(shop: MailShop) -> None:
    row = row_of(with_id(shop.send.request(Mail(text="hello")), shop.app), shop.app)

    family = Jobs(queue="mail")

    @family.job("mail.send")
    def send(_: Renamed) -> None: ...

    with pytest.raises(UnknownJobTypeError, match=r"unknown job type 'mail\.send'"):
        request_of(row, app_in_memory(App()))
    with pytest.raises(InvalidPayloadError, match="address"):
        request_of(row, app_in_memory(App(family)))


def test_a_payload_of_a_later_version_waits_for_the_code_that_has_written_it(shop: MailShop) -> None:
    family = Jobs(queue="mail")

    @family.job("mail.send", version=2)
    def send(_: Mail) -> None: ...

    later = app_in_memory(App(family))
    row = row_of(with_id(later.request("mail.send", {}), later), later)

    with pytest.raises(UndecodableError, match="its payload is of version 2, and this code knows 1: deploy"):
        request_of(row, shop.app)


@pytest.mark.parametrize("text", ["", "{", '{"type": "mail.send"}', '{"v": 2}'])
def test_a_row_that_nobody_can_read_is_an_error_that_names_the_place(shop: MailShop, text: str) -> None:
    row = row_of(with_id(shop.send.request(Mail()), shop.app), shop.app)

    with pytest.raises(UndecodableError, match="the row can't be read"):
        request_of(replace(row, request=text), shop.app)
