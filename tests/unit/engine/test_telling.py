"""Who is told of a job's end: at least once, whatever stops in between, and the same each time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import Cause, InvalidOptionError, JobNotFoundError, Jobs, State, UnavailableError
from lanework.engine.deadletters.dlq_scan import MOST_BOUNCES
from lanework.engine.deadletters.redrive import Redriver
from lanework.engine.enqueue.prepared_job import prepare
from lanework.engine.execution.attempt import Attempt, in_order
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.execution.executor import Executor
from lanework.engine.execution.pause_watch import PauseWatch
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.messaging.delivery import Ack, Delivery, Nack
from lanework.engine.ports.webhooks import Answered, Webhooks
from lanework.engine.webhooks.notify import NOTIFIED_AGAIN_AFTER, WebhookPayload
from lanework.engine.webhooks.signature import key_for, signed
from lanework.errors import ForbiddenAddressError
from lanework.model.job.envelope import Envelope
from lanework.model.job.job_event_document import JobEventDocument
from lanework.model.lanes import Lane
from lanework.model.lifecycle.dependency_moves import NOTIFIED_WITHIN
from lanework.model.webhooks import host_of
from lanework.testing import NOON, drain, sweep
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World, give_up_on_all, put, raises

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanework import JobRecord

URL = "https://hooks.example.com/lanework?token=s3cret"
KEY = b"k" * 32
BAT = Greeting(name="Bat")
SECOND = timedelta(seconds=1)


@dataclass
class Everybody:
    """
    The receiver of webhooks.

    Attributes:
        posted: What the receiver got.
        answers: What the receiver says, one after the other; 200 when nothing is left.
        meanwhile: What happens while it takes its time.
        at_once: How many messages it had at once at most, by host.
    """

    posted: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    answers: list[Answered | Exception] = field(default_factory=list)
    meanwhile: Callable[[], object] = bool
    at_once: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answered:
        self.posted.append((url, body, headers))
        host = host_of(url)
        self.now[host] += 1
        self.at_once[host] = max(self.at_once[host], self.now[host])
        self.meanwhile()
        self.now[host] -= 1
        answer = self.answers.pop(0) if self.answers else Answered(status_code=200)
        if isinstance(answer, Exception):
            raise answer
        return answer


def everybody(world: World, **options: Any) -> Everybody:
    """Let somebody listen to the application."""
    listening = Everybody()
    webhooks = Webhooks(stack="shop", post=listening.post, secrets=lambda: (KEY,), **options)
    world.app.use(replace(world.app.ports, webhooks=webhooks))
    return listening


def deliveries(world: World) -> list[JobRecord]:
    stored: Any = world.app.ports.ledger
    return [one for one in stored.records.values() if one.type == WEBHOOK]


def told(world: World) -> list[JobEventDocument]:
    """Return what is to be told, in the order in which it was said."""
    orders = [WebhookPayload.model_validate_json(one.payload or "") for one in deliveries(world)]
    return [JobEventDocument.model_validate_json(one.body) for one in orders]


def types_told(world: World) -> list[str]:
    return [one.type for one in told(world)]


# --- once for each end, at least


def test_it_is_told_how_a_job_ended_and_nothing_of_its_payload(world: World) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError("bat@example.com"))
    world.greet.enqueue(BAT, job_id="job-1", attempts=1, correlation_id="request-7")

    drain(world.app)

    (notice,) = told(world)
    assert json.loads(notice.written()) == {
        "version": 1,
        "id": notice.id,
        "type": "job.dead",
        "time": "2026-01-02T12:00:00Z",
        "stack": "shop",
        "jobId": "job-1",
        "jobType": "user.greeting",
        "queue": "email",
        "lane": "high",
        "life": 1,
        "attempt": 1,
        "cause": "exhausted",
        "errorType": "ValueError",
        "correlationId": "request-7",
        "createdAt": "2026-01-02T12:00:00Z",
        "startedAt": "2026-01-02T12:00:00Z",
    }


def test_completions_and_deaths_are_told_and_cancels_are_not(world: World) -> None:
    everybody(world, webhook=URL)
    for number, behave in enumerate((None, raises(ValueError()))):
        world.behave = behave
        world.greet.enqueue(BAT, job_id=f"job-{number}", attempts=1)
        drain(world.app)
    world.greet.enqueue(BAT, job_id="job-2", delay=SECOND)
    world.app.cancel("job-2")
    Redriver(world.app.ports).drop(world.stored("job-1"))

    assert types_told(world) == ["job.completed", "job.dead"]


def test_another_life_has_another_end(world: World) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError())
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    drain(world.app)
    world.app.dead_letters.redrive_job(world.stored().job_id)
    drain(world.app)

    assert [one.life for one in told(world)] == [1, 2]
    assert len({one.id for one in told(world)}) == 2


def nobody_answers(world: World) -> None:
    """Let no job be enqueued from now on, and so no webhook."""
    ledger, lanes = break_ports(world.app)
    ledger.broken.add("put")
    lanes.broken.add("send")


@pytest.mark.parametrize("is_fatal", [False, True])
def test_a_message_stays_until_the_end_was_told_and_is_told_the_same_then(world: World, is_fatal: bool) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError()) if is_fatal else None
    body = put(world, max_attempts=1)
    nobody_answers(world)

    assert world.execute(body) == Nack(NOTIFIED_AGAIN_AFTER)
    ended = world.stored()
    assert ended.state is (State.DEAD if is_fatal else State.COMPLETED)
    mend_ports(world.app)
    world.clock.advance(20 * SECOND)
    assert world.execute(body) == Ack()
    assert world.execute(body) == Ack()

    assert [one.time for one in told(world)] == [ended.ended_at], "the second time is a repetition of its enqueue"


def test_a_worker_that_stops_between_an_end_and_its_telling_is_made_up_for(world: World) -> None:
    everybody(world, webhook=URL)
    body = put(world)
    stopping = replace(world.app.ports, notify=stop)
    stopped = Executor(
        registry=world.app.registry,
        ports=stopping,
        drive=in_order,
        pauses=PauseWatch(stopping.flags, stopping.clock),
    )
    with pytest.raises(KeyboardInterrupt):
        stopped.execute(Delivery(body=body, lane=Lane.HIGH, time_left=timedelta(seconds=30)))
    assert (world.stored().state, types_told(world)) == (State.COMPLETED, [])

    assert world.execute(body) == Ack()

    assert types_told(world) == ["job.completed"]


def stop(_: JobRecord) -> None:
    raise KeyboardInterrupt


def begin(attempt: Attempt) -> None:
    """Claim a job, and be gone."""
    attempt.claim()


def test_a_job_that_its_workers_left_for_dead_is_told_of(world: World) -> None:
    everybody(world, webhook=URL)
    body = put(world, max_attempts=1)
    for _ in range(2):
        executor = world.app.runtime.executor(begin)
        executor.execute(Delivery(body=body, lane=Lane.HIGH, time_left=timedelta(seconds=30)))
        world.clock.advance(timedelta(seconds=31) + LEASE_MARGIN)
    assert world.execute(body) == Ack()

    assert (world.stored().cause, types_told(world)) == (Cause.CRASHED, ["job.dead"])


def test_a_job_that_was_not_started_in_time_is_told_of(world: World) -> None:
    everybody(world, webhook=URL)
    world.greet.enqueue(BAT, job_id="job-1", start_by=SECOND)
    world.clock.advance(2 * SECOND)
    drain(world.app)

    assert (world.stored().cause, types_told(world)) == (Cause.EXPIRED, ["job.dead"])


def test_a_job_that_sqs_gave_up_on_is_told_of(world: World) -> None:
    everybody(world, webhook=URL)
    world.greet.enqueue(BAT, job_id="job-1")
    stored: Any = world.app.ports.ledger
    stored.records["job-1"] = replace(stored.records["job-1"], bounces=MOST_BOUNCES)
    give_up_on_all(world)

    nobody_answers(world)
    Reconciler(world.app.ports).tick()
    mend_ports(world.app)
    assert (world.stored().cause, types_told(world)) == (Cause.INFRA, [])
    world.clock.advance(timedelta(minutes=10))
    Reconciler(world.app.ports).tick()

    assert types_told(world) == ["job.dead"]


def dies_of_its_parent(world: World) -> None:
    """Let a job that waits for another die of it."""
    world.behave = raises(ValueError())
    world.greet.enqueue(BAT, job_id="parent", attempts=1)
    world.greet.enqueue(BAT, job_id="job-1", after=["parent"], on_failure="die", webhook=URL)
    drain(world.app)


def dead_ones(world: World) -> list[str]:
    return [key.job_id for key in world.app.ports.ledger.dead(before=None, limit=10).keys]


def test_a_job_that_dies_of_its_parent_is_told_of_at_once_and_once(world: World) -> None:
    everybody(world)
    dies_of_its_parent(world)
    world.clock.advance(timedelta(hours=1))
    Reconciler(world.app.ports).tick()

    assert [(one.job_id, one.type) for one in told(world)] == [("job-1", "job.dead")]
    assert sorted(dead_ones(world)) == ["job-1", "parent"]


def test_a_job_that_died_of_its_parent_when_nobody_could_be_told_is_told_of_by_the_clock(world: World) -> None:
    everybody(world)
    world.app.use(
        replace(world.app.ports, webhooks=replace(world.app.ports.webhooks, webhook="https://app.example.com/"))
    )
    world.app._ports = replace(world.app.ports, notify=away)  # noqa: SLF001 - use() makes notify anew
    dies_of_its_parent(world)
    world.app.use(world.app.ports)
    assert (world.stored().state, types_told(world)) == (State.DEAD, [])

    Reconciler(world.app.ports).tick()
    assert types_told(world) == [], "whoever made it dead may be about to tell"
    world.clock.advance(NOTIFIED_WITHIN)
    ticked = Reconciler(world.app.ports).tick()
    again = Reconciler(world.app.ports).tick()

    assert (types_told(world), ticked.notified, again.notified) == (["job.dead"], 1, 0)
    assert "job-1" in dead_ones(world)


def away(_: JobRecord) -> None:
    reason = "nobody answers"
    raise UnavailableError(reason)


@pytest.mark.parametrize("is_by_ticket", [False, True])
def test_a_death_that_could_not_be_told_is_told_before_another_life_begins(world: World, is_by_ticket: bool) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError())
    body = put(world, max_attempts=1)
    nobody_answers(world)
    assert world.execute(body) == Nack(NOTIFIED_AGAIN_AFTER)
    mend_ports(world.app)
    assert types_told(world) == []

    world.behave = None
    if is_by_ticket:
        ticket = Envelope.decode(body).as_ticket(life=2).encode()
        assert world.execute(ticket) == Ack()
    else:
        world.app.dead_letters.redrive_job(world.stored().job_id)
        drain(world.app)

    assert [(one.life, one.type) for one in told(world)] == [(1, "job.dead"), (2, "job.completed")]


def test_a_death_that_could_not_be_told_is_told_before_the_job_is_dropped(world: World) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError())
    body = put(world, max_attempts=1)
    nobody_answers(world)
    assert world.execute(body) == Nack(NOTIFIED_AGAIN_AFTER)
    with pytest.raises(UnavailableError):
        Redriver(world.app.ports).drop(world.stored())
    mend_ports(world.app)
    assert (world.stored().state, types_told(world)) == (State.DEAD, [])

    Redriver(world.app.ports).drop(world.stored())

    assert world.execute(body) == Ack()
    assert (world.stored().state, types_told(world)) == (State.CANCELLED, ["job.dead"])


def test_a_death_of_long_ago_is_not_told_again_by_its_redrive(world: World) -> None:
    everybody(world, webhook=URL)
    world.behave = raises(ValueError())
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    drain(world.app)
    stored: Any = world.app.ports.ledger
    for one in deliveries(world):
        del stored.records[one.job_id]  # it has expired
    world.clock.advance(timedelta(days=9))

    world.app.dead_letters.redrive_job(world.stored().job_id)

    assert types_told(world) == []


def test_nobody_is_told_of_laneworks_own_jobs(world: World) -> None:
    everyone = everybody(world, webhook=URL)
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    drain(world.app)

    assert [one.job_id for one in told(world)] == ["job-1"]
    assert len(everyone.posted) == 1


# --- webhooks


def test_a_webhook_tells_of_a_completion_signed_and_once(world: World) -> None:
    everyone = everybody(world)
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL)
    drain(world.app)

    (url, body, headers), *others = everyone.posted
    notice = JobEventDocument.model_validate_json(body)
    assert (url, notice.type, notice.job_id, others) == (URL, "job.completed", "job-1", [])
    timestamp = int(headers["webhook-timestamp"])
    expected = signed(body, event_id=notice.id, timestamp=timestamp, secrets=[key_for(URL, KEY)])
    assert {name: headers[name] for name in expected} == expected
    assert [(one.state, one.result) for one in deliveries(world)] == [(State.COMPLETED, '{"status":200}')]
    assert dict(deliveries(world)[0].headers) == {"about-job": "job-1", "correlation-id": "job-1"}


def test_a_job_whose_headers_are_as_long_as_may_be_is_told_of(world: World) -> None:
    everyone = everybody(world)
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL, correlation_id="x" * 1_010)
    drain(world.app)

    assert JobEventDocument.model_validate_json(everyone.posted[0][1]).correlation_id == "x" * 1_010


def test_a_webhook_tells_of_a_death_and_not_of_a_cancel(world: World) -> None:
    everyone = everybody(world)
    world.behave = raises(ValueError())
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL, attempts=1)
    drain(world.app)
    world.greet.enqueue(BAT, job_id="job-2", webhook=URL)
    world.app.cancel("job-2")
    drain(world.app)

    assert [JobEventDocument.model_validate_json(body).type for _, body, _ in everyone.posted] == ["job.dead"]


def test_the_address_is_the_calls_or_the_types_or_the_familys_or_the_applications() -> None:
    family = Jobs(queue="email", webhook="https://family.example.com/")

    @family.job("user.greeting", webhook="https://type.example.com/")
    def greet(_: Greeting) -> None: ...

    @family.job("user.farewell")
    def bid_farewell(_: Greeting) -> None: ...

    def address(request: Any) -> str | None:
        return prepare(request, now=NOON, new_id=lambda: "id-1", look_ahead=SECOND).record.webhook

    assert address(greet.request(BAT, webhook="https://call.example.com/")) == "https://call.example.com/"
    assert address(greet.request(BAT)) == "https://type.example.com/"
    assert address(bid_farewell.request(BAT)) == "https://family.example.com/"


def test_the_applications_own_address_is_for_jobs_that_name_none(world: World) -> None:
    everyone = everybody(world, webhook="https://app.example.com/")
    world.greet.enqueue(BAT, job_id="job-1")
    world.greet.enqueue(BAT, job_id="job-2", webhook=URL)
    drain(world.app)

    assert {url for url, _, _ in everyone.posted} == {"https://app.example.com/", URL}


def test_a_receiver_that_is_busy_is_asked_again_when_it_says_and_gets_the_same_event(world: World) -> None:
    everyone = everybody(world)
    everyone.answers = [
        Answered(status_code=503, headers={"Retry-After": "120"}),
        UnavailableError("hooks.example.com did not answer"),
        Answered(status_code=302),
    ]
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL)
    drain(world.app)
    assert deliveries(world)[0].due_at == world.clock() + 120 * SECOND
    for _ in range(3):
        world.clock.advance(timedelta(minutes=3))
        drain(world.app)

    assert len({headers["webhook-id"] for _, _, headers in everyone.posted}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in everyone.posted}) == 4
    assert [one.error.partition(":")[0] for one in deliveries(world)[0].failures] == [
        "NotTakenError",
        "UnavailableError",
        "NotTakenError",
    ]
    assert deliveries(world)[0].state is State.COMPLETED


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answered(status_code=410), "accepts no more"),
        (ForbiddenAddressError("hooks.example.com", "10.0.0.1"), "10.0.0.1"),
    ],
)
def test_a_receiver_that_wants_no_more_and_one_that_is_private_are_not_asked_again(
    world: World, answer: Answered | Exception, said: str
) -> None:
    everybody(world).answers = [answer]
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL)
    drain(world.app)

    delivery = deliveries(world)[0]
    assert (delivery.state, delivery.cause, said in str(delivery.error)) == (State.DEAD, Cause.DISCARDED, True)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://a..b/", "https://[::1%eth0]/", "file:///", "", "%"]
)
def test_an_address_that_can_never_work_is_not_asked_at_all(world: World, url: str) -> None:
    """One that was kept before such addresses were refused, or by something else than an enqueue."""
    everyone = everybody(world)
    records: Any = world.app.ports.ledger
    body = put(world)
    records.records["job-1"] = replace(records.records["job-1"], webhook=url)
    world.execute(body)
    drain(world.app)

    posted_or_dead = [(one.state, one.cause, one.attempts) for one in deliveries(world)]
    assert everyone.posted == []
    assert posted_or_dead in ([], [(State.DEAD, Cause.DISCARDED, 1)])


def test_while_one_host_takes_its_time_another_delivery_to_it_waits_and_one_to_another_host_does_not(
    world: World,
) -> None:
    everyone = everybody(world)
    for number, url in enumerate((URL, f"{URL}&again", "https://other.example.com/")):
        world.greet.enqueue(BAT, job_id=f"job-{number}", webhook=url)
    drain(world.app, Lane.HIGH)
    everyone.meanwhile = lambda: drain(world.app, Lane.LOW)

    drain(world.app, Lane.LOW)

    assert [url for url, _, _ in everyone.posted] == [URL, "https://other.example.com/", f"{URL}&again"]
    assert everyone.at_once == {"hooks.example.com": 1, "other.example.com": 1}


def test_a_delivery_is_limited_by_the_host_that_its_address_names_whatever_it_says_itself() -> None:
    order = WebhookPayload.model_validate(
        {"url": "https://A.example.com.:8443/x", "event_id": "e", "body": "", "host": "b"}
    )

    assert order.host == "a.example.com"


def test_a_webhook_whose_delivery_can_not_be_enqueued_is_made_up_for(world: World) -> None:
    everyone = everybody(world)
    body = put(world)
    records: Any = world.app.ports.ledger
    records.records["job-1"] = replace(records.records["job-1"], webhook=URL)
    ledger, lanes = break_ports(world.app)
    ledger.broken.add("put")
    lanes.broken.add("send")
    assert world.execute(body) == Nack(NOTIFIED_AGAIN_AFTER)
    mend_ports(world.app)

    assert world.execute(body) == Ack()
    drain(world.app)

    assert len(everyone.posted) == 1


def test_a_redelivery_is_another_delivery_of_the_same_event(world: World) -> None:
    everyone = everybody(world)
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL)
    drain(world.app)

    world.app.runtime.webhooks.redeliver("job-1")
    world.app.runtime.webhooks.redeliver("job-1", url="https://other.example.com/")
    drain(world.app)

    assert [url for url, _, _ in everyone.posted] == [URL, URL, "https://other.example.com/"]
    assert len({headers["webhook-id"] for _, _, headers in everyone.posted}) == 1
    assert len({one.job_id for one in deliveries(world)}) == 3


def test_what_can_not_be_redelivered_says_why(world: World) -> None:
    everybody(world)
    world.greet.enqueue(BAT, job_id="job-1")

    with pytest.raises(JobNotFoundError):
        world.app.runtime.webhooks.redeliver("job-2")
    with pytest.raises(InvalidOptionError, match="is queued: webhooks are sent for completions and deaths"):
        world.app.runtime.webhooks.redeliver("job-1")
    drain(world.app)
    with pytest.raises(InvalidOptionError, match="has no webhook: give its address"):
        world.app.runtime.webhooks.redeliver("job-1")
    with pytest.raises(InvalidOptionError, match="an https:// address"):
        world.app.runtime.webhooks.redeliver("job-1", url="ftp://example.com")


def test_a_job_that_nobody_listens_to_costs_not_a_call_more(world: World) -> None:
    ledger, lanes = break_ports(world.app)
    world.greet.enqueue(BAT, job_id="job-1")
    ledger.calls.clear()
    lanes.calls.clear()
    queues: Any = lanes.port
    message = queues.receive(Lane.HIGH)
    world.execute(message.body)

    assert (ledger.calls, lanes.calls) == (["change", "change"], [])


def test_a_long_wait_of_a_delivery_is_the_sweeps(world: World) -> None:
    everyone = everybody(world)
    everyone.answers = [Answered(status_code=500)] * 7
    world.greet.enqueue(BAT, job_id="job-1", webhook=URL)
    for _ in range(8):
        drain(world.app)
        world.clock.advance(timedelta(hours=1))
        sweep(world.app)

    assert deliveries(world)[0].state is State.COMPLETED
