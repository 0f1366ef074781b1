"""An id that is used again: by another type's job, or with another payload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Job, JobIdTakenError, Jobs, Run
from lanework.model.limits import Quota
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports, mend_ports

HOUR = timedelta(hours=1)
LARGE = "x" * 3000


class Note(BaseModel):
    """A payload."""

    text: str = "hello"
    who: frozenset[str] = frozenset()


@dataclass(slots=True)
class Shop:
    """Two job types, the second of which was called otherwise before, and what ran."""

    app: App
    clock: Clock
    events: EventList
    mail: Job[Note, [Run], object, object]
    pay: Job[Note, [Run], object, object]
    ran: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(name="shop")
def a_shop() -> Shop:
    family = Jobs(queue="notes")

    @family.job("note.mail", key="text", quota=Quota(1000, per=HOUR))
    def mail(note: Note, run: Run) -> object:
        shop.ran.append(("mail", note.text))
        return run.job_id

    @family.job("note.pay", aliases=("note.payment",))
    def pay(note: Note, run: Run) -> object:
        shop.ran.append(("pay", note.text))
        return run.job_id

    clock, events = Clock(), EventList()
    shop = Shop(app_in_memory(App(family), clock, events=events), clock, events, mail, pay)
    return shop


WAYS: dict[str, Callable[[Shop], Any]] = {
    "one": lambda shop: shop.pay.enqueue(Note(), job_id="n-1"),
    "one under guards": lambda shop: shop.mail.enqueue(Note(), job_id="n-1"),
    "by name": lambda shop: shop.app.enqueue("note.pay", {}, job_id="n-1"),
    "delayed": lambda shop: shop.pay.enqueue(Note(), job_id="n-1", delay=HOUR),
    "many": lambda shop: shop.app.enqueue_many([shop.pay.request(Note()), shop.pay.request(Note(), job_id="n-1")]),
    "one that waits": lambda shop: shop.pay.enqueue(Note(), job_id="n-1", after=["p-1"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_id_that_another_types_job_has_is_refused_and_names_both(shop: Shop, way: str) -> None:
    shop.pay.enqueue(Note(), job_id="p-1")
    first, other = (shop.pay, "note.mail") if way == "one under guards" else (shop.mail, "note.pay")
    first.enqueue(Note(), job_id="n-1")

    with pytest.raises(JobIdTakenError) as refused:
        WAYS[way](shop)

    told = refused.value
    assert (told.job_id, told.job_type, told.taken_by) == ("n-1", other, first.name)
    assert {"n-1", "note.mail", "note.pay"} <= {word.strip("':;,") for word in str(told).split()}
    drain(shop.app)
    assert shop.app.get("n-1").type == first.name


def test_of_many_the_others_are_enqueued_and_the_error_says_how_many_were_not(shop: Shop) -> None:
    shop.mail.enqueue(Note(), job_id="n-1")

    with pytest.raises(JobIdTakenError, match=r"\(1 of 3 jobs were refused, the others were enqueued\)"):
        shop.app.enqueue_many([shop.pay.request(Note(text=one), job_id=one) for one in ("n-0", "n-1", "n-2")])

    drain(shop.app)
    assert sorted(shop.ran) == [("mail", "hello"), ("pay", "n-0"), ("pay", "n-2")]


def test_two_types_of_one_call_with_one_id_are_refused_before_anything_is_enqueued(shop: Shop) -> None:
    with pytest.raises(JobIdTakenError):
        shop.app.enqueue_many([shop.pay.request(Note(), job_id="n-1"), shop.mail.request(Note(), job_id="n-1")])

    assert drain(shop.app) == 0


def test_a_type_that_was_called_otherwise_is_the_same(shop: Shop) -> None:
    shop.pay.enqueue(Note(), job_id="n-1")
    ledger: Any = shop.app.ports.ledger
    from dataclasses import replace  # noqa: PLC0415

    ledger.records["n-1"] = replace(ledger.records["n-1"], type="note.payment")

    assert shop.pay.enqueue(Note(), job_id="n-1").duplicate


@pytest.mark.parametrize("text", ["hello", LARGE])
@pytest.mark.parametrize(("again", "differs"), [(None, False), ("else", True), (LARGE + "y", True)])
def test_a_receipt_says_that_the_payload_differs(shop: Shop, text: str, again: str | None, differs: bool) -> None:
    shop.pay.enqueue(Note(text=text), job_id="n-1")

    one = shop.pay.enqueue(Note(text=again or text), job_id="n-1")
    (many,) = shop.app.enqueue_many([shop.pay.request(Note(text=again or text), job_id="n-1")])
    drain(shop.app)
    later = shop.pay.enqueue(Note(text=again or text), job_id="n-1")

    assert [(it.duplicate, it.payload_differs) for it in (one, many, later)] == [(True, differs)] * 3
    assert shop.ran == [("pay", text)]


def test_of_one_call_the_second_with_another_payload_says_so(shop: Shop) -> None:
    requests = [shop.pay.request(Note(text=text), job_id="n-1") for text in ("a", "a", "b")]

    assert [one.payload_differs for one in shop.app.enqueue_many(requests)] == [False, False, True]


def test_a_key_that_is_held_by_a_job_with_another_payload_says_so(shop: Shop) -> None:
    first = shop.mail.enqueue(Note(text="a", who=frozenset({"x"})), unique_for=HOUR)
    again = shop.mail.enqueue(Note(text="a", who=frozenset({"x"})), unique_for=HOUR)
    other = shop.mail.enqueue(Note(text="a", who=frozenset({"y"})), unique_for=HOUR)

    assert (first.payload_differs, again.payload_differs, other.payload_differs) == (False, False, True)
    assert {first.job_id, again.job_id, other.job_id} == {first.job_id}


def test_what_is_said_in_another_order_is_the_same(shop: Shop) -> None:
    shop.pay.enqueue(Note(text=LARGE, who=frozenset({"a", "b", "c"})), job_id="n-1")
    ledger: Any = shop.app.ports.ledger
    from dataclasses import replace  # noqa: PLC0415

    turned = f'{{"text":"{LARGE}","who":["c","b","a"]}}'
    ledger.records["n-1"] = replace(ledger.records["n-1"], payload=turned, digest="0" * 16)

    assert not shop.pay.enqueue(Note(text=LARGE, who=frozenset("abc")), job_id="n-1").payload_differs


def test_an_unrecorded_job_does_not_run_in_the_place_of_another_types(shop: Shop) -> None:
    shop.mail.enqueue(Note(text="theirs"), job_id="n-1")
    ledger, _ = break_ports(shop.app)
    ledger.broken.add("put")
    shop.pay.enqueue(Note(text="mine"), job_id="n-1")
    mend_ports(shop.app)

    drain(shop.app)

    assert shop.ran == [("mail", "theirs")]
    assert "message.dropped" in shop.events.actions


def test_a_repeated_large_payload_costs_no_read(shop: Shop) -> None:
    shop.pay.enqueue(Note(text=LARGE), job_id="n-1")
    drain(shop.app)
    ledger, _ = break_ports(shop.app)

    shop.pay.enqueue(Note(text=LARGE), job_id="n-1")

    assert ledger.calls == ["put"]


@pytest.mark.parametrize("job_id", ["", " ", "a b", "a/b", "x" * 129, "ä", "a\n", "-a"])
def test_an_id_that_is_none_is_refused(shop: Shop, job_id: str) -> None:
    with pytest.raises(ValueError, match="job_id"):
        shop.pay.enqueue(Note(), job_id=job_id)
