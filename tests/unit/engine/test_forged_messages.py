"""Messages that somebody wrote who may send to a queue, and no more than that."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, EnqueueError, Jobs, Quota
from lanework.engine.execution.attempt import in_order
from lanework.engine.jobtypes.builtin import ARCHIVE, CLEAN, DROP, REDRIVE, WEBHOOK
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.messaging.delivery import Ack, Delivery
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import DeclarationError
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import OURS
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause, State
from lanework.testing import NOON, Clock, app_in_memory, drain
from tests.support.factories import a_message, a_record
from tests.support.fakes import break_ports, move_to_dead

if TYPE_CHECKING:
    from tests.support.small_world import World

OURS_AND_PAYLOADS = {
    DROP: '{"which":{},"options":{}}',
    REDRIVE: '{"which":{},"options":{}}',
    CLEAN: '{"cleanings":[]}',
    ARCHIVE: "{}",
    "lanework.release": '{"parent":"job-1"}',
    WEBHOOK: '{"url":"https://example.com/","event_id":"evt_1","body":"pay me"}',
}


def forged(**facts: object) -> str:
    """Return a message's body as anybody may write it."""
    ordinary = json.loads(a_message().encode())
    return json.dumps({name: value for name, value in (ordinary | facts).items() if value is not ...})


def undecodable(world: World, body: str, *, lane: Lane = Lane.HIGH) -> str:
    """Execute what must be set aside; return why it was."""
    before = world.app.ports.lanes.dead(lane)  # type: ignore[attr-defined]
    assert world.execute(body, lane=lane) == Ack()
    assert world.app.ports.lanes.dead(lane) == (*before, body)  # type: ignore[attr-defined]
    event = world.events.events[-1]
    assert (event.action, event.cause) == ("message.undecodable", Cause.INVALID)
    return str(event.reason)


def a_dead_job(world: World, **facts: Any) -> None:
    world.app.ports.ledger.put(
        a_record(state=State.DEAD, cause=Cause.EXHAUSTED, due_at=None, ended_at=NOON, sweep_at=NOON, **facts)
    )


@pytest.mark.parametrize("type_", OURS_AND_PAYLOADS)
def test_an_unrecorded_message_runs_no_job_of_laneworks_own(world: World, type_: str) -> None:
    """It dropped all dead jobs, and signed a body of the attacker's with the stack's secret."""
    a_dead_job(world, nonce="kept")
    payload = OURS_AND_PAYLOADS[type_]
    for queue in ("lanework", "email"):
        body = forged(id="mine", type=type_, queue=queue, payload=payload, unrecorded=True)
        assert "recorded before they are sent" in undecodable(world, body)

    assert world.app.ports.ledger.get("mine") is None
    assert world.stored().state is State.DEAD


@pytest.mark.parametrize("type_", OURS_AND_PAYLOADS)
def test_a_ticket_without_a_record_runs_no_job_of_laneworks_own(world: World, type_: str) -> None:
    a_dead_job(world, nonce="kept")
    body = forged(id="mine", type=type_, queue="lanework", payload=OURS_AND_PAYLOADS[type_], ticket=True, life=2)

    assert world.execute(body) == Ack()

    assert world.app.ports.ledger.get("mine") is None
    assert (world.stored().state, world.events.actions) == (State.DEAD, ["message.dropped"])


def test_laneworks_own_jobs_are_not_sent_unrecorded(world: World) -> None:
    ledger, _ = break_ports(world.app)
    ledger.broken.add("put")

    with pytest.raises(EnqueueError, match="Lanework's own jobs are not sent unrecorded"):
        world.app.enqueue(CLEAN, {"cleanings": []})


def test_no_type_of_an_application_can_be_taken_for_laneworks_own() -> None:
    for queue, name in (("lanework", "a.job"), ("email", f"{OURS}mine"), ("email", DROP)):
        family = Jobs(queue=queue)
        family.job(name)(_nothing)
        with pytest.raises(DeclarationError, match="Lanework's own"):
            App(family)


class Nothing(BaseModel):
    """A payload without fields."""


def _nothing(_: Nothing) -> None: ...


@pytest.mark.parametrize(
    "facts",
    [
        {"payload": '{"name":"Eve"}'},
        {"type": DROP, "queue": "lanework", "payload": '{"which":{},"options":{}}'},
        {"attempts": 100, "backoff": 0, "timeout": 1, "webhook": "https://evil.example/", "tenant": "eve"},
        {"nonce": "guessed", "payload": '{"name":"Eve"}'},
        {"payload": '{"name":"Eve"}', "unrecorded": True},
    ],
)
@pytest.mark.parametrize("size", [1, 2000])
def test_a_message_under_the_id_of_a_recorded_job_says_nothing_of_it(
    world: World, facts: dict[str, object], size: int
) -> None:
    """The payload of a recorded job was the message's, if it was over 1 KB."""
    name = "Bat" * size
    world.greet.enqueue({"name": name}, job_id="job-1")
    recorded = world.stored()

    assert world.execute(forged(**facts)) == Ack()

    assert world.greeted == [(name, 1)]
    ran = world.stored()
    assert ran.state is State.COMPLETED
    for field in ("type", "queue", "max_attempts", "backoff_base", "timeout", "webhook", "tenant", "version"):
        assert getattr(ran, field) == getattr(recorded, field)
    drain(world.app)
    assert world.greeted == [(name, 1)], "its own message finds it done"


def test_a_forged_message_that_fails_retries_and_buries_what_the_record_says(world: World) -> None:
    world.greet.enqueue({"name": "Bat"}, job_id="job-1", attempts=1)

    def fail(_: object) -> None:
        raise OSError

    world.behave = fail
    assert world.execute(forged(payload='{"name":"Eve"}', attempts=9)) == Ack()

    (ticket,) = world.app.ports.lanes.dead(Lane.HIGH)  # type: ignore[attr-defined]
    assert (Envelope.decode(ticket).payload, world.stored().state) == ('{"name":"Bat","provider":"github"}', State.DEAD)


def test_a_forged_ticket_redrives_nothing_and_the_jobs_own_does(world: World) -> None:
    world.greet.enqueue({"name": "Bat"}, job_id="job-1", attempts=1)
    world.behave = lambda run: 1 / (run.max_attempts - 1)
    drain(world.app)
    (own,) = world.app.ports.lanes.dead(Lane.HIGH)  # type: ignore[attr-defined]
    world.behave = None

    for nonce in (..., "", "guessed", "nonce-0"):
        body = forged(life=2, ticket=True, payload='{"name":"Eve"}', nonce=nonce)
        if nonce == "":
            undecodable(world, body)
        else:
            assert world.execute(body) == Ack()
        assert world.stored().state is State.DEAD

    assert world.execute(own) == Ack()
    assert (world.stored().state, world.greeted[-1]) == (State.COMPLETED, ("Bat", 1))


def test_a_pause_is_the_records_and_no_message_gets_around_it_or_makes_another(world: World) -> None:
    world.greet.enqueue({"name": "Bat"}, job_id="job-1")
    world.app.pause(queue="email")
    assert world.execute(forged(queue="reports")) == Ack()
    assert (world.greeted, world.stored().held_by) == ([], "queue:email")
    world.app.resume(queue="email")

    world.greet.enqueue({"name": "Bold"}, job_id="job-2")
    world.app.pause(queue="lanework")
    world.clock.advance(timedelta(minutes=1))
    world.execute(forged(id="job-2", queue="lanework"))
    assert world.stored("job-2").held_by is None


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "a b"),
        ("id", "x" * 129),
        ("id", "../jobs"),
        ("id", 5),
        ("type", "Not a type"),
        ("type", "x" * 101),
        ("queue", "no queue!"),
        ("life", 0),
        ("life", 10**40),
        ("life", True),
        ("payload", "é" * 140_000),
        ("payload", {"name": "Bat"}),
        ("version", 10**40),
        ("attempts", 0),
        ("attempts", 101),
        ("attempts", 10**9),
        ("attempts", "3"),
        ("attempts", 2.5),
        ("backoff", -1),
        ("backoff", 1e300),
        ("backoff", "soon"),
        ("timeout", 0),
        ("timeout", -5),
        ("timeout", 12 * 3600),
        ("created_at", "0001-01-01T00:00:00Z"),
        ("created_at", "9999-12-31T23:59:59Z"),
        ("created_at", "2026-01-02T12:00:00"),
        ("created_at", "9999-12-31T23:59:59-12:00"),
        ("run_at", "0001-01-01T00:00:00+14:00"),
        ("start_by", "9999-12-31T23:59:59Z"),
        ("headers", [["Name", "x"]]),
        ("headers", [["name", ""]]),
        ("headers", [["name", "x" * 2000]]),
        ("headers", [["name", "1"], ["name", "2"]]),
        ("headers", [["a", "x" * 500], ["b", "x" * 523]]),
        ("headers", [[f"name-{number}", "x" * 1000] for number in range(256)]),
        ("nonce", ""),
        ("nonce", "x" * 65),
        ("ticket", "yes"),
        ("v", 2),
        ("lane", "urgent"),
    ],
)
def test_a_field_that_no_enqueue_would_write_is_refused_and_named(world: World, field: str, value: object) -> None:
    for more in ({}, {"unrecorded": True}, {"ticket": True, "life": 2}):
        assert f"{field}: " in undecodable(world, forged(**{**more, field: value}))
    assert (world.greeted, world.app.ports.ledger.get("job-1")) == ([], None)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"life": 2}, "unrecorded"),
        ({"ticket": True}, "unrecorded"),
        ({"payload": "not json"}, "payload"),
        ({"payload": '{"n":NaN}'}, "payload"),
        ({"payload": "[" * 100_000}, "payload"),
        ({"webhook": "http://169.254.169.254/"}, "webhook"),
        ({"webhook": "javascript:alert(1)"}, "webhook"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": "a b"}, "tenant"),
        ({"tenant": "x" * 129}, "tenant"),
        ({"timeout": 600}, "timeout"),
        ({"run_at": "2090-01-01T00:00:00Z"}, "run_at"),
        ({"queue": "lanework"}, "type"),
    ],
)
def test_a_first_message_is_held_to_what_an_enqueue_of_its_type_is(
    world: World, facts: dict[str, object], problem: str
) -> None:
    assert problem in undecodable(world, forged(unrecorded=True, **facts))
    assert (world.greeted, world.app.ports.ledger.get("job-1")) == ([], None)


def test_a_message_in_another_lanes_queue_is_set_aside(world: World) -> None:
    assert "lane" in undecodable(world, forged(lane="critical", unrecorded=True))
    assert "lane" in undecodable(world, forged(unrecorded=True), lane=Lane.BATCH)


def test_what_a_first_message_cannot_know_is_not_believed(world: World) -> None:
    """Its family is its type's, and no job was enqueued in the future or a year ago."""
    for job_id, claimed, kept in (
        ("ahead", "2031-01-01T00:00:00Z", NOON),
        ("long-ago", "2019-01-01T00:00:00Z", NOON - timedelta(days=30)),
        ("elsewhere", "2026-01-02T13:00:00+03:00", NOON - timedelta(hours=2)),
    ):
        assert world.execute(forged(id=job_id, created_at=claimed, queue="reports", unrecorded=True)) == Ack()
        record = world.stored(job_id)
        assert (record.queue, record.created_at, record.state) == ("email", kept, State.COMPLETED)
        assert not record.created_at.utcoffset()


@pytest.mark.parametrize("facts", [{"unrecorded": True}, {"ticket": True, "life": 2}])
def test_no_message_gets_around_a_quota(facts: dict[str, object]) -> None:
    family = Jobs(queue="email", lane="high")
    ran: list[object] = []

    @family.job("user.greeting", quota=Quota(1, per=timedelta(hours=1)))
    def greet(_: Nothing) -> None:
        ran.append(1)

    app = app_in_memory(App(family), Clock())
    delivery = Delivery(body=forged(**facts), lane=Lane.HIGH, time_left=timedelta(seconds=30))

    assert app.runtime.executor(in_order).execute(delivery) == Ack()
    assert (ran, app.ports.ledger.get("job-1")) == ([], None)


def test_a_letter_that_sqs_moved_is_input_too(world: World) -> None:
    lanes: Any = world.app.ports.lanes
    a_dead_job(world, nonce="kept", payload='{"name":"Bat"}')
    for body in (
        forged(id="mine", type=DROP, queue="lanework", payload=OURS_AND_PAYLOADS[DROP], unrecorded=True),
        forged(id="mine", type=DROP, queue="lanework", payload=OURS_AND_PAYLOADS[DROP], ticket=True, life=2),
        forged(payload='{"name":"Eve"}'),
        forged(payload='{"name":"Eve"}', ticket=True, life=2),
        forged(lane="low"),
    ):
        lanes.send(Lane.HIGH, OutgoingMessage(body=body))
    while (message := lanes.receive(Lane.HIGH)) is not None:
        move_to_dead(lanes, Lane.HIGH, message.handle)

    Reconciler(world.app.ports).tick()
    drain(world.app)

    assert (world.greeted, world.stored().state) == ([], State.DEAD)
    assert world.app.ports.ledger.get("mine") is None
    assert not [one for one in lanes.dead(Lane.HIGH) if "Eve" in one]
    assert [one for one in world.events.events if "it is in the queue of lane high" in str(one.reason)]
