"""Payloads of older versions, brought up to today's before they are validated."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from lanework import App, Concurrency, DeclarationError, Jobs, State
from lanework.engine.ports.messages import OutgoingMessage
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause
from lanework.testing import Clock, drain, memory_ports
from tests.support.fakes import break_limits, break_ports, mend_ports


class V1(BaseModel):
    """What producers sent that nobody has deployed anew."""

    mail: str = "bat@example.com"
    note: str = ""


class V3(BaseModel):
    """What the worker reads."""

    model_config = ConfigDict(extra="forbid", strict=True)

    addresses: list[str]
    day: date
    note: str = ""


def from_1(payload: dict[str, Any]) -> dict[str, Any]:
    return {"address": payload.pop("mail"), **payload}


def from_2(payload: dict[str, Any]) -> dict[str, Any]:
    return {"addresses": [payload.pop("address")], "day": "2026-11-30", **payload}


CHAIN: dict[int, Callable[[Any], Any]] = {1: from_1, 2: from_2}


class World:
    """A producer with the first version, and a worker with the third."""

    def __init__(self, **said: Any) -> None:
        self.seen: list[V3] = []
        old, new = Jobs(queue="mail"), Jobs(queue="mail")

        @old.job("mail.send", attempts=3)
        def send(_: V1) -> None: ...

        @new.job("mail.send", attempts=3, **{"version": 3, "upcast": CHAIN, **said})
        def send_now(payload: V3) -> None:
            self.seen.append(payload)

        self.send, self.send_now = send, send_now
        ports = memory_ports(Clock())
        self.producer, self.worker = App(old), App(new)
        self.producer.use(ports)
        self.worker.use(ports)

    def ended(self, job_id: str) -> Any:
        drain(self.worker)
        return self.worker.get(job_id)


@pytest.fixture(name="world")
def a_world() -> World:
    return World()


@pytest.mark.parametrize("note", ["", "x" * 3_000])
def test_a_job_of_an_older_producer_runs_on_todays_model(world: World, note: str) -> None:
    receipt = world.send.enqueue(V1(note=note))

    assert world.ended(receipt.job_id).state is State.COMPLETED
    assert world.seen == [V3(addresses=["bat@example.com"], day=date(2026, 11, 30), note=note)]


def test_one_of_today_is_left_as_it_is(world: World) -> None:
    world.send_now.enqueue(V3(addresses=["a", "b"], day=date(2026, 1, 2)))

    drain(world.worker)
    assert world.seen == [V3(addresses=["a", "b"], day=date(2026, 1, 2))]


def test_a_job_that_was_sent_while_the_ledger_was_away_is_brought_up_to_date_too(world: World) -> None:
    ledger, _ = break_ports(world.producer)
    ledger.broken = {"put"}
    world.send.enqueue(V1(), job_id="job-1")
    mend_ports(world.producer)

    assert world.ended("job-1").state is State.COMPLETED
    assert len(world.seen) == 1


def test_the_record_and_its_payload_stay_as_they_were(world: World) -> None:
    receipt = world.send.enqueue(V1())

    record = world.ended(receipt.job_id)
    assert (record.version, json.loads(record.payload)) == (1, {"mail": "bat@example.com", "note": ""})


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda payload: payload["gone"], "payload: upcast from version 2 raised KeyError"),
        (lambda payload: payload.clear(), "payload: upcast from version 2 returned nothing: return the payload"),
        (lambda _: {"a": object()}, "payload: upcast from version 2 raised PydanticSerializationError"),
        (lambda _: {"addresses": []}, "day: Field required"),
    ],
)
def test_one_that_can_not_be_brought_up_to_date_is_dead_at_once_and_says_at_which_step(step: Any, says: str) -> None:
    world = World(upcast={1: from_1, 2: step})

    record = world.ended(world.send.enqueue(V1()).job_id)

    assert (record.state, record.cause, record.attempts) == (State.DEAD, Cause.INVALID, 1)
    assert says in record.error


def test_it_can_be_redriven_once_the_step_is_mended() -> None:
    world = World(upcast={1: from_1, 2: lambda _: None})
    job_id = world.send.enqueue(V1()).job_id
    assert world.ended(job_id).state is State.DEAD

    mended = World()
    mended.worker.use(world.producer.ports)
    mended.worker.dead_letters.redrive_job(job_id)
    assert mended.ended(job_id).state is State.COMPLETED


def test_an_older_version_than_the_first_step_is_dead_and_says_what_to_add() -> None:
    world = World(upcast={2: from_2})

    record = world.ended(world.send.enqueue(V1()).job_id)

    assert record.cause is Cause.INVALID
    assert "payload: is of version 1, and upcast begins at version 2: add 1: … to it" in record.error


def test_under_an_old_name_it_is_as_dead() -> None:
    world = World(upcast={1: from_1, 2: lambda _: None})
    family = Jobs(queue="mail")

    @family.job("mail.send.all", aliases=("mail.send",), version=3, upcast={1: from_1, 2: lambda _: None})
    def send(_: V3) -> None: ...

    renamed = App(family)
    renamed.use(world.producer.ports)
    receipt = world.send.enqueue(V1())
    drain(renamed)

    assert renamed.get(receipt.job_id).cause is Cause.INVALID


def test_a_limit_counts_an_old_payload_by_todays_field() -> None:
    world = World(concurrency=Concurrency(1, key="day"))
    receipt = world.send.enqueue(V1())
    waiting = world.send_now.enqueue(V3(addresses=[], day=date(2026, 11, 30)))
    held: list[str] = []
    limits = break_limits(world.worker)
    port = limits.port

    def take(name: str, **said: Any) -> Any:
        held.append(name)
        return port.take(name, **said)

    limits.answers["take"] = take

    assert world.ended(receipt.job_id).state is State.COMPLETED
    assert world.ended(waiting.job_id).state is State.COMPLETED
    assert len(set(held)) == 1


def test_a_repetition_by_todays_producer_is_no_other_payload(world: World) -> None:
    world.send.enqueue(V1(), job_id="job-1")

    receipt = world.send_now.enqueue(V3(addresses=["bat@example.com"], day=date(2026, 11, 30)), job_id="job-1")

    assert (receipt.duplicate, receipt.payload_differs) == (True, False)


def test_an_open_message_of_an_older_version_is_brought_up_to_date(world: World) -> None:
    body = {"lanework": 1, "type": "mail.send", "payload": {"mail": "ada@example.com"}, "id": "job-1", "version": 1}
    lanes: Any = world.worker.ports.lanes
    lanes.send(Lane.MEDIUM, OutgoingMessage(body=json.dumps(body)))
    drain(world.worker)

    assert [one.addresses for one in world.seen] == [["ada@example.com"]]
    assert world.worker.get("job-1").version == 3


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"version": 3, "upcast": {1: from_1}}, "upcast of job 'mail.send' has no step from version 2 to 3: add 2: …"),
        ({"version": 4, "upcast": {1: from_1, 3: from_2}}, "has no step from version 2 to 3: add 2: …"),
        (
            {"version": 2, "upcast": {1: from_1, 2: from_2}},
            "has a step from version 2, and its version is 2: raise that",
        ),
        ({"upcast": {1: from_1}}, "has a step from version 1, and its version is 1: raise that"),
        ({"version": 2, "upcast": {0: from_1, 1: from_1}}, "has a step from version 0"),
        ({"version": 2, "upcast": {"1": from_1}}, "maps each older version to a function, such as upcast={1: from_1}"),
        ({"version": 2, "upcast": {1: "from_1"}}, "maps each older version to a function"),
        ({"version": 2, "upcast": from_1}, "maps each older version to a function"),
    ],
)
def test_a_chain_that_does_not_lead_to_today_is_refused_at_declaration(said: Any, says: str) -> None:
    family = Jobs(queue="mail")

    with pytest.raises(DeclarationError) as refused:
        family.job("mail.send", **said)
    assert says in str(refused.value)
