"""Events of AWS as Lambda hands them over, and the jobs that they become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    EventBridgeModel,
    S3EventNotificationEventBridgeModel,
    SnsNotificationModel,
)
from pydantic import BaseModel

from lanework import App, Jobs, Lane, Middleware, Receipt, Request
from lanework.aws_events import Event, EventPattern, S3Created, SnsTopic, SqsQueue
from lanework.aws_events.handler import EventReceiver, event_handler
from lanework.errors import DeclarationError, InvalidOptionError
from lanework.memory import MemoryLanes
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.fakes import break_ports

TOPIC = "arn:aws:sns:us-east-1:000000000000:orders"


class Upload(BaseModel):
    bucket: str
    key: str
    size: int = 0


class Order(BaseModel):
    order: int


def on_the_bus(key: str = "in/a b+ü.csv", **facts: Any) -> dict[str, Any]:
    """Return what S3 puts on EventBridge for a new object; the key is not encoded there."""
    made = {"key": key, "size": 5, "etag": "e", "sequencer": "0062E99A88DC407460"} | facts
    detail = {"version": "0", "bucket": {"name": "uploads"}, "object": made, "request-id": "N4N7GDK58NMKJ12R"}
    detail |= {"requester": "123456789012", "source-ip-address": "1.2.3.4", "reason": "PutObject"}
    return bus("aws.s3", "Object Created", detail, id="17793124-05d4-b198-2fde-7ededc63b103")


def bus(source: str, kind: str, detail: dict[str, Any], *, id: str = "event-1") -> dict[str, Any]:  # noqa: A002
    head = {"version": "0", "id": id, "detail-type": kind, "source": source, "account": "123456789012"}
    return head | {"time": "2026-11-30T12:00:00Z", "region": "us-east-1", "resources": [], "detail": detail}


def notification(key: str = "in/a+b%2B%C3%BC.csv", event: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Return what S3 sends to a queue itself for the same object; the key is encoded."""
    made = {"key": key, "size": 5, "eTag": "e", "sequencer": "0062E99A88DC407460"}
    record = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": event, "eventTime": "2026-11-30T12:00:00Z"}
    return {"Records": [record | {"s3": {"bucket": {"name": "uploads"}, "object": made}}]}


def of_topic(message: object, *, message_id: str = "m-1", topic: str = TOPIC) -> dict[str, Any]:
    head = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic, "Message": json.dumps(message)}
    signed = {"SignatureVersion": "1", "Signature": "FAKE", "SigningCertURL": "https://sns.us-east-1.amazonaws.com/x"}
    return head | signed | {"Timestamp": "2026-11-30T12:00:00.000Z", "UnsubscribeURL": "https://example.com/u"}


@dataclass(slots=True)
class World:
    app: App
    events: EventList
    ran: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def lanes(self) -> MemoryLanes:
        lanes = self.app.ports.lanes
        assert isinstance(lanes, MemoryLanes)
        return lanes

    def receive(self, body: object, *, queue: str = "aws-events", message_id: str = "message-1") -> bool:
        arn = f"arn:aws:sqs:us-east-1:000000000000:shop-prod-{queue}"
        text = body if isinstance(body, str) else json.dumps(body)
        attributes = {"ApproximateReceiveCount": "3", "SentTimestamp": "1", "ApproximateFirstReceiveTimestamp": "2"}
        record = {"messageId": message_id, "receiptHandle": "r", "body": text, "eventSourceARN": arn}
        return EventReceiver(self.app, stack="shop-prod").receive(record | {"attributes": attributes})

    def refusal(self, body: object, *, queue: str = "aws-events") -> str:
        """Receive what is no job; return why, which its copy in the dead-letter queue says, too."""
        before = len(self.lanes.dead(queue))
        assert self.receive(body, queue=queue)
        assert len(self.lanes.dead(queue)) == before + 1
        drain(self.app)
        assert self.ran == []
        return self.app.dead_letters.messages.all(queue)[-1].reason or ""


def a_world(*sources: tuple[Any, type[BaseModel], Any]) -> World:
    """Return an application with a job for each source, model and payload function."""
    family = Jobs(queue="reports", lane="high")
    events = EventList()
    for number, (source, model, payload) in enumerate(sources):

        def typed(given: Any) -> None:
            world.ran.append((type(given).__name__, given))

        typed.__annotations__ = {"given": model, "return": None}
        family.on(source, family.job(f"job.n{number}")(typed), payload=payload)
    world = World(app_in_memory(App(family), Clock(), events=events), events)
    return world


@pytest.fixture(name="world")
def the_world() -> World:
    return a_world(
        (S3Created("uploads", prefix="in/", suffix=".csv"), Upload, None),
        (SnsTopic("orders"), Order, None),
        (EventPattern({"source": ["shop.orders"], "detail": {"total": [{"numeric": [">", 100]}]}}), Order, None),
        (SqsQueue("invoices"), Order, None),
    )


def test_an_object_in_s3_is_one_job_however_it_is_told_of(world: World) -> None:
    """Twice over EventBridge, and by the bucket's own notification, whose key is encoded."""
    for body in (on_the_bus(), on_the_bus(), notification()):
        assert world.receive(body)
    drain(world.app)

    assert world.ran == [("Upload", Upload(bucket="uploads", key="in/a b+ü.csv", size=5))]
    assert not any(one.action == "job.repeated" and one.reason for one in world.events.events), "the same payload"


def test_another_version_of_an_object_is_another_job_and_order_does_not_matter(world: World) -> None:
    later = on_the_bus(sequencer="0062E99A88DC407461", size=6)
    for body in (later, on_the_bus(), later, on_the_bus(**{"version-id": "v2"})):
        world.receive(body)
    drain(world.app)

    assert sorted(one.size for _, one in world.ran) == [5, 5, 6]


def test_the_test_event_that_s3_begins_with_is_no_job(world: World) -> None:
    assert world.receive({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"})

    assert (world.lanes.dead("aws-events"), drain(world.app)) == ((), 0)


def test_a_message_of_a_topic_an_event_of_the_bus_and_one_of_anothers_queue_are_a_job_each(world: World) -> None:
    for _ in range(2):
        world.receive(of_topic({"order": 1}))
        world.receive(bus("shop.orders", "placed", {"order": 2, "total": 101}))
        world.receive({"order": 3}, queue="invoices")
    drain(world.app)

    assert [one.order for _, one in world.ran] == [1, 2, 3]
    for job_id in ("sns-m-1", "event-event-1", "sqs-message-1"):
        assert world.app.get(job_id).attempts == 1


@pytest.mark.parametrize(
    ("source", "model", "body", "seen"),
    [
        (S3Created("uploads"), S3EventNotificationEventBridgeModel, on_the_bus(), "in/a b+ü.csv"),
        (SnsTopic("orders"), SnsNotificationModel, of_topic({"order": 1}), '{"order": 1}'),
        (EventPattern({"source": ["shop"]}), EventBridgeModel, bus("shop", "placed", {"a": 1}), "placed"),
    ],
)
def test_a_parser_model_of_powertools_gets_the_whole_event(source: Any, model: Any, body: Any, seen: str) -> None:
    world = a_world((source, model, None))

    assert world.receive(body), world.events.events
    drain(world.app)

    ((_, given),) = world.ran
    assert seen in (given.model_dump_json() if seen[0] != "{" else given.Message)


def test_a_function_makes_the_payload_of_an_event() -> None:
    def total(event: Event) -> dict[str, int]:
        return {"order": int(event.content["number"])}

    world = a_world((EventPattern({"source": ["shop"]}), Order, total))
    world.receive(bus("shop", "placed", {"number": "7"}))
    drain(world.app)
    assert [one.order for _, one in world.ran] == [7]
    world.ran.clear()

    assert world.refusal(bus("shop", "placed", {}, id="2")) == (
        "payload= of job.n0 raised KeyError for an event of source 'shop'"
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (on_the_bus("out/a.csv"), "no source of this application means an object made in bucket 'uploads'"),
        (notification(event="ObjectRemoved:Delete"), "no source of this application means an event of source 'aws:s3'"),
        (of_topic({}, topic=f"{TOPIC}2"), f"no source of this application means a message of topic {TOPIC}2"),
        (bus("shop.orders", "placed", {"total": 99}), "means an event of source 'shop.orders'"),
        (of_topic({"order": "many"}), "payload of job.n1 is not valid: order: Input should be a valid integer"),
        (of_topic("hello"), "payload of job.n1 is not valid"),
        ({"order": 1}, "not an event of S3, SNS or EventBridge"),
        ("hello", "not an event of S3, SNS or EventBridge: no JSON"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "a notification of S3 without bucket, key and event name"),
        (bus("aws.s3", "Object Created", {}), "an event of S3 without bucket and key"),
    ],
)
def test_what_is_no_job_lies_in_the_dead_letter_queue_with_the_reason(world: World, body: object, why: str) -> None:
    assert why in world.refusal(body)


def test_what_matched_nothing_is_sent_again_once_a_source_means_it(world: World) -> None:
    body = on_the_bus("out/a.csv")
    assert "no source" in world.refusal(body)
    deployed = a_world((S3Created("uploads"), Upload, None))
    deployed.app.use(world.app.ports)

    (sent,) = deployed.app.dead_letters.messages.resend()
    assert (sent.queue, deployed.lanes.dead("aws-events")) == ("aws-events", ())
    message = deployed.lanes.queues["aws-events"].messages[0]
    deployed.receive(message.body)
    drain(deployed.app)

    assert [one.key for _, one in deployed.ran] == ["out/a.csv"]


def test_while_aws_does_not_answer_a_message_comes_back(world: World) -> None:
    ledger, lanes = break_ports(world.app)
    ledger.broken |= {"put", "put_many"}
    lanes.broken |= {"send", "send_many", "send_to_dlq"}

    assert not world.receive(on_the_bus())
    assert not world.receive("hello"), "no copy of it was kept"


def test_a_message_whose_enqueue_raises_comes_back_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Middleware's error ended the invocation, and all messages of its batch came back."""

    class Refuses(Middleware):
        def enqueue(self, requests: Sequence[Request], proceed: Any) -> list[Receipt[Any]]:
            if requests[0].job_id == "sqs-1":
                raise ValueError
            return list(proceed(requests))

    family = Jobs(queue="reports")

    @family.job("order.ship")
    def ship(_: Order) -> None: ...

    family.on(SqsQueue("invoices"), ship)
    monkeypatch.setenv("LANEWORK_STACK", "shop-prod")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shop-prod")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    app = app_in_memory(App(family, middleware=[Refuses()]))
    arn = "arn:aws:sqs:us-east-1:000000000000:shop-prod-invoices"
    records: list[dict[str, Any]] = [
        {"messageId": number, "receiptHandle": "r", "body": '{"order": 1}', "eventSourceARN": arn, "attributes": {}}
        for number in ("1", "2")
    ]
    context: Any = None

    answer = event_handler(app)({"Records": records}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert app.get("sqs-2").type == "order.ship"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (S3Created("uploads"), S3Created("uploads", prefix="in/")),
        (S3Created("uploads", prefix="in/"), S3Created("uploads", prefix="in/2026/", suffix=".csv")),
        (S3Created("uploads", prefix="in/"), S3Created("uploads", suffix=".csv")),
        (SnsTopic("orders"), SnsTopic(TOPIC)),
        (SqsQueue("invoices"), SqsQueue("invoices")),
        (EventPattern({"source": ["a", "b"]}), EventPattern({"source": ["b"], "detail-type": ["x"]})),
        (EventPattern({"source": [{"prefix": "aws."}]}), S3Created("uploads")),
        (EventPattern({"detail": {"a": [1]}}), EventPattern({"detail": {"b": [1]}})),
        (EventPattern({"detail": {"a": [{"anything-but": [1]}]}}), EventPattern({"detail": {"a": [2]}})),
    ],
)
def test_sources_that_may_mean_the_same_event_are_refused(one: Any, other: Any) -> None:
    with pytest.raises(DeclarationError, match="overlap: an event is one job, so narrow one of them") as refused:
        a_world((one, Order, None), (other, Order, None))

    assert str(refused.value).startswith(f"{one} of job.n0 and {other} of job.n1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (S3Created("uploads", prefix="in/"), S3Created("uploads", prefix="out/")),
        (S3Created("uploads", suffix=".csv"), S3Created("uploads", suffix=".json")),
        (S3Created("uploads"), S3Created("reports")),
        (SnsTopic("orders"), SnsTopic("invoices")),
        (SnsTopic(TOPIC), SnsTopic(TOPIC.replace("us-east-1", "eu-west-1"))),
        (SqsQueue("orders"), SqsQueue("invoices")),
        (EventPattern({"source": ["a"]}), EventPattern({"source": ["b"]})),
        (EventPattern({"source": [{"prefix": "a."}]}), EventPattern({"source": ["b.c"]})),
        (EventPattern({"detail": {"a": [1]}}), EventPattern({"detail": {"a": [2]}})),
        (EventPattern({"detail": {"a": [{"anything-but": [1]}]}}), EventPattern({"detail": {"a": [1]}})),
        (SqsQueue("orders"), SnsTopic("orders")),
    ],
)
def test_sources_that_mean_different_events_go_together(one: Any, other: Any) -> None:
    a_world((one, Order, None), (other, Order, None))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: S3Created("Up"), "S3Created takes a bucket's name"),
        (lambda: S3Created("uploads", prefix=1), "prefix of S3Created must be text"),  # type: ignore[arg-type]
        (lambda: SnsTopic("orders.fifo"), "SnsTopic takes a topic's name or ARN, and no FIFO topic"),
        (lambda: SqsQueue("high"), "not ending in a lane's name"),
        (lambda: SqsQueue("aws-events"), "not ending in a lane's name"),
        (lambda: EventPattern({}), "must be an object of fields"),
        (lambda: EventPattern({"source": "shop"}), "an event pattern has a list of values for each field"),
        (lambda: EventPattern({"source": [{"cidr": "10.0.0.0/8"}]}), "'cidr' is not supported; use prefix, suffix"),
        (lambda: EventPattern({"detail": {"a": [{"numeric": [">"]}]}}), "numeric can't have"),
        (lambda: EventPattern({"source": [{"prefix": 5}]}), "prefix can't have 5"),
    ],
)
def test_a_source_that_can_not_be_is_refused_with_one_line(wrong: Any, why: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        wrong()

    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_family_takes_sources_for_its_own_jobs_before_it_joins() -> None:
    family, other = Jobs(queue="reports"), Jobs(queue="other")

    @family.job("report.import")
    def load(_: Upload) -> None: ...

    with pytest.raises(DeclarationError, match=r"takes a source of lanework.aws_events, such as S3Created"):
        family.on("uploads", load)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match=r"takes a job of the same family \(none yet\), got report.import"):
        other.on(S3Created("uploads"), load)
    App(family)
    with pytest.raises(DeclarationError, match="is declared after its family joined an App"):
        family.on(S3Created("uploads"), load)


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ([{"prefix": "a"}], ["ab"], ["b", 1, None]),
        ([{"suffix": "b"}], ["ab"], ["ba"]),
        ([{"equals-ignore-case": "AB"}], ["ab"], ["b"]),
        ([{"anything-but": ["a", "b"]}], ["c", 1], ["a"]),
        ([{"anything-but": {"prefix": "a"}}], ["b"], ["ab"]),
        ([{"numeric": [">", 0, "<=", 5]}], [5, 0.5], [0, 6, "5", True]),
        ([{"wildcard": "in/*.csv"}], ["in/a/b.csv", "in/.csv"], ["in/a.txt", "x/in/a.csv"]),
        ([{"wildcard": "a\\*b"}], ["a*b"], ["acb"]),
        ([None, "x"], [None, "x"], ["y"]),
        (["x"], [["y", "x"]], [["y"], []]),
    ],
)
def test_a_pattern_matches_as_eventbridge_says(pattern: Any, fits: list[Any], fails: list[Any]) -> None:
    source = EventPattern({"detail": {"a": pattern}})

    def event(value: object) -> Event:
        return Event(id="1", raw={"detail": {"a": value}}, content=None, is_of_bus=True)

    assert [value for value in fits if not source.takes(event(value))] == []
    assert [value for value in fails if source.takes(event(value))] == []


def test_a_pattern_sees_what_is_absent() -> None:
    absent = Event(id="1", raw={"detail": {}}, content=None, is_of_bus=True)

    assert EventPattern({"detail": {"a": [{"exists": False}]}}).takes(absent)
    assert not EventPattern({"detail": {"a": [{"exists": True}]}}).takes(absent)
    assert not EventPattern({"detail": {"a": [{"anything-but": "x"}]}}).takes(absent)
    assert not EventPattern({"a": {"b": [1]}}).takes(absent)


def test_the_rule_of_a_prefix_and_a_suffix_is_one_wildcard() -> None:
    made = S3Created("uploads", prefix="in*/", suffix=".csv").pattern

    assert made["detail"]["object"]["key"] == [{"wildcard": "in\\*/*.csv"}]
    assert "object" not in S3Created("uploads").pattern["detail"]
    assert S3Created("uploads", suffix=".csv").pattern["detail"]["object"]["key"] == [{"suffix": ".csv"}]


def test_the_lane_of_the_job_is_its_types(world: World) -> None:
    world.receive(on_the_bus())

    assert world.lanes.counts(Lane.HIGH).waiting == 1
