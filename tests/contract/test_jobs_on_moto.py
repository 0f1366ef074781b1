"""The application's own table, and the mail server's login in SSM, on moto in this process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from jobs.mail.login import from_ssm
from jobs.settings import TableSettings
from jobs.store import Archive, Payment, Report, Row, Subscription, Token, Transaction, User
from jobs.store.table import TableStore

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2025, 12, 19, 12, 0, tzinfo=UTC)
REGION = "eu-central-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def store(aws: None) -> TableStore:  # noqa: ARG001 - it has to be there
    boto3.client("dynamodb").create_table(
        TableName="app",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    return TableStore(TableSettings.from_environ({"APP_TABLE": "app", "AWS_REGION": REGION}))


def a_token(token_id: str, *, expires_in: timedelta, kind: str = "otp") -> Token:
    return Token(kind=kind, id=token_id, expires_at=NOON + expires_in)


def a_transaction(transaction_id: str, at: datetime) -> Transaction:
    return Transaction(id=transaction_id, at=at, amount=Decimal("12345678901.10"), currency="MNT", description="Ном")


def expired(store: TableStore, *, page_size: int = 100) -> list[list[str]]:
    return [[one.id for one in page] for page in store.expired_tokens("otp", now=NOON, page_size=page_size)]


def test_expired_tokens_come_oldest_first_and_valid_ones_stay_away(store: TableStore) -> None:
    for token in (
        a_token("valid", expires_in=timedelta(milliseconds=1)),
        a_token("just#now", expires_in=timedelta(0)),
        a_token("old", expires_in=timedelta(days=-400)),
        a_token("session", expires_in=timedelta(days=-1), kind="session"),
    ):
        store.add_token(token)

    assert [["old", "just#now"]] == expired(store)


def test_pages_are_bounded_and_none_is_empty(store: TableStore) -> None:
    for number in range(4):
        store.add_token(a_token(str(number), expires_in=timedelta(seconds=-10)))

    assert [["0", "1"], ["2", "3"]] == expired(store, page_size=2)


def test_tokens_can_be_deleted_while_their_pages_are_read_and_twice(store: TableStore) -> None:
    for number in range(60):
        store.add_token(a_token(f"{number:02}", expires_in=timedelta(seconds=-10)))
    pages = 0
    for page in store.expired_tokens("otp", now=NOON, page_size=30):
        store.delete_tokens(page)
        store.delete_tokens(page)
        pages += 1

    assert (2, []) == (pages, expired(store))


def test_transactions_come_by_day_and_keep_their_digits(store: TableStore) -> None:
    late = datetime(2025, 12, 20, 7, 59, tzinfo=UTC).astimezone()
    kept = [a_transaction("b", NOON - timedelta(days=1)), a_transaction("a", NOON), a_transaction("c", late)]
    for one in [*kept, a_transaction("outside", NOON - timedelta(days=2))]:
        store.add_transaction(one)

    assert [[one] for one in kept] == list(
        store.transactions_between(date(2025, 12, 18), date(2025, 12, 20), page_size=10)
    )


def test_a_transaction_belongs_to_its_day_in_utc(store: TableStore) -> None:
    in_ulaanbaatar = datetime.fromisoformat("2025-12-20T07:00:00+08:00")
    store.add_transaction(a_transaction("a", in_ulaanbaatar))

    (page,) = store.transactions_between(date(2025, 12, 19), date(2025, 12, 19), page_size=10)
    assert ["a"] == [one.id for one in page]


def test_a_report_is_kept_and_replaced_under_its_jobs_id(store: TableStore) -> None:
    for content in ("id\r\n1\r\n", "id\r\n2\r\n"):
        store.put_report(Report(job_id="j1", form="csv", content=content))

    kept = store.report("j1", "csv")
    assert Report(job_id="j1", form="csv", content="id\r\n2\r\n") == kept
    assert (None, None) == (store.report("j1", "html"), store.report("j2", "csv"))


def test_rows_come_by_day_and_a_day_that_is_deleted_is_gone_from_the_list_of_days(store: TableStore) -> None:
    rows = [Row(kind="log", id=f"l{n}", at=NOON + timedelta(days=n), fields={"text": "Ном"}) for n in range(3)]
    for row in rows:
        store.add_row(row)

    found = store.rows_between("log", NOON.date(), NOON.date() + timedelta(days=1), page_size=10)
    assert [[rows[0]], [rows[1]]] == list(found)
    days = [NOON.date(), NOON.date() + timedelta(days=1)]
    assert days == store.days_before("log", rows[2].day)
    store.delete_rows("log", rows[0].day)
    assert days[1:] == store.days_before("log", rows[2].day)
    assert [] == list(store.rows_between("log", rows[0].day, rows[0].day, page_size=10))


def test_parts_of_an_archive_come_in_order_and_old_ones_go(store: TableStore) -> None:
    parts = [
        Archive(kind="log", day=day, part=part, content=bytes([part, 0, 255]))
        for day in (date(2025, 9, 1), date(2025, 12, 1))
        for part in (1, 2, 10)
    ]
    for one in reversed(parts):
        store.put_archive(one)

    assert parts[3:] == store.archive("log", date(2025, 12, 1))
    assert 3 == store.delete_archives("log", before=date(2025, 12, 1))
    assert ([], parts[3:]) == (store.archive("log", date(2025, 9, 1)), store.archive("log", date(2025, 12, 1)))


def test_an_account_is_found_by_its_address_in_any_case_and_reads_the_newsletter_while_it_wants_to(
    store: TableStore,
) -> None:
    bat = User(id="u1", email="Bat@example.com", name="Бат", newsletter=True)
    store.put_user(bat)

    assert (bat, None) == (store.user_by_email("bat@EXAMPLE.com"), store.user_by_email("ada@example.com"))
    assert [[bat]] == list(store.newsletter_readers(page_size=10))
    store.put_user(replace(bat, newsletter=False))
    assert [] == list(store.newsletter_readers(page_size=10))


def test_an_ended_subscription_is_found_until_it_is_marked_and_marking_it_twice_is_no_error(store: TableStore) -> None:
    over = Subscription(id="s1", user_id="u1", ends_at=NOON)
    for one in (over, Subscription(id="s2", user_id="u1", ends_at=NOON + timedelta(seconds=1))):
        store.add_subscription(one)

    (page,) = store.ended_subscriptions(now=NOON, page_size=10)
    assert [over] == page
    store.expire(over)
    store.expire(over)
    assert (True, False) == (store.is_expired("s1"), store.is_expired("s2"))
    assert [] == list(store.ended_subscriptions(now=NOON, page_size=10))


def test_a_payment_comes_back_as_it_was_and_counts_once_in_its_wallet(store: TableStore) -> None:
    payment = Payment(
        id="tx-1",
        user_id="u1",
        email="bat@example.com",
        amount=Decimal("19.90"),
        currency="EUR",
        method="card",
        created_at=NOON,
    )
    store.put_payment(payment)
    paid = replace(payment, status="paid")
    store.put_payment(paid)
    for one in (paid, paid, replace(paid, id="tx-2", amount=Decimal("0.10"))):
        store.credit(one)

    assert (paid, None) == (store.payment("tx-1"), store.payment("tx-2"))
    assert {"EUR": Decimal("20.00")} == store.wallet_entries("u1")
    store.put_balance("u1", store.wallet_entries("u1"))
    assert ({"EUR": Decimal("20.00")}, {}) == (store.balance("u1"), store.balance("u2"))


@pytest.mark.usefixtures("aws")
def test_a_login_is_read_decrypted() -> None:
    boto3.client("ssm").put_parameter(Name="/shop/smtp", Value="user:password", Type="SecureString")

    assert "user:password" == from_ssm("/shop/smtp")
