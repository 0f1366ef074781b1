"""The application's own table, and the mail server's login in SSM, on moto in this process."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from jobs.mail.login import from_ssm
from jobs.settings import TableSettings
from jobs.store import Report, Token, Transaction
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
    store.put_report(Report(job_id="j1", csv="id\r\n1\r\n"))
    store.put_report(Report(job_id="j1", csv="id\r\n2\r\n"))

    assert (Report(job_id="j1", csv="id\r\n2\r\n"), None) == (store.report("j1"), store.report("j2"))


@pytest.mark.usefixtures("aws")
def test_a_login_is_read_decrypted() -> None:
    boto3.client("ssm").put_parameter(Name="/shop/smtp", Value="user:password", Type="SecureString")

    assert "user:password" == from_ssm("/shop/smtp")
