"""
Items of which one attribute holds what a later or foreign release would write: each is shown, and stops nothing.

One item for each attribute and each odd value lies among healthy ones; then the minute's tick and the pages' and API's
lists are driven over all of them. A list or a tick that fails names the part; run it with one attribute to see which.
On moto and on MiniStack; hundreds of items at once on MiniStack, since moto takes four times as long for them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from pydantic import BaseModel

from lanework import App, InvalidOptionError, Jobs, State, WorkflowState, group
from lanework.aws.ledger.item import JobItem, to_item
from lanework.edges.clock import clock
from lanework.engine.jobtypes.request import request_of
from lanework.model.events import Action
from lanework.model.lanes import Lane
from lanework.model.lifecycle.dependency_moves import BLOCKED
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.buckets import Bucket
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.settings import Settings
from lanework.testing import Clock, memory_ports
from lanework.wiring import aws_ports
from tests.support.browsers import logged_in
from tests.support.endpoints import endpoints
from tests.support.factories import a_record
from tests.support.gateway import a_client
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from lanework import Request
    from lanework.model.events import Event

MINUTE = timedelta(minutes=1)
PAGES = ("/", "/jobs", "/dead", "/limits", "/cost", "/schedules", "/workflows")
LISTS = (
    *("/api/jobs?limit=100", "/api/admin/dlq", "/api/admin/dlq/groups", "/api/jobs/pauses", "/api/schedules"),
    *("/api/v1/jobs/queues", "/api/v1/jobs/queues/email/stats", "/api/v1/jobs/queues/email/failed"),
    *("/api/workflows", "/api/stats", "/api/stats/series", "/api/sla", "/api/costs", "/api/jobs/metrics"),
    *("/api/alerts", "/metrics", "/health"),
)

ODD: dict[str, tuple[Any, ...]] = {
    "S": (None, {"S": "later-release"}, {"S": ""}, {"L": []}),
    "N": (None, {"N": "1.5"}, {"N": "9" * 38}, {"N": "-" + "9" * 38}, {"N": "0"}, {"S": "three"}),
    "BOOL": (None, {"S": "perhaps"}),
    "B": (None, {"B": b"no zlib"}, {"S": "text"}),
}
"""What a value of each DynamoDB type is replaced by; None takes it away."""

LANE = Key(lane=Lane.HIGH)

KEYS = frozenset({"pk", "sk", "recent_shard", "sweep_shard"})
"""What makes an item this item."""

INDEXED = frozenset({"recent_key", "sweep_at"})
"""DynamoDB refuses these as another type."""


class Greeting(BaseModel):
    name: str = "Bat"


class _Context:
    """What the clock reads of an invocation."""

    function_name = "clock"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:clock"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


@dataclass(slots=True)
class Stack:
    """
    An application on a stack of its own.

    Attributes:
        app: The application; `user.greeting` is its job, `user.nightly` runs each minute.
        clock: Its time.
        database: The table's client.
        table: The table's name.
        said: The events of the ports themselves.
    """

    app: App
    clock: Clock
    database: DynamoDBClient
    table: str
    said: list[Event]

    def poison(self, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the item once for each attribute and odd value, with a name for what is odd."""
        for name in sorted(item.keys() - KEYS):
            (kind,) = item[name]
            for number, odd in enumerate(ODD[kind]):
                if name in INDEXED and (odd is None or kind not in odd or odd == {"S": ""}):
                    continue
                whole = {key: value for key, value in item.items() if key != name}
                yield f"{name}-{number}", whole if odd is None else whole | {name: odd}

    def write(self, items: list[dict[str, Any]]) -> None:
        for start in range(0, len(items), 25):
            requests: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            self.database.batch_write_item(RequestItems={self.table: requests})

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        return self.database.get_item(TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]

    def check(self, *paths: str) -> None:
        """Assert that ticks go through, that each list and page is shown, and that healthy jobs get on."""
        handler = clock(self.app)
        context: Any = _Context()
        failed: dict[str, str] = {}
        for number in range(2):
            try:
                handler({}, context)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported with what else failed
                failed[f"tick {number}"] = f"{type(error).__name__}: {error}"
            self.clock.advance(MINUTE)
        api = a_client(self.app, is_development=True)
        browser = logged_in(api)
        for path in (*PAGES, *LISTS, *paths):
            client = api if path.startswith("/api/") else browser
            answer = client.get(path)
            if answer.status != 200:
                failed[path] = f"{answer.status} {answer.text[-200:]}"
        assert failed == {}, "\n".join(f"{where}: {what}" for where, what in list(failed.items())[:12])


def ask(stack: Stack) -> Request:
    return request_of(stack.app.registry.get("user.greeting"), {"name": "Bat"}, {})


MANY_ITEMS = pytest.mark.parametrize("stack", endpoints("ministack"), indirect=True)


@pytest.fixture(name="stack", params=endpoints("moto", "ministack"))
def a_stack(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    name = f"poison-{uuid4().hex[:8]}"
    make_stack(name, endpoint)
    family = Jobs(queue="email", lane="high")

    @family.job("user.greeting")
    def greet(_: Greeting) -> None: ...

    @family.job("user.nightly", every=MINUTE)
    def nightly(_: Greeting) -> None: ...

    time = Clock(datetime.now(UTC).replace(microsecond=0))
    said: list[Event] = []
    ports = aws_ports(Settings(stack=name, region=REGION, endpoint=endpoint), emit=said.append)
    app = App(family)
    app.use(replace(ports, clock=time, scheduler=memory_ports(time).scheduler))
    database = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
    return Stack(app=app, clock=time, database=database, table=f"{name}-jobs", said=said)


@MANY_ITEMS
def test_a_schedule(stack: Stack) -> None:
    for name in ("added", "healthy"):
        stack.app.schedules.add(name, "user.greeting", {"name": "Bat"}, cron="* * * * *")
    stack.app.runtime.schedule_trigger.tick()
    items = [
        odd | {"sk": {"S": f"odd-{index}"}}
        for name in ("added", "user.nightly")
        for index, (_, odd) in enumerate(stack.poison(stack.item("schedules", name)), start=1000 * (name == "added"))
    ]
    declared = stack.item("schedules", "user.nightly") | {"overlap": {"S": "queue"}, "revision": {"N": "7"}}
    stack.write([*items, declared])
    stack.app.ports.flags.set_bookmark("declared schedules", "another release's")
    stack.clock.advance(MINUTE)
    before = stack.clock.now

    stack.check(*(f"/api/schedules/{item['sk']['S']}" for item in items[:20]))

    for name in ("healthy", "user.nightly"):
        assert stack.app.schedules.get(name).last_tick >= before - MINUTE, f"{name} fires"
    listed = {one.record.schedule.name: one.record.damage for one in stack.app.schedules.list()}
    assert any(listed.values())
    odd = next(name for name, damage in listed.items() if damage)
    with pytest.raises(InvalidOptionError, match="can't be read"):
        stack.app.schedules.pause(odd)


@pytest.mark.parametrize("revision", [None, {"S": "later-release"}, {"N": "1.5"}, {"N": "-3"}, {"N": "9" * 38}])
@pytest.mark.parametrize("act", ["remove", "pause", "replace", "fire"])
def test_a_schedule_whose_revision_cannot_be_read_is_an_operators_all_the_same(
    stack: Stack, act: str, revision: dict[str, str] | None
) -> None:
    """Each write asked for the revision that it had read, and so all were refused, for good."""
    schedules = stack.app.schedules
    schedules.add("nightly", "user.greeting", {"name": "Bat"}, cron="* * * * *")
    item = {name: value for name, value in stack.item("schedules", "nightly").items() if name != "revision"}
    stack.write([item if revision is None else item | {"revision": revision}])

    match act:
        case "remove":
            schedules.remove("nightly")
        case "pause":
            schedules.pause("nightly")
        case "replace":
            schedules.add("nightly", "user.greeting", {"name": "Robin"}, every=MINUTE)
        case _:
            stack.clock.advance(MINUTE)
            stack.app.runtime.schedule_trigger.tick()

    left = {one.record.schedule.name: one.record for one in schedules.list()}.get("nightly")
    assert (left is None) == (act == "remove")
    if left is not None:
        assert (left.damage, left.paused, left.revision > 0) == (None, act == "pause", True)
        assert (left.last_run is None) == (act != "fire")
        assert ("Robin" in left.schedule.payload) == (act == "replace")


def test_a_schedule_whose_removal_is_marked_oddly_can_be_added_anew(stack: Stack) -> None:
    stack.write([{"pk": {"S": "schedules"}, "sk": {"S": "nightly"}, "removed": {"S": "yes"}}])

    stack.app.schedules.add("nightly", "user.greeting", {"name": "Bat"}, cron="* * * * *")

    assert stack.app.schedules.get("nightly").damage is None


@MANY_ITEMS
@pytest.mark.parametrize("kind", ["workflow", "shard"])
def test_a_workflow(stack: Stack, kind: str) -> None:
    ids = stack.app.workflows.enqueue(group([ask(stack)] * 3), workflow_id="w").workflow_id
    shard = stack.item(f"workflow#{ids}#1", "shard") | {"v1": {"N": "5"}}
    root = stack.item(f"workflow#{ids}", "workflow") | {"cancelled_at": {"N": "1"}, "slot": {"N": "1"}}
    names = stack.item(f"workflow#{ids}#1", "names")
    items: list[dict[str, Any]] = []
    what = list(stack.poison(root if kind == "workflow" else shard))
    for index, (name, odd) in enumerate(what):
        key = f"workflow#odd{index}"
        mine = {} if name.startswith("recent_key") else {"recent_key": {"S": f"{root['recent_key']['S']}odd{index}"}}
        items += [
            (odd | mine if kind == "workflow" else root | mine) | {"pk": {"S": key}},
            (odd if kind == "shard" else shard) | {"pk": {"S": f"{key}#1"}},
            names | {"pk": {"S": f"{key}#1"}},
        ]
    stack.write(items)
    stack.clock.advance(timedelta(minutes=6))

    stack.check(*(f"/workflows/odd{index}" for index in range(len(what)) if kind == "shard" or index % 4 == 0))
    healthy = stack.app.workflows.get(ids)
    assert (healthy.record.damage, healthy.record.state, healthy.counts.open) == (None, WorkflowState.RUNNING, 3)


def test_statistics_and_bookmarks(stack: Stack) -> None:
    stack.app.enqueue("user.greeting", {}, job_id="innocent", delay=timedelta(minutes=20))
    text = {"content": {"B": b"no zlib"}}
    kept: list[dict[str, Any]] = [{"pk": {"S": "statistics"}, "sk": {"S": "now#alerts"}, "version": {"S": "1"}, **text}]
    now = stack.clock.now.replace(second=0)
    for number in range(3):
        at = f"{now - number * MINUTE:%Y-%m-%dT%H:%M}"
        kept += [
            {"pk": {"S": "statistics"}, "sk": {"S": f"minute#{at}"}, **(text if number else {})},
            {"pk": {"S": "statistics"}, "sk": {"S": f"hour#{at}"}, **text},
            {"pk": {"S": f"counts#{at}#0"}, "sk": {"S": "counts"}, "later|release": {"N": "1"}, "depths": {"S": "{"}},
        ]
    total = {"pk": {"S": "statistics"}, "sk": {"S": "now#total"}, "until": {"S": f"{now - 3 * MINUTE:%Y-%m-%dT%H:%M}"}}
    stack.write([*kept, total | text])
    for bookmark in ("unsent", "audit", "unread letters", "declared schedules", "housekeeping", "taken ids"):
        stack.app.ports.flags.set_bookmark(bookmark, '{"later":1}')
    stack.clock.advance(timedelta(minutes=20))

    stack.check()

    innocent = stack.app.ports.ledger.get("innocent")
    assert innocent is not None
    assert innocent.sweep_at is not None
    assert innocent.sweep_at > stack.clock.now


def packed(text: str) -> dict[str, bytes]:
    return {"B": zlib.compress(text.encode())}


UNREADABLE: dict[str, dict[str, Any]] = {
    "total without a time": {"content": packed("{}")},
    "total of another time": {"content": packed("{}"), "until": {"S": "later-release"}},
    "total of another type": {"content": packed("{}"), "until": {"N": "1"}},
    "total of no zlib": {"content": {"B": b"no zlib"}, "until": {"S": "2026-11-30T11:55"}},
    "total without anything": {},
    "alerts of no zlib": {"content": {"B": b"no zlib"}, "version": {"S": "1"}},
    "alerts of another release": {"content": packed('{"later":1}'), "version": {"S": "1"}},
    "alerts without a version": {"content": {"S": "text"}},
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_statistics_record_that_cannot_be_read_begins_anew(stack: Stack, what: str) -> None:
    """It stayed for good: each tick put one that was refused, and no total, no alert came any more."""
    name = f"now#{what.split(maxsplit=1)[0]}"
    stack.write([{"pk": {"S": "statistics"}, "sk": {"S": name}, **UNREADABLE[what]}])
    stack.app.ports.statistics.add(Bucket(at=stack.clock.now, numbers={LANE: Numbers({Count.DEAD: 500})}))
    stack.clock.advance(3 * MINUTE)
    context: Any = _Context()

    for _ in range(2):
        clock(stack.app)({}, context)
        stack.clock.advance(MINUTE)

    total, alerts = stack.app.ports.statistics.total(), stack.app.runtime.alerts()
    assert total is not None
    assert total.numbers[LANE][Count.DEAD] == 500
    assert (name == "now#total") or alerts.active
    told = [one.reason for one in stack.said if one.action is Action.STATISTICS_UNREADABLE]
    assert [f"statistics item {name} can't be read" in str(one) for one in told] == [True]


def test_minutes_of_the_statistics_that_cannot_be_read_are_reported_once(stack: Stack) -> None:
    at = stack.clock.now.replace(second=0)
    raw: dict[str, Any] = {
        "pk": {"S": f"counts#{at:%Y-%m-%dT%H:%M}#0"},
        "sk": {"S": "counts"},
        "later|release": {"N": "1"},
    }
    made: dict[str, Any] = {
        "pk": {"S": "statistics"},
        "sk": {"S": f"minute#{at:%Y-%m-%dT%H:%M}"},
        "content": {"B": b"no zlib"},
    }
    stack.write([raw, made])

    for _ in range(2):
        assert stack.app.ports.statistics.raw([at]) == []
        assert stack.app.ports.statistics.board(since=at).minutes == ()

    told = [str(one.reason) for one in stack.said]
    assert [one.split()[2] for one in told] == [raw["pk"]["S"], made["sk"]["S"]]


STATES: dict[str, dict[str, Any]] = {
    "queued": {},
    "delayed": {"state": State.SCHEDULED},
    "blocked": {"state": State.BLOCKED, "after": ("parent",), "open_parents": ("parent",), "held_by": BLOCKED},
    "limited": {"state": State.PARKED, "held_by": "concurrency:type:user.greeting", "rate_attempt": 1},
    "running": {"state": State.RUNNING, "claim_id": "c", "attempts": 1},
    "dead": {"state": State.DEAD, "cause": Cause.EXHAUSTED, "error": "OSError: no", "error_type": "OSError"},
}


@MANY_ITEMS
@pytest.mark.parametrize("state", STATES)
def test_a_job(stack: Stack, state: str) -> None:
    now = stack.clock.now - timedelta(minutes=10)
    entry = {} if state in {"queued", "running"} else {"sweep_at": now}
    facts: dict[str, Any] = {"created_at": now, "run_at": now, "due_at": now, "tenant": "acme", **entry}
    if state == "dead":
        facts |= {"due_at": None, "ended_at": now}
    record = replace(a_record(job_id="odd", payload='{"name":"Bat"}'), **facts, **STATES[state])
    items = []
    for index, (what, odd) in enumerate(stack.poison(to_item(record, JobItem))):
        job_id = f"odd-{index}-{what}"
        mine = to_item(replace(record, job_id=job_id), JobItem)
        own = {name: mine[name] for name in ("pk", "recent_shard", "recent_key", "sweep_shard") if name in mine}
        is_key_odd = what.startswith("recent_key")
        own = {name: value for name, value in own.items() if not (is_key_odd and name == "recent_key")}
        items.append(odd | own | ({} if what.startswith("job_id") else {"job_id": mine["job_id"]}))
    stack.write(items)
    stack.app.enqueue("user.greeting", {}, job_id="innocent", delay=timedelta(minutes=20))
    stack.clock.advance(timedelta(minutes=20))

    one_by_one = [f"/jobs/{item['pk']['S'].removeprefix('job#')}" for item in items] if state == "dead" else ()
    stack.check(*one_by_one)

    innocent = stack.app.ports.ledger.get("innocent")
    assert innocent is not None
    assert innocent.sweep_at is not None
    assert innocent.sweep_at > stack.clock.now, "the sweep has sent it, and pushed its entry on"
