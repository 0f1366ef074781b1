"""Dead letters that are too large, that can't be dealt with, and tickets of lives that are over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from lanework import State
from lanework.engine.deadletters.dlq_scan import unread
from lanework.engine.dlq_messages.tickets import send_to_dlq, ticket_of
from lanework.engine.maintenance.reconcile import Reconciled, Reconciler
from lanework.engine.messaging.delivery import Ack
from lanework.engine.ports.messages import LARGEST_MESSAGE, OutgoingMessage, size_of
from lanework.errors import ConfigError, UnsendableError
from lanework.memory import MemoryLanes
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import NOON, drain
from tests.support.factories import a_message, a_record
from tests.support.fakes import move_to_dead
from tests.support.small_world import Greeting, World, give_up_on_all, raises

if TYPE_CHECKING:
    from collections.abc import Callable

BAT = Greeting(name="Bat")
MINUTE = timedelta(minutes=1)


def tick(world: World) -> Reconciled:
    world.clock.advance(MINUTE)
    return Reconciler(world.app.ports).tick()


def letters(world: World, lane: Lane = Lane.HIGH) -> list[str]:
    lanes: Any = world.app.ports.lanes
    return list(lanes.dead(lane))


def die(world: World, *names: str) -> None:
    world.behave = raises(OSError("no"))
    for name in names:
        world.greet.enqueue(BAT, job_id=name, attempts=1)
    drain(world.app)
    world.behave = None


def chosen(*names: str) -> DeadFilter:
    return DeadFilter(job_ids=names)


# --- as large as SQS takes


def test_twenty_five_messages_near_a_mebibyte_stop_nothing_of_any_lane(world: World) -> None:
    ports = world.app.ports
    for _ in range(25):
        ports.lanes.send(Lane.HIGH, OutgoingMessage(body="x" * (LARGEST_MESSAGE - 10)))
    give_up_on_all(world)
    world.greet.enqueue(BAT, job_id="job-1", lane="high")
    give_up_on_all(world)
    ports.lanes.send(
        Lane.BATCH, OutgoingMessage(body=a_message(id="of-batch", lane=Lane.BATCH, unrecorded=True).encode())
    )
    lanes: Any = ports.lanes
    moved = lanes.receive(Lane.BATCH)
    move_to_dead(lanes, Lane.BATCH, moved.handle)

    done = tick(world)

    assert (done.letters, done.refused) == (27, ())
    assert [size_of(one) for one in letters(world)] == [LARGEST_MESSAGE - 10] * 25, "whole, without attributes"
    assert world.events.actions.count("message.undecodable") == 25
    assert world.stored().bounces == 1
    assert letters(world, Lane.BATCH) == []


@pytest.mark.parametrize("size", [LARGEST_MESSAGE, LARGEST_MESSAGE - 30, LARGEST_MESSAGE - 60, LARGEST_MESSAGE - 400])
def test_a_large_message_that_is_no_envelope_is_set_aside_by_the_worker(world: World, size: int) -> None:
    report = world.execute("я" * (size // 2))

    assert report == Ack()
    assert [len(one.encode()) for one in letters(world)] == [size]


def test_what_no_queue_would_take_is_cut_and_says_what_it_was(world: World) -> None:
    ticket = a_message(payload=json.dumps({"name": "x" * 250_000}), id="job-9", ticket=True, life=3).encode()
    body = ticket[:-1] + f',"more":"{"y" * LARGEST_MESSAGE}"' + "}"

    why = send_to_dlq(world.app.ports.lanes, Lane.HIGH, body, cause="exhausted", error="no")

    (cut,) = letters(world)
    note = json.loads(cut)
    assert why == note["lanework-cut"] == f"{len(body):,} bytes are over SQS's limit"
    assert (note["bytes"], note["job"], body.startswith(note["begins"])) == (len(body), ["job-9", 3], True)
    stands_for = ticket_of(cut)
    assert stands_for is not None
    assert (stands_for.job_id, stands_for.life) == ("job-9", 3)


class Narrow(MemoryLanes):
    """Lanes whose dead-letter queues take less than SQS would."""

    def send_to_dlq(self, lane: str, body: str, *, cause: str, error: str) -> None:
        if len(body) > 200_000:
            msg = "InvalidParameterValue: one or more parameters are invalid"
            raise UnsendableError(msg)
        super().send_to_dlq(lane, body, cause=cause, error=error)


def test_a_death_in_a_lane_whose_dead_letter_queue_takes_less_is_told_and_can_be_redriven(world: World) -> None:
    world.app.use(replace(world.app.ports, lanes=Narrow(world.clock)))
    world.behave = raises(OSError("no"))
    world.greet.enqueue(Greeting(name="x" * 230_000), job_id="job-1", attempts=1)
    drain(world.app)

    (cut,) = letters(world)
    assert (world.stored().state, json.loads(cut)["job"]) == (State.DEAD, ["job-1", 2])
    assert "message.quarantined" in world.events.actions
    world.behave = None
    world.app.dead_letters.redrive_job(world.stored().job_id)
    drain(world.app)
    assert (world.stored().state, tick(world).tickets, letters(world)) == (State.COMPLETED, 1, [])


# --- one that can't be dealt with


class Poisoned:
    """A port, one of whose calls is refused for some of what it is about."""

    def __init__(
        self, port: Any, call: str, is_refused: Callable[..., bool], refusal: type[Exception] = ConfigError
    ) -> None:
        self._port, self._call, self._is_refused, self._refusal = port, call, is_refused, refusal

    def __getattr__(self, name: str) -> Any:
        behind = getattr(self._port, name)
        if name != self._call:
            return behind

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._is_refused(*args, **kwargs):
                msg = f"{name}: AccessDenied"
                raise self._refusal(msg)
            return behind(*args, **kwargs)

        return call


@pytest.mark.parametrize("refusal", [ConfigError, ZeroDivisionError])
@pytest.mark.parametrize("call", ["get", "change"])
def test_a_letter_that_is_refused_stops_no_other(world: World, call: str, refusal: type[Exception]) -> None:
    for name in ("job-1", "job-2", "job-3"):
        world.greet.enqueue(BAT, job_id=name)
    give_up_on_all(world)
    ledger = Poisoned(world.app.ports.ledger, call, lambda job_id, *_: job_id == "job-2", refusal)
    world.app.use(replace(world.app.ports, ledger=cast("Any", ledger)))

    assert tick(world).letters == 2

    assert (world.stored("job-1").bounces, world.stored("job-3").bounces) == (1, 1)
    assert len(letters(world)) == 1
    assert "message.not_handled" in world.events.actions


def test_a_message_that_can_never_be_sent_back_is_set_aside_whole(world: World) -> None:
    bodies = [
        a_message(id=name, tenant=tenant, unrecorded=True).encode() for name, tenant in (("a", "x y"), ("b", "z"))
    ]
    for body in bodies:
        world.app.ports.lanes.send(Lane.HIGH, OutgoingMessage(body=body))
    give_up_on_all(world)
    lanes = Poisoned(world.app.ports.lanes, "send", lambda _, sending: sending.tenant == "x y", UnsendableError)
    world.app.use(replace(world.app.ports, lanes=cast("Any", lanes)))

    assert tick(world).letters == 2

    assert letters(world) == [bodies[0]]
    assert {"message.quarantined", "job.bounced"} <= set(world.events.actions)
    assert tick(world).letters == 0, "and it is dealt with once"


@pytest.mark.parametrize("refusal", [ConfigError, ZeroDivisionError])
@pytest.mark.parametrize("lane", list(Lane))
def test_a_lane_whose_dead_letters_nobody_may_read_stops_no_other(
    world: World, lane: Lane, refusal: type[Exception]
) -> None:
    other = Lane.LOW if lane is Lane.HIGH else Lane.HIGH
    world.greet.enqueue(BAT, job_id="job-1", lane=other)
    lanes: Any = world.app.ports.lanes
    move_to_dead(lanes, other, lanes.receive(other).handle)
    refusing = Poisoned(lanes, "receive_dead", lambda asked, **_: asked is lane, refusal)
    world.app.use(replace(world.app.ports, lanes=cast("Any", refusing)))
    world.app.ports.ledger.put(a_record(job_id="stranded", created_at=world.clock()))

    done = tick(world)

    assert (done.letters, [str(one) for one in done.refused]) == (1, ["receive_dead: AccessDenied"])
    world.clock.advance(timedelta(days=6))
    assert Reconciler(world.app.ports).tick().stranded == 1, "nor the audit"


def test_tickets_whose_jobs_may_not_be_read_keep_no_letter_behind_them(world: World) -> None:
    for number in range(25):
        die(world, f"dead-{number}")
    world.greet.enqueue(BAT, job_id="behind")
    give_up_on_all(world)
    ledger = Poisoned(world.app.ports.ledger, "get_many", lambda *_, **__: True)
    world.app.use(replace(world.app.ports, ledger=cast("Any", ledger)))

    done = tick(world)

    assert (done.letters, [one for one in done.refused if "get_many" not in str(one)]) == (1, [])
    assert world.stored("behind").bounces == 1


def test_what_may_not_be_noted_of_dead_letters_stops_nothing_else(world: World) -> None:
    flags = Poisoned(world.app.ports.flags, "bookmark", lambda name: name == "unread letters")
    world.app.use(replace(world.app.ports, flags=cast("Any", flags)))
    world.app.ports.ledger.put(a_record(job_id="stranded", created_at=world.clock()))
    world.clock.advance(timedelta(days=6))

    done = Reconciler(world.app.ports).tick()

    assert (done.stranded, [str(one) for one in done.refused]) == (1, ["bookmark: AccessDenied"])


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"express":[1,""]}', '{"high":7}', '{"high":["many",""]}', '{"high":[1]}']
)
def test_what_another_release_noted_of_dead_letters_counts_for_nothing(world: World, text: str) -> None:
    world.app.ports.flags.set_bookmark("unread letters", text)

    assert unread(world.app.ports) == {}
    assert tick(world).refused == ()


# --- tickets of lives that are over


def test_after_a_drop_of_all_no_ticket_is_left(world: World) -> None:
    die(world, *(f"job-{number}" for number in range(74)))
    assert len(letters(world)) == 74

    world.app.dead_letters.drop(world.app.dead_letters.jobs.plan(DeadFilter()))

    assert (tick(world).tickets, letters(world)) == (74, [])


def test_thousands_of_tickets_are_gone_within_minutes(world: World) -> None:
    lanes = world.app.ports.lanes
    world.app.ports.ledger.put(a_record(state=State.CANCELLED, due_at=None))
    for _ in range(3_000):
        lanes.send_to_dlq(Lane.HIGH, a_message(ticket=True, life=2).encode(), cause="exhausted", error="")

    ticks = 0
    while letters(world):
        tick(world)
        ticks += 1

    assert ticks <= 2


def test_a_ticket_behind_hundreds_whose_jobs_are_still_dead_is_found_within_ten_minutes(world: World) -> None:
    for number in range(300):
        record = a_record(job_id=f"job-{number}", state=State.DEAD, due_at=None, ended_at=NOON, sweep_at=NOON)
        world.app.ports.ledger.put(record)
        ticket = Envelope.of(record, "{}").as_ticket(life=2)
        world.app.ports.lanes.send_to_dlq(Lane.HIGH, ticket.encode(), cause="exhausted", error="")
    world.app.dead_letters.drop(world.app.dead_letters.jobs.plan(chosen("job-299")))

    removed = [tick(world).tickets for _ in range(10)]

    assert (sum(removed), len(letters(world))) == (1, 299)
    assert len(world.app.ports.lanes.receive_dead(Lane.HIGH, limit=400, hide_for=MINUTE)) == 299, "all can be seen"


@pytest.mark.parametrize("how", ["redrive", "drop", "complete", "retire", "redrive with", "dies again"])
def test_a_ticket_goes_when_its_life_is_over(world: World, how: str) -> None:
    die(world, "job-1")
    dead_letters = world.app.dead_letters
    if how == "dies again":
        world.behave = raises(OSError("no"))
    match how:
        case "drop" | "retire":
            dead_letters.drop(dead_letters.jobs.plan(chosen("job-1")))
        case "redrive with":
            dead_letters.redrive_job(world.stored().job_id, payload='{"name":"Dorj"}')
        case _:
            dead_letters.redrive_job(world.stored().job_id)
    if how in ("complete", "dies again"):
        drain(world.app)
    if how == "retire":
        world.app.ports.ledger.put(world.stored())

    assert tick(world).tickets == 1

    assert [Envelope.decode(one).life for one in letters(world)] == ([3] if how == "dies again" else [])


def test_a_peek_disturbs_no_ticket_whose_job_is_dead_and_none_without_a_record(world: World) -> None:
    die(world, "job-1")
    world.app.ports.lanes.send_to_dlq(
        Lane.HIGH, a_message(id="lost", ticket=True, life=2).encode(), cause="x", error=""
    )
    world.app.ports.ledger.put(a_record(job_id="runs", state=State.RUNNING, claim_id="c", attempts=1))
    world.app.ports.lanes.send_to_dlq(Lane.HIGH, a_message(id="runs").encode(), cause="x", error="")

    assert (tick(world).tickets, len(letters(world))) == (0, 3)

    lanes: Any = world.app.ports.lanes
    lanes.move_back(Lane.HIGH, rate=None)
    drain(world.app)
    assert (world.stored().state, world.stored("lost").state) == (State.COMPLETED, State.COMPLETED)


def test_a_ticket_that_was_sent_before_its_job_is_dead_stays(world: World) -> None:
    world.app.ports.ledger.put(a_record(state=State.BLOCKED, due_at=None))
    world.app.ports.lanes.send_to_dlq(
        Lane.HIGH, a_message(ticket=True, life=2).encode(), cause="parent_failed", error=""
    )

    assert (tick(world).tickets, len(letters(world))) == (0, 1)


# --- what nobody can read


def test_what_cannot_be_read_stays_and_is_noted_until_it_is_gone(world: World) -> None:
    for body in ("not json", "{}"):
        world.app.ports.lanes.send_to_dlq(Lane.HIGH, body, cause="invalid", error="")
    die(world, "job-1")

    assert tick(world).tickets == 0
    noted = unread(world.app.ports)
    assert {lane: one.count for lane, one in noted.items()} == {Lane.HIGH: 2}
    assert noted[Lane.HIGH].problem.startswith("not a Lanework message")

    lanes: Any = world.app.ports.lanes
    seen = lanes.receive_dead(Lane.HIGH, limit=10, hide_for=timedelta(0))
    lanes.delete_dead(Lane.HIGH, [one.handle for one in seen if one.body == "not json"])
    tick(world)
    assert unread(world.app.ports)[Lane.HIGH].count == 1


def test_an_error_of_half_a_character_is_no_error_of_its_own(world: World) -> None:
    send_to_dlq(world.app.ports.lanes, Lane.HIGH, "ticket", cause="exhausted", error="OSError: \udcff")

    assert letters(world) == ["ticket"]
