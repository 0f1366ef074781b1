"""The tickets of seed 003, row by row, on the embedded stack, with what its own list says is missing."""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jobs import producing
from jobs.demo import Doomed, Flaky, Greet, Nap, doomed, flaky, greet, nap
from jobs.engineering import Suite, run_tests
from jobs.tickets import Reminder, Ticket, remind, ticket_created
from lanework import Cause, InvalidPayloadError, State, batch
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.stats.statistics import by_type
from lanework.model.lanes import LANES, Lane
from lanework.model.stats.numbers import Count, Numbers
from lanework.testing import EventList, drain
from tests.support.fakes import Flaky as FlakyPort
from tests.support.fakes import MemoryArchive
from tests.support.seeds import gaps

if TYPE_CHECKING:
    from lanework.testing import Clock
    from tests.support.seeds import World

ROOT = Path(__file__).parents[2]
TYPES = {
    "ticket.created": "tickets",
    "ticket.quoted": "tickets",
    "ticket.approved": "tickets",
    "ticket.assigned": "tickets",
    "invoice.created": "tickets",
    "payment.received": "tickets",
    "email.send": "email",
    "sms.send": "notification",
    "reminder": "tickets",
    "daily-report": "scheduler",
}


def a_ticket(number: str, *notify: str) -> Ticket:
    return Ticket.model_validate(
        {
            "ticketId": f"t-{number}",
            "landlordId": "landlord-org",
            "tenantId": "tenant-org",
            "propertyId": "property",
            "title": "Leaking faucet",
            "priority": "MEDIUM",
            "notify": notify,
        }
    )


def test_003_01_tickets_and_notifications_have_queues_and_the_dead_have_theirs(world: World) -> None:
    assert {"tickets", "notification", "email"} <= set(world.app.registry.queues)
    names = {url.rsplit("/", 1)[1] for url in world.stack.clients.sqs.list_queues()["QueueUrls"]}
    assert {f"seeds-{lane}-dlq" for lane in Lane} <= names


def test_003_02_every_type_of_the_file_is_there_and_runs(world: World) -> None:
    assert {name: world.app.registry.get(name).queue for name in TYPES} == TYPES
    payloads: dict[str, dict[str, Any]] = {
        **{name: {"ticketId": "t", "landlordId": "l"} for name in TYPES if name.startswith("ticket.")},
        "invoice.created": {"invoiceId": "i-1", "email": "inv@example.com", "amount": "EUR 5"},
        "payment.received": {"paymentId": "p-1", "email": "pay@example.com", "amount": "EUR 5"},
        "email.send": {"to": "plain@example.com", "subject": "Hi", "text": "x"},
        "sms.send": {"to": "+97699112233", "text": "x"},
        "reminder": {"email": "rem@example.com", "about": "rent"},
        "daily-report": {"date": "2026-01-01"},
    }

    receipts = {name: world.app.enqueue(name, payload) for name, payload in payloads.items()}

    assert {world.end(one.job_id).state for one in receipts.values()} == {State.COMPLETED}


def test_003_03_a_call_says_priority_delay_and_id(world: World) -> None:
    receipt = producing.send_email("opt@example.com", "New Ticket", "...", job_id="unique-job-id")[0]
    other = greet.enqueue(Greet(), lane=1, delay=timedelta(seconds=1), job_id="with-all-three")

    record = world.end(other.job_id)
    assert (receipt.job_id, record.job_id, record.lane) == ("unique-job-id", "with-all-three", Lane.CRITICAL)
    assert record.run_at - record.created_at == timedelta(seconds=1)


def test_003_04_a_job_is_enqueued_by_its_type_and_data(world: World) -> None:
    envelope = {
        "type": "email.send",
        "data": {
            "to": "user-04@example.com",
            "subject": "New Ticket Created",
            "template": "ticket_created",
            "data": {"ticketId": "uuid", "ticketTitle": "Leaking faucet"},
        },
    }

    receipt = world.app.enqueue(str(envelope["type"]), envelope["data"])  # type: ignore[arg-type]

    assert world.end(receipt.job_id).state is State.COMPLETED
    assert world.mail_to("user-04@example.com")["Subject"] == "New Ticket Created"


def test_003_05_three_retries_after_2_4_8_seconds_then_the_dead_letter_queue(world: World) -> None:
    record = world.end(world.slow["ticket"])

    assert (record.attempts, record.cause) == (4, Cause.EXHAUSTED)
    assert [wait <= gap for wait, gap in zip((2, 4, 8), gaps(record), strict=True)] == [True] * 3
    assert {one.options.attempts for one in world.app.registry.types if one.queue == "tickets"} == {4}
    assert world.app.inspector.counts()[Lane.HIGH].dead >= 1


def test_003_06_priorities_1_to_4(world: World) -> None:
    numbers: tuple[Any, ...] = (1, 2, 3, 4)
    receipts = [greet.enqueue(Greet(), lane=number) for number in numbers]

    assert [world.end(one.job_id).lane for one in receipts] == [Lane.CRITICAL, Lane.HIGH, Lane.MEDIUM, Lane.LOW]


def test_003_07_delays_of_five_seconds_and_of_a_day(world: World) -> None:
    """Five seconds by the clock on the wall; the day waits in the sweep index, and costs nothing till then."""
    soon = greet.enqueue(Greet(name="soon"), delay=timedelta(seconds=5))
    tomorrow = remind.enqueue(Reminder(email="r@example.com", about="rent"), delay=timedelta(hours=24))

    record, waiting = world.end(soon.job_id), world.app.get(tomorrow.job_id)

    assert record.first_started_at is not None
    assert record.first_started_at - record.created_at >= timedelta(seconds=5)
    assert (waiting.state, waiting.run_at - waiting.created_at) == (State.SCHEDULED, timedelta(hours=24))
    world.app.cancel(tomorrow.job_id)


def test_003_08_the_same_job_id_is_one_job(world: World) -> None:
    receipts = [producing.ticket_created(a_ticket("08")) for _ in range(2)]

    assert ([one.duplicate for one in receipts], receipts[0].job_id) == ([False, True], receipts[1].job_id)
    assert world.end(receipts[0].job_id).attempts == 1


def test_003_09_a_cron_enqueues_once_whoever_notices_it(clock: Clock, world: World) -> None:
    world.app.runtime.schedule_trigger.tick()
    clock.advance(timedelta(hours=13))

    for _ in range(3):
        world.app.runtime.schedule_trigger.tick()
    world.app.runtime.schedule_trigger.fire("daily-report", "2026-01-03T00:00:00Z")

    reports = [one.job_id for one in world.app.inspector.page(type_="daily-report").jobs]
    assert reports == ["daily-report@2026-01-03T00:00Z"]


def test_003_10_without_the_queue_the_application_goes_on_and_no_job_is_lost(clock: Clock, world: World) -> None:
    events, lanes = EventList(), FlakyPort(world.app.ports.lanes, broken={"send", "send_many"})
    whole = world.app.ports
    world.app.use(replace(whole, lanes=lanes, events=events))
    greet.enqueue(Greet(name="kept"), job_id="kept")
    world.app.use(whole)
    assert events.actions, "the warning"

    clock.advance(timedelta(minutes=1))
    Sweeper(world.app.ports).tick(has_time=lambda *_: True)
    drain(world.app)

    assert world.app.get("kept").state is State.COMPLETED


def test_003_11_a_completion_is_an_event_with_type_and_id(clock: Clock, world: World) -> None:
    assert clock() is not None
    events = EventList()
    world.app.use(replace(world.app.ports, events=events))
    greet.enqueue(Greet(), job_id="told")
    drain(world.app)

    (done,) = [one for one in events.events if one.action.value == "job.completed"]
    assert (done.job_id, done.type) == ("told", "demo.greet")


def test_003_12_a_bad_payload_is_refused_and_nothing_private_is_logged(world: World) -> None:
    with pytest.raises(InvalidPayloadError, match="ticket"):
        world.app.enqueue("ticket.created", {"landlordId": "l"})
    receipt = ticket_created.enqueue(a_ticket("12", "secret-tenant@example.com"))
    world.end(receipt.job_id)

    line = world.logged(since=world.began, wanted='"t-12"')

    assert "secret-tenant" not in line
    assert "Leaking faucet" not in line


def test_003_13_no_more_of_a_queue_run_at_once_than_it_says(world: World) -> None:
    receipts = run_tests.enqueue_many([Suite(project=f"p{number}", suites=("unit",)) for number in range(12)])
    assert {world.end(one.job_id).state for one in receipts} == {State.COMPLETED}

    (bound,) = [one for one in world.app.registry.get("test.run").bounds if one.scope == "queue:test"]
    records = [world.app.get(one.job_id) for one in receipts]
    spans = [(one.started_at or world.began, one.ended_at or world.began) for one in records]
    most = max(len([begin for begin, end in spans if begin <= moment < end]) for moment, _ in spans)
    assert (bound.limit.n, most <= 5) == (5, True)


def test_003_14_there_are_tests_at_every_level(world: World) -> None:
    assert world.began.tzinfo is UTC
    levels = ("unit", "contract", "integration", "e2e", "seeds", "sam")

    counted = Counter(path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py"))

    assert all(counted[level] > 0 for level in levels)
    assert {"jobs", "engine", "model"} <= {path.name for path in (ROOT / "tests/unit").iterdir()}


def test_003_15_the_dashboard_shows_lanes_jobs_and_dead_letters(world: World) -> None:
    """Its pages and actions are tested in a browser in tests/browser."""
    job = world.end(greet.enqueue(Greet()).job_id)

    pages = {path: world.text(path) for path in ("/", "/jobs", f"/jobs/{job.job_id}", "/dead", "/schedules", "/limits")}

    assert {status for status, _ in pages.values()} == {200}
    assert job.job_id in pages["/jobs"][1]
    assert "health-check" in pages["/schedules"][1]


def test_003_16_success_and_failure_are_counted(world: World) -> None:
    world.end(greet.enqueue(Greet()).job_id)
    world.end(doomed.enqueue(Doomed(), attempts=1).job_id)

    _, said = world.api("GET", "/api/v1/jobs/queues/demo/stats")

    assert said["data"]["completed"] >= 1
    assert said["data"]["failed"] >= 1


def test_003_18_a_schedule_is_added_by_cron(world: World) -> None:
    status, said = world.api("PUT", "/api/schedules/midnight", {"type": "demo.greet", "cron": "0 0 * * *"})

    assert status in (200, 201), said
    (following,) = world.app.schedules.next("midnight")
    assert (following.hour, following.minute) == (0, 0)
    world.app.schedules.remove("midnight")


def test_003_19_a_job_waits_for_the_jobs_it_depends_on(world: World) -> None:
    first = greet.enqueue(Greet(name="first"), delay=timedelta(seconds=2))
    second = greet.enqueue(Greet(name="second"), after=[first.job_id])
    assert world.app.get(second.job_id).state is State.BLOCKED

    ended, started = world.end(first.job_id).ended_at, world.end(second.job_id).first_started_at

    assert ended is not None
    assert started is not None
    assert started >= ended


def test_003_20_many_jobs_are_one_batch_which_calls_back_when_all_are_done(world: World) -> None:
    """And ten messages are sent a call, five jobs processed an invocation in lane medium."""
    calls: Counter[str] = Counter()
    world.clients.sqs.meta.events.register("before-call.sqs.*", lambda model, **_: calls.update([model.name]))
    told = greet.request(Greet(name="all of them"), job_id="batch-told")

    world.app.workflows.enqueue(batch([greet.request(Greet(name=f"n{n}")) for n in range(25)], on_success=told))

    assert world.end("batch-told").result == '"Hello, all of them!"'
    assert calls["SendMessageBatch"] >= 3
    assert calls["SendMessage"] <= 1
    assert LANES[Lane.MEDIUM].batch_size == 5


def test_003_21_prometheus_reads_numbers_and_grafana_has_a_dashboard_for_them(world: World) -> None:
    status, text = world.text("/metrics")

    families = {family.name for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert status == 200
    assert any(name.startswith("lanework_") for name in families)
    queries = json.dumps(json.loads((ROOT / "infra/grafana/lanework.json").read_text()))
    assert any(name in queries for name in families)


def test_003_22_a_completion_is_sent_to_a_webhook(world: World) -> None:
    told: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        receipt = greet.enqueue(Greet(), webhook=f"http://127.0.0.1:{server.server_port}/told")
        world.until(lambda: bool(told), "the webhook")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert (told[0]["type"], told[0]["jobId"]) == ("job.completed", receipt.job_id)


def test_003_23_there_are_five_priorities_and_each_is_a_queue_of_its_own(world: World) -> None:
    assert [lane.value for lane in Lane] == ["critical", "high", "medium", "low", "batch"]
    names = {url.rsplit("/", 1)[1] for url in world.stack.clients.sqs.list_queues()["QueueUrls"]}
    assert {f"seeds-{lane}" for lane in Lane} <= names


def test_003_24_starts_are_held_to_their_rate(world: World) -> None:
    """Fifty a minute are 1.24 s apart; tests/e2e measures a rate at the other side's server."""
    receipts = [producing.send_email("rate@example.com", f"Mail {n}", "x")[0] for n in range(4)]
    starts = sorted(filter(None, (world.end(one.job_id).first_started_at for one in receipts)))

    assert (starts[-1] - starts[0]).total_seconds() >= 3


def test_003_25_a_job_that_takes_too_long_is_stopped_in_the_middle(world: World) -> None:
    receipt = nap.enqueue(Nap(seconds=600), timeout=timedelta(seconds=2), attempts=1)

    record = world.end(receipt.job_id)

    assert (record.state, record.cause) == (State.DEAD, Cause.EXHAUSTED)
    assert "TimedOut" in (record.error or "")
    assert record.started_at is not None
    assert record.ended_at is not None
    assert timedelta(seconds=2) <= record.ended_at - record.started_at < timedelta(seconds=600)


def test_003_26_a_job_has_a_log_of_its_own(world: World) -> None:
    receipt = run_tests.enqueue(Suite(project="shop", suites=("unit", "integration")))
    world.end(receipt.job_id)

    status, said = world.api("GET", f"/api/jobs/{receipt.job_id}/logs")

    assert status == 200
    assert [line for line in json.dumps(said).split('"') if line.endswith(" done")] != []


def test_003_27_run_times_waits_and_failures_are_counted_by_type_and_time(world: World) -> None:
    world.end(greet.enqueue(Greet()).job_id)

    def numbers() -> Numbers | None:
        return world.app.runtime.statistics.overview().hour.sums(by_type).get("demo.greet")

    def is_counted() -> bool:
        found = numbers()
        return found is not None and found[Count.COMPLETED] > 0

    world.until(is_counted, "the counters")
    hour = world.app.runtime.statistics.overview().hour
    assert len(hour.series(by_type)["demo.greet"]) >= 59


def test_003_28_what_expires_is_archived_first(clock: Clock, world: World) -> None:
    archive = MemoryArchive()
    world.app.use(replace(world.app.ports, archive=archive))
    greet.enqueue(Greet(), job_id="old")
    drain(world.app)
    clock.advance(timedelta(days=7, hours=1))

    world.app.runtime.hourly_jobs.tick()
    drain(world.app)

    lines = [json.loads(line) for body in archive.objects.values() for line in gzip.decompress(body).splitlines()]
    assert ("old", "completed") in {(one["jobId"], one["status"]) for one in lines}


def test_003_29_many_workers_share_a_lane_and_each_job_runs_once(world: World) -> None:
    receipts = greet.enqueue_many([Greet(name=f"n{number}") for number in range(30)])

    records = [world.end(one.job_id) for one in receipts]

    assert {(one.state, one.attempts) for one in records} == {(State.COMPLETED, 1)}


def test_003_17_a_dead_job_gets_another_life(world: World) -> None:
    dead = world.end(flaky.enqueue(Flaky(fail_times=1), attempts=1).job_id)
    assert dead.state is State.DEAD

    status, said = world.api("POST", f"/api/jobs/{dead.job_id}/retry", {})

    assert (status, said["life"]) == (202, 2)
    assert world.end(dead.job_id).life == 2
