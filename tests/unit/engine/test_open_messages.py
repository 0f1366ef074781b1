"""Messages that a program in another language put on a lane's queue."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict

from lanework import App, Jobs, Lane, Middleware, Quota, Run, State
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.ports.messages import OutgoingMessage
from lanework.memory import MemoryLanes
from lanework.model.job.open_message import OpenMessage
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.factories import a_message
from tests.support.fakes import break_ports, move_to_dead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework import Receipt, Request

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "message.v1.schema.json").read_text())


class Month(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    month: int
    asked_at: datetime | None = None


@dataclass(slots=True)
class World:
    app: App
    clock: Clock
    events: EventList
    ran: list[tuple[str, int]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def lanes(self) -> MemoryLanes:
        lanes = self.app.ports.lanes
        assert isinstance(lanes, MemoryLanes)
        return lanes

    def put(self, lane: Lane = Lane.HIGH, **fields: Any) -> str:
        """Put a message on a lane's queue, as any program may; return its body."""
        return self.put_text(json.dumps({"lanework": 1} | fields), lane)

    def put_text(self, body: str, lane: Lane = Lane.HIGH) -> str:
        self.lanes.send(lane, OutgoingMessage(body=body))
        return body

    def dead(self, lane: Lane = Lane.HIGH) -> list[str]:
        return list(self.lanes.dead(lane))

    def refusal(self, lane: Lane = Lane.HIGH) -> str:
        """Drain; return why the one message was refused, which lies in the dead-letter queue and ran nothing."""
        drain(self.app)
        assert (len(self.dead(lane)), self.ran) == (1, [])
        assert self.events.events[-1].action == "message.undecodable"
        return str(self.events.events[-1].reason)


@pytest.fixture(name="world")
def a_world() -> World:
    reports = Jobs(queue="reports", lane="high", attempts=4)

    @reports.job("report.month", timeout=timedelta(seconds=9), version=2)
    def month(payload: Month, run: Run) -> None:
        world.ran.append((run.job_id, payload.month))
        world.runs.append(run)

    @reports.job("report.slow", lane="low", key="month", unique_for=timedelta(hours=1))
    def slow(payload: Month, run: Run) -> None:
        month(payload, run)

    @reports.job("report.rare", quota=Quota(1, per=timedelta(hours=1)))
    def rare(payload: Month, run: Run) -> None:
        month(payload, run)

    @reports.job("report.last", key="month", debounce=timedelta(minutes=1))
    def last(payload: Month, run: Run) -> None:
        month(payload, run)

    @reports.job("report.inner", api=False)
    def inner(payload: Month, run: Run) -> None:
        month(payload, run)

    clock, events = Clock(), EventList()
    world = World(app_in_memory(App(reports), clock, events=events), clock, events)
    return world


def test_the_published_schema_is_that_of_the_code() -> None:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}

    assert {**dialect, **OpenMessage.model_json_schema()} == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


def test_a_message_of_another_language_runs_as_its_type_declares(world: World) -> None:
    body = world.put(type="report.month", payload={"month": 11})
    Draft202012Validator(SCHEMA).validate(json.loads(body))

    drain(world.app)

    assert world.ran == [("message-1", 11)], "under SQS's own id"
    record = world.app.get("message-1")
    assert (record.state, record.max_attempts, record.timeout) == (State.COMPLETED, 4, timedelta(seconds=9))
    assert (record.queue, record.version) == ("reports", 2)
    assert world.lanes.counts(Lane.HIGH).waiting == 0


def test_what_it_says_of_id_tenant_and_headers_goes_along(world: World) -> None:
    headers = {"correlation-id": "order-7", "traceparent": "00-1"}
    world.put(type="report.month", payload={"month": 1}, id="mine", tenant="acme", headers=headers)

    drain(world.app)

    assert world.ran == [("mine", 1)]
    assert world.app.get("mine").tenant == "acme"
    assert world.runs[0].correlation_id == "order-7"
    assert world.runs[0].headers["traceparent"] == "00-1"


def test_delivered_twice_it_runs_once(world: World) -> None:
    world.put(type="report.month", payload={"month": 1})
    message = world.lanes.queues[Lane.HIGH].messages[0]
    drain(world.app)
    world.lanes.queues[Lane.HIGH].messages.append(message)  # as SQS may

    world.clock.advance(timedelta(minutes=5))
    drain(world.app)

    assert world.ran == [("message-1", 1)]


def test_a_repeated_id_with_another_payload_does_not_run(world: World) -> None:
    world.put(type="report.month", payload={"month": 1}, id="mine")
    drain(world.app)
    world.put(type="report.month", payload={"month": 2}, id="mine")
    drain(world.app)

    assert world.ran == [("mine", 1)]
    (repeated,) = [one for one in world.events.events if one.action == "job.repeated"]
    assert repeated.reason == "with another payload, which will not run"


def test_a_message_says_nothing_of_a_job_that_exists(world: World) -> None:
    """It can't edit, hasten or take the place of a recorded job, whose nonce it doesn't have (ADR 0035)."""
    world.app.enqueue("report.month", {"month": 1}, job_id="mine", delay=timedelta(minutes=10))
    world.put(type="report.month", payload={"month": 9}, id="mine", tenant="eve")
    drain(world.app)
    assert (world.ran, world.app.get("mine").tenant) == ([], None)

    world.clock.advance(timedelta(minutes=11))
    drain(world.app)
    assert world.ran == [("mine", 1)]


def test_it_may_lie_on_the_queue_of_another_lane_and_goes_to_its_own(world: World) -> None:
    world.put(Lane.CRITICAL, type="report.slow", payload={"month": 3})

    drain(world.app, Lane.CRITICAL)
    assert (world.ran, world.lanes.counts(Lane.LOW).waiting) == ([], 1)

    drain(world.app)
    assert world.ran == [("message-1", 3)]


def test_one_that_starts_later_waits_for_its_time(world: World) -> None:
    for hours, job_id in ((0.1, "soon"), (5, "later"), (-5, "past")):
        run_at = (NOON + timedelta(hours=hours)).astimezone(UTC).isoformat()
        world.put(type="report.month", payload={"month": 1}, id=job_id, run_at=run_at)

    drain(world.app)

    assert world.ran == [("past", 1)]
    assert world.app.get("later").state is State.SCHEDULED
    world.clock.advance(timedelta(hours=0.2))
    drain(world.app)
    assert [one for one, _ in world.ran] == ["past", "soon"]


def test_its_types_keys_and_windows_count(world: World) -> None:
    for _ in range(2):
        world.put(type="report.slow", payload={"month": 3})
        world.put(type="report.last", payload={"month": 4})
    drain(world.app)
    world.clock.advance(timedelta(minutes=2))
    drain(world.app)

    assert sorted(month for _, month in world.ran) == [3, 4]


def test_a_quota_that_is_used_up_refuses_it_with_the_time_from_which_it_fits(world: World) -> None:
    world.put(type="report.rare", payload={"month": 1})
    drain(world.app)
    world.ran.clear()
    world.put(type="report.rare", payload={"month": 2})

    assert "one more fits from 2026-01-02 13:01:00 UTC" in world.refusal()


def test_the_middleware_around_an_enqueue_sees_it() -> None:
    class Marks(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Any) -> list[Receipt[Any]]:
            return list(proceed([one.with_headers({"seen": "yes"}) for one in requests]))

    reports = Jobs(queue="reports", lane="high")

    @reports.job("report.month")
    def month(_: Month, run: Run) -> None:
        seen.append(run.headers["seen"])

    seen: list[str] = []
    app = app_in_memory(App(reports, middleware=[Marks()]))
    body = json.dumps({"lanework": 1, "type": "report.month", "payload": {"month": 1}})
    app.ports.lanes.send(Lane.HIGH, OutgoingMessage(body=body))

    drain(app)

    assert seen == ["yes"]


def test_a_strict_model_takes_a_date_from_it_as_from_json(world: World) -> None:
    world.put(type="report.month", payload={"month": 1, "asked_at": "2026-11-30T12:00:00Z"})

    drain(world.app)

    assert world.ran == [("message-1", 1)]


MONTH = {"type": "report.month", "payload": {"month": 1}}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "report.mnth"}, "unknown job type 'report.mnth', did you mean 'report.month'?"),
        ({"payload": {"month": "one"}}, "payload of report.month is not valid: month: Input should be a valid integer"),
        ({"payload": {"mnth": 1}}, "did you mean 'month'?"),
        ({"payload": "month"}, "payload: Input should be an object"),
        ({"payload": ...}, "payload: Field required"),
        ({"id": "no spaces"}, "job_id 'no spaces' can't be used"),
        ({"id": "nightly@2026-11-30T00:39Z"}, "it is an id of Lanework's own"),
        ({"run_at": "2026-11-30T12:00:00"}, "run_at: Input should have timezone info"),
        ({"run_at": "2126-11-30T12:00:00Z"}, "run_at must be within"),
        ({"tenant": "two words"}, "tenant 'two words' can't be used"),
        ({"headers": {"Trace": "1"}}, "header 'Trace' can't be used"),
        ({"headers": {"trace": 1}}, "Input should be a valid string"),
        ({"version": 3}, "version 3 of report.month is not deployed, version 2 is"),
        ({"delay": 3}, "known: headers, id, lanework, payload, run_at, tenant, type, version"),
        ({"headres": {}}, "did you mean 'headers'?"),
        ({"attempts": 100, "nonce": "x", "life": 3, "lane": "critical"}, "Extra inputs are not permitted"),
        ({"lanework": 2}, 'open message of version 2 refused: this release reads "lanework": 1'),
        ({"lanework": "1"}, 'this release reads "lanework": 1'),
        ({"lanework": True}, 'this release reads "lanework": 1'),
        ({"lanework": 10**40}, "open message refused: this release reads"),
        ({"lanework": ...}, 'an open message has "lanework": 1'),
        ({"type": "lanework.drop", "payload": {"which": {}}}, "is one of Lanework's own"),
        ({"type": "report.inner"}, "left to the application's own code (api=False)"),
        ({"payload": {"month": 1, "x": "y" * 300_000}}, "Extra inputs are not permitted; known: asked_at, month"),
    ],
)
def test_what_is_refused_lies_in_the_dead_letter_queue_with_the_reason(
    world: World, fields: dict[str, Any], why: str
) -> None:
    said = {"lanework": 1, **MONTH, **fields}
    body = world.put_text(json.dumps({name: value for name, value in said.items() if value is not ...}))

    assert why in world.refusal()
    (copy,) = world.dead()
    marked = "lanework" in json.loads(body) and "id" not in json.loads(body)
    assert json.loads(copy) == json.loads(body) | ({"id": "message-1"} if marked else {})
    assert [one.error for one in world.lanes.receive_dead(Lane.HIGH, limit=1, hide_for=timedelta(0))] != [None]


def test_a_message_of_ours_with_the_mark_is_ours_and_its_forgery_has_no_effect(world: World) -> None:
    ordinary = json.loads(a_message(id="job-1", type="report.month").encode())
    world.put_text(json.dumps(ordinary | {"lanework": 1}))
    drain(world.app)
    assert world.events.actions == ["message.dropped"]

    world.put_text(json.dumps(ordinary | {"lanework": 1, "unrecorded": True, "attempts": 1000}))
    assert "Extra inputs are not permitted" in world.refusal()


def test_an_id_of_a_job_of_another_type_is_refused(world: World) -> None:
    world.app.enqueue("report.slow", {"month": 1}, job_id="mine", delay=timedelta(hours=1))
    world.put(type="report.month", payload={"month": 1}, id="mine")

    assert "a job of type 'report.slow' has it" in world.refusal()


def test_what_was_refused_twice_and_is_sent_back_twice_runs_once(world: World) -> None:
    """A worker that dies between the copy and the ack leaves two copies: both have the id of the message."""
    body = world.put(type="report.month", payload={"month": "one"})
    message = world.lanes.queues[Lane.HIGH].messages[0]
    drain(world.app)
    message.visible_at = world.clock()
    world.lanes.queues[Lane.HIGH].messages.append(message)
    drain(world.app)
    assert world.dead() == [f'{body[:-1]}, "id": "message-1"}}'.replace(', "id": ', ',"id":')] * 2

    world.lanes.queues[Lane.HIGH].dead.clear()
    for copy in [body.replace('"one"', "1")[:-1] + ',"id":"message-1"}'] * 2:
        world.put_text(copy)
    drain(world.app)
    assert world.ran == [("message-1", 1)]


@pytest.mark.parametrize("broken", ["ledger", "lanes", "both"])
def test_while_aws_does_not_answer_nothing_is_acknowledged_that_is_not_kept(world: World, broken: str) -> None:
    ledger, lanes = break_ports(world.app)
    behind = lanes.port
    if broken != "lanes":
        ledger.broken |= {"put", "put_many"}
    if broken != "ledger":
        lanes.broken |= {"send", "send_many"}
    behind.send(Lane.HIGH, OutgoingMessage(body=json.dumps({"lanework": 1, **MONTH})))
    message = behind.receive(Lane.HIGH)
    from lanework.engine.execution.attempt import in_order  # noqa: PLC0415
    from lanework.engine.messaging.delivery import Ack, Delivery, Nack  # noqa: PLC0415

    report = world.app.runtime.executor(in_order).execute(
        Delivery(body=message.body, lane=Lane.HIGH, time_left=timedelta(seconds=30), message_id=message.message_id)
    )

    assert isinstance(report, Nack if broken == "both" else Ack)
    if broken == "ledger":
        assert json.loads(behind.queues[Lane.HIGH].messages[-1].body)["unrecorded"] is True
    if broken == "lanes":
        assert ledger.port.get("message-1").sweep_at is not None


def test_one_that_sqs_gave_up_on_goes_back_to_its_lane(world: World) -> None:
    world.put(type="report.month", payload={"month": 1})
    message = world.lanes.receive(Lane.HIGH)
    assert message is not None
    move_to_dead(world.lanes, Lane.HIGH, message.handle)

    Reconciler(world.app.ports).tick()

    assert world.dead() == []
    world.clock.advance(timedelta(minutes=6))
    drain(world.app)
    assert world.ran == [("message-1", 1)]


def test_what_was_refused_is_listed_and_sent_again_once_its_type_exists(world: World) -> None:
    world.put(type="report.year", payload={"month": 7})
    world.put(type="report.month", payload={"month": "x"})
    world.put_text("hello")
    drain(world.app)
    messages = world.app.dead_letters.messages
    listed = messages.all()
    assert [(one.queue, one.type, one.job_id, one.can_be_sent) for one in listed] == [
        (Lane.HIGH, "report.year", "message-1", True),
        (Lane.HIGH, "report.month", "message-2", True),
        (Lane.HIGH, None, None, False),
    ]
    assert str(listed[0].reason).startswith("open message refused: unknown job type 'report.year'")

    assert [one.type for one in messages.resend(Lane.HIGH, type_="report.year")] == ["report.year"]
    drain(world.app)
    assert [one.type for one in messages.all()] == ["report.month", None, "report.year"], "refused once more"

    later = Jobs(queue="years", lane="high")

    @later.job("report.year")
    def year(payload: Month, run: Run) -> None:
        world.ran.append((run.job_id, payload.month))

    deployed = App(later)
    deployed.use(world.app.ports)
    assert len(messages.resend()) == 2
    drain(deployed)
    assert world.ran == [("message-1", 7)]
    assert [one.type for one in messages.all()] == [None, "report.month"]
    assert messages.resend(Lane.LOW) == []


def test_tickets_of_dead_jobs_are_not_among_the_messages(world: World) -> None:
    world.lanes.send_to_dlq(Lane.HIGH, a_message(ticket=True, life=2).encode(), cause="exhausted", error="no")

    assert world.app.dead_letters.messages.all() == world.app.dead_letters.messages.resend() == []
    assert len(world.dead()) == 1
