"""Tasks and mail that are enqueued in a transaction: they are jobs once it is committed, and never if it isn't."""

from __future__ import annotations

import asyncio
import unittest
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from frameworks import BACKEND, TaskResultDoesNotExist, TaskResultStatus

from lanework import InvalidPayloadError, TooLargeError
from lanework.testing import NOON, drain
from tests.support.django_projects import DATABASES
from tests.support.fakes import break_ports, mend_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework import App
    from lanework.testing import Clock

DATABASE = pytest.mark.parametrize("database", DATABASES)


class OnPurposeError(Exception):
    """What rolls a transaction back."""


@contextmanager
def rolled_back(block: Any) -> Iterator[None]:
    """Enter an atomic block, and leave it by an error."""
    with suppress(OnPurposeError), block:
        yield
        raise OnPurposeError


@pytest.fixture
def greet(app: App) -> Any:  # noqa: ARG001 - in memory
    from shop.tasks import greet  # noqa: PLC0415 - Django is set up by now

    return greet


@pytest.fixture
def atomic(project: object) -> Any:  # noqa: ARG001 - is set up
    from django.db.transaction import atomic  # noqa: PLC0415 - Django is set up by now

    return atomic


@pytest.fixture
def orders(project: object) -> Iterator[Any]:  # noqa: ARG001 - is set up
    from shop.models import Order  # noqa: PLC0415 - Django is set up by now

    yield Order.objects
    for database in DATABASES:
        Order.objects.using(database).all().delete()


def jobs(app: App) -> int:
    return len(app.inspector.page(limit=100).jobs)


@DATABASE
def test_a_task_in_a_transaction_is_a_job_from_the_commit_on(
    app: App, greet: Any, atomic: Any, orders: Any, database: str
) -> None:
    with atomic(using=database):
        orders.using(database).create(name="Anu")
        result = greet.enqueue("Anu")

        assert (result.status, result.enqueued_at, jobs(app)) == (TaskResultStatus.READY, None, 0)
        with pytest.raises(TaskResultDoesNotExist, match=result.id):
            greet.get_result(result.id)

    assert result.enqueued_at == NOON
    assert greet.get_result(result.id) == result
    drain(app)
    assert greet.get_result(result.id).return_value == "Hello, Anu!"


@DATABASE
def test_a_task_in_a_transaction_that_rolls_back_never_runs(
    app: App, greet: Any, atomic: Any, orders: Any, database: str
) -> None:
    with rolled_back(atomic(using=database)):
        orders.using(database).create(name="Anu")
        greet.enqueue("Anu")

    assert (jobs(app), orders.using(database).count()) == (0, 0)


@DATABASE
def test_of_nested_blocks_what_the_inner_one_rolled_back_is_not_enqueued(
    app: App, greet: Any, atomic: Any, database: str
) -> None:
    with atomic(using=database):
        greet.enqueue("outer")
        with rolled_back(atomic(using=database)):
            greet.enqueue("rolled back")
        with atomic(using=database):
            greet.enqueue("inner")
        assert jobs(app) == 0

    drain(app)
    from shop.tasks import RAN  # noqa: PLC0415 - Django is set up by now

    assert sorted(RAN) == ["inner", "outer"]


def test_what_the_outer_block_rolls_back_takes_the_inner_one_along(app: App, greet: Any, atomic: Any) -> None:
    with rolled_back(atomic()), atomic():
        greet.enqueue("inner")

    assert jobs(app) == 0


@pytest.mark.parametrize(("outer", "inner"), [DATABASES, DATABASES[::-1]])
def test_of_two_databases_each_must_commit(app: App, greet: Any, atomic: Any, outer: str, inner: str) -> None:
    with atomic(using=outer):
        with atomic(using=inner):
            greet.enqueue("both")
        assert jobs(app) == 0
    assert jobs(app) == 1

    with rolled_back(atomic(using=outer)), atomic(using=inner):
        greet.enqueue("one")
    assert jobs(app) == 1


@pytest.fixture
def rows(app: App) -> Any:  # noqa: ARG001 - is set up
    """What is in the outbox of PostgreSQL, where tasks and mail are written."""
    from django.test import override_settings  # noqa: PLC0415 - Django is set up by now

    from lanework.django.models import OutboxRow  # noqa: PLC0415 - as above

    with override_settings(LANEWORK_OUTBOX="postgresql"):
        yield lambda: OutboxRow.objects.using("postgresql").count()


def test_with_an_outbox_a_task_is_a_row_of_the_transaction(app: App, greet: Any, atomic: Any, rows: Any) -> None:
    with rolled_back(atomic(using="postgresql")):
        greet.enqueue("rolled back")
        assert (rows(), jobs(app)) == (1, 0)
    assert (rows(), jobs(app)) == (0, 0)

    with atomic(using="postgresql"):
        result = greet.enqueue("Anu")
        assert (rows(), result.enqueued_at) == (1, None)
    assert (rows(), result.enqueued_at) == (0, NOON)
    drain(app)
    assert greet.get_result(result.id).return_value == "Hello, Anu!"


def test_with_an_outbox_what_couldnt_be_sent_after_the_commit_is_sent_by_the_relay(
    app: App, greet: Any, atomic: Any, rows: Any, clock: Clock
) -> None:
    from lanework.django import outbox  # noqa: PLC0415 - Django is set up by now

    ledger, lanes = break_ports(app)
    ledger.broken, lanes.broken = {"put", "put_many"}, {"send", "send_many"}
    with atomic(using="postgresql"):
        result = greet.enqueue("Anu")
    assert rows() == 1

    mend_ports(app)
    clock.advance(timedelta(hours=1))
    assert outbox.relay(using="postgresql").sent == 1
    assert rows() == 0
    drain(app)
    assert greet.get_result(result.id).return_value == "Hello, Anu!"


def test_what_can_never_be_enqueued_is_refused_before_the_commit(app: App, greet: Any, atomic: Any) -> None:
    with pytest.raises(TooLargeError, match="payload is 300,0"), atomic():
        greet.enqueue("x" * 300_000)
    with pytest.raises(InvalidPayloadError), atomic():
        greet.enqueue(float("nan"))

    assert jobs(app) == 0


def test_a_task_that_is_enqueued_from_async_code_outside_of_transactions_is_sent_at_once(app: App, greet: Any) -> None:
    asyncio.run(greet.aenqueue("Anu"))

    assert jobs(app) == 1


def test_a_project_may_enqueue_at_once(app: App, greet: Any, atomic: Any) -> None:
    from django.test import override_settings  # noqa: PLC0415 - Django is set up by now

    at_once = {"default": {"BACKEND": BACKEND, "OPTIONS": {"ENQUEUE_ON_COMMIT": False}}}
    with override_settings(TASKS=at_once), rolled_back(atomic()):
        greet.enqueue("Anu")

    assert jobs(app) == 1


def test_in_a_test_case_of_djangos_only_the_codes_own_blocks_count(
    app: App, greet: Any, atomic: Any, outcome_of: Any
) -> None:
    def body(case: Any) -> None:
        greet.enqueue("at once")
        assert jobs(app) == 1
        with case.captureOnCommitCallbacks(execute=True) as callbacks, atomic():
            result = greet.enqueue("Anu")
        assert len(callbacks) == 1
        drain(app)
        assert greet.get_result(result.id).return_value == "Hello, Anu!"

    assert outcome_of(body) == ([], [])


@pytest.fixture
def outcome_of(project: object) -> Any:  # noqa: ARG001 - is set up
    """Run something in a test case of Django's on both databases; return its failures and errors."""
    from django.test import TestCase  # noqa: PLC0415 - Django is set up by now

    def run(body: Any) -> Any:
        class Case(TestCase):  # type: ignore[misc]
            databases = frozenset(DATABASES)

            def runTest(self) -> None:  # noqa: N802 - unittest's
                body(self)

        outcome = unittest.TestResult()
        unittest.TestSuite([Case()]).run(outcome)
        return outcome.failures, outcome.errors

    return run
