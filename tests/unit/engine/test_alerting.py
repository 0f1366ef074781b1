from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, State
from lanework.errors import ConfigError, LaneworkError, UnavailableError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import Lane, LaneDepth
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alert, Phase
from lanework.model.stats.buckets import MINUTE, Bucket, minute_of
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.observe.alert_webhook import WebhookChannel
from lanework.testing import NOON, Clock, EventList, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.fakes import Flaky
from tests.support.small_world import World

KEY = Key(lane=Lane.HIGH, queue="email", type="user.greeting")
ALERT = Alert(rule=Rule.DEATH, subject="user.greeting", text="it died", next_step="lanework dlq list", since=NOON)


class JobEventDocument(BaseModel):
    """What an alert's job gets; the rest of it is ignored."""

    phase: str
    title: str
    text: str


@dataclass(slots=True)
class Listener:
    """A channel that keeps what it is told, unless it is broken."""

    name: str = "listener"
    delivered: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def notify(self, alert: Alert) -> None:
        if self.broken:
            raise UnavailableError(self.name)
        self.delivered.append((alert.phase.value, alert.rule.value))


def die(world: World, count: int = 1) -> None:
    numbers = {KEY: Numbers({Count.DEAD: count})}
    world.app.ports.statistics.add(Bucket(at=minute_of(world.clock()), numbers=numbers))


def tick(world: World, *channels: Listener, waiting: int = 0) -> None:
    world.app.runtime.roll_up.tick()
    world.app.runtime.alert_manager(channels).tick({Lane.LOW: LaneDepth(waiting=waiting)})
    world.clock.advance(MINUTE)


def test_a_death_is_told_once_and_an_hour_later_that_it_is_over(world: World) -> None:
    listener = Listener()
    die(world)

    for _ in range(59):
        tick(world, listener)
    assert listener.delivered == [("raised", "death")]
    for _ in range(8):
        tick(world, listener)

    assert listener.delivered == [("raised", "death"), ("resolved", "death")]
    assert world.events.actions == ["alert.raised", "alert.resolved"]
    assert (0, 1) == (len(world.app.runtime.alerts().active), len(world.app.runtime.alerts().resolved))


def test_deaths_of_a_day_and_a_deep_lane_are_alerts_of_their_own(world: World) -> None:
    listener = Listener()
    die(world, 11)
    tick(world, listener, waiting=1001)

    assert sorted(listener.delivered) == [("raised", "death"), ("raised", "deaths"), ("raised", "waiting")]
    for _ in range(6):
        tick(world, listener)
    assert listener.delivered[3:] == [("resolved", "waiting")]


def test_a_channel_that_does_not_answer_is_told_later_and_holds_up_no_other(world: World) -> None:
    broken, works = Listener("broken", broken=True), Listener("works")
    die(world)
    tick(world, broken, works)
    assert (broken.delivered, works.delivered) == ([], [("raised", "death")])
    assert "alert.delivery_failed" in world.events.actions

    broken.broken = False
    tick(world, broken, works)
    tick(world, broken, works)

    assert broken.delivered == works.delivered == [("raised", "death")]


def test_where_nobody_listens_alerts_are_shown_all_the_same(world: World) -> None:
    die(world)
    tick(world)

    assert [Rule.DEATH] == [one.rule for one in world.app.runtime.alerts().active]


def test_an_alert_can_be_a_job_of_the_application() -> None:
    sent: list[tuple[str, str, str]] = []
    ops = Jobs(queue="ops", lane="critical")

    @ops.job("ops.alert")
    def mail(notice: JobEventDocument) -> None:
        sent.append((notice.phase, notice.title, notice.text))

    clock = Clock()
    app = app_in_memory(App(ops), clock, events=EventList())
    app.ports.statistics.add(Bucket(at=NOON, numbers={KEY: Numbers({Count.DEAD: 1})}))

    for _ in range(2):
        app.runtime.alert_manager(job="ops.alert").tick({})
        drain(app)
    for wait in (timedelta(hours=2), timedelta(minutes=5)):
        clock.advance(wait)
        app.runtime.alert_manager(job="ops.alert").tick({})
        drain(app)

    text = "1 job of type user.greeting died within an hour"
    assert sent == [("raised", "death user.greeting", text), ("resolved", "Resolved: death user.greeting", text)]
    assert "alert-death-user.greeting@20260102T120000-raised" in [
        one.job_id for one in app.runtime.search.newest().jobs
    ]


def test_an_alert_for_a_job_that_does_not_exist_is_said_each_minute_and_stops_nothing(world: World) -> None:
    die(world)
    world.app.runtime.alert_manager(job="user.greetings").tick({})

    assert world.events.actions == ["alert.raised", "alert.delivery_failed"]
    assert "did you mean 'user.greeting'" in str(world.events.events[-1].reason)


@contextmanager
def a_receiver(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?secret=1", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_gets_the_alert_and_a_text_that_chats_show() -> None:
    with a_receiver(204) as (address, got):
        WebhookChannel(lambda: address).notify(ALERT)

    (sent,) = got
    assert ("raised", "death", "user.greeting", "death user.greeting: it died") == (
        *(sent["phase"], sent["rule"], sent["subject"]),
        sent["text"],
    )
    assert Phase.RAISED == sent["phase"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_told_again_and_its_address_is_not_said(status: int) -> None:
    with a_receiver(status) as (address, got), pytest.raises(UnavailableError, match=str(status)) as raised:
        WebhookChannel(lambda: address).notify(ALERT)

    assert len(got) == 1, "no redirect is followed"
    assert "secret" not in str(raised.value)


def test_a_webhook_that_is_not_there_is_told_again() -> None:
    with a_receiver(200) as (address, _):
        pass

    with pytest.raises(UnavailableError, match="doesn't answer"):
        WebhookChannel(lambda: address).notify(ALERT)


def test_a_webhook_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="https"):
        WebhookChannel(lambda: "file:///etc/passwd").notify(ALERT)


def test_what_a_channel_raises_is_an_error_of_ours() -> None:
    assert issubclass(UnavailableError, LaneworkError)


def test_a_minute_in_which_nothing_happens_costs_three_writes_and_five_reads_of_numbers(world: World) -> None:
    def idle() -> None:
        world.app.runtime.roll_up.note({Lane.LOW: LaneDepth()})
        tick(world)

    for _ in range(5):
        idle()
    store = Flaky(world.app.ports.statistics)
    world.app.use(replace(world.app.ports, statistics=store))
    idle()

    assert sorted(store.calls) == ["add", "board", "hours", "keep_minute", "keep_total", "raw", "raw", "total"]


def died(world: World, name: str, *, type_: str = KEY.type) -> None:
    """Let a job die for good, and be counted."""
    at = world.clock()
    record = a_record(job_id=name, type=type_, state=State.DEAD, due_at=None, ended_at=at, sweep_at=at)
    world.app.ports.ledger.put(record)
    counted = {replace(KEY, type=type_): Numbers({Count.DEAD: 1})}
    world.app.ports.statistics.add(Bucket(at=minute_of(at), numbers=counted))


def drop_all(world: World) -> None:
    world.app.dead_letters.drop(world.app.dead_letters.jobs.plan(DeadFilter()))


def test_an_alert_ends_when_what_it_told_of_was_dropped_and_a_new_death_is_told_again(world: World) -> None:
    listener = Listener()
    died(world, "job-1")
    died(world, "job-2")
    tick(world, listener)
    drop_all(world)
    for _ in range(7):
        tick(world, listener)

    assert listener.delivered == [("raised", "death"), ("resolved", "death")]
    died(world, "job-3")
    tick(world, listener)
    assert listener.delivered[2:] == [("raised", "death")]
    assert world.app.runtime.alerts().active[0].text.startswith("1 job of type user.greeting died within an hour")


def test_an_alert_goes_on_while_one_of_those_that_it_told_of_is_dead(world: World) -> None:
    listener = Listener()
    died(world, "job-1")
    died(world, "job-2")
    tick(world, listener)
    dead_letters = world.app.dead_letters
    dead_letters.redrive(dead_letters.jobs.plan(DeadFilter(job_ids=("job-1",))))
    for _ in range(7):
        tick(world, listener)

    assert listener.delivered == [("raised", "death")]
    assert world.app.runtime.alerts().active[0].text.startswith("1 job of type user.greeting died within an hour")


def test_what_was_dropped_long_after_its_death_hides_no_new_death(world: World) -> None:
    listener = Listener()
    died(world, "old")
    world.clock.advance(timedelta(hours=3))
    drop_all(world)
    died(world, "new")

    tick(world, listener)

    assert listener.delivered == [("raised", "death")]


def test_too_many_deaths_in_a_day_are_over_when_they_were_dealt_with(world: World) -> None:
    listener = Listener()
    for number in range(11):
        died(world, f"job-{number}")
    tick(world, listener)
    drop_all(world)
    for _ in range(7):
        tick(world, listener)

    assert sorted(listener.delivered) == [
        ("raised", "death"),
        ("raised", "deaths"),
        ("resolved", "death"),
        ("resolved", "deaths"),
    ]


def test_of_a_type_whose_dead_lie_behind_a_hundred_others_none_is_taken_to_be_dealt_with(world: World) -> None:
    died(world, "other", type_="user.other")
    world.clock.advance(MINUTE)
    for number in range(101):
        died(world, f"job-{number}")
    dead_letters = world.app.dead_letters
    dead_letters.redrive(dead_letters.jobs.plan(DeadFilter(job_ids=("job-7",))))

    tick(world)

    assert {one.subject for one in world.app.runtime.alerts().active} >= {"user.other", KEY.type}


def test_where_nobody_dealt_with_a_death_no_job_is_read_for_an_alert(world: World) -> None:
    died(world, "job-1")
    world.app.runtime.roll_up.tick()
    ledger = Flaky(world.app.ports.ledger)
    stand_in: Any = ledger
    world.app.use(replace(world.app.ports, ledger=stand_in))

    world.app.runtime.alert_manager([Listener()]).tick({})

    assert ledger.calls == []


def test_of_two_clocks_that_tick_at_once_one_tells(world: World) -> None:
    listener = Listener()
    died(world, "job-1")
    world.app.runtime.roll_up.tick()
    store: Any = Flaky(world.app.ports.statistics, answers={"keep_alerts": lambda *_, **__: False})
    world.app.use(replace(world.app.ports, statistics=store))

    world.app.runtime.alert_manager([listener]).tick({})

    assert listener.delivered == []
    assert "alert.raised" not in world.events.actions


def test_a_channel_gets_ten_messages_in_a_tick_and_the_others_in_the_next(world: World) -> None:
    listener = Listener()
    for number in range(12):
        died(world, f"job-{number}", type_=f"user.type{number}")

    tick(world, listener)
    assert len(listener.delivered) == 10
    tick(world, listener)
    assert sorted(listener.delivered) == [("raised", "death")] * 12 + [("raised", "deaths")]
