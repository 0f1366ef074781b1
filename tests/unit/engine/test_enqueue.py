from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from lanework import (
    App,
    ConfigError,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    Jobs,
    State,
    TooLargeError,
    UnknownJobTypeError,
    UnknownLaneError,
)
from lanework.engine.ports.ledger import UnavailableOne
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import NOON, app_in_memory, drain
from tests.support.factories import a_record
from tests.support.fakes import break_ports, mend_ports
from tests.support.small_world import Greeting, World

BAT = Greeting(name="Bat")


def sent(world: World, lane: Lane = Lane.HIGH) -> Envelope:
    message = world.app.ports.lanes.receive(lane)  # type: ignore[attr-defined]
    assert message is not None
    return Envelope.decode(message.body)


def waiting(world: World, lane: Lane = Lane.HIGH) -> int:
    counts = world.app.ports.lanes.counts(lane)
    return counts.waiting + counts.delayed


def test_an_enqueued_job_is_recorded_and_sent(world: World) -> None:
    receipt = world.greet.enqueue(BAT, job_id="job-1")

    assert (receipt.job_id, receipt.duplicate) == ("job-1", False)
    assert (world.stored().state, world.stored().lane, world.stored().max_attempts) == (State.QUEUED, Lane.HIGH, 3)
    assert sent(world).id == "job-1"
    assert world.events.actions == ["job.enqueued"]


def test_without_an_id_one_is_made(world: World) -> None:
    first, second = world.greet.enqueue(BAT), world.greet.enqueue(BAT)

    assert first.job_id != second.job_id
    assert waiting(world) == 2


def test_a_repeated_id_gets_the_job_that_exists(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    again = world.greet.enqueue(Greeting(name="Dorj"), job_id="job-1")

    assert (again.job_id, again.duplicate) == ("job-1", True)
    assert waiting(world) == 0
    assert world.greeted == [("Bat", 1)]


def test_a_producer_that_died_before_it_sent_repeats_itself_and_the_job_runs_once(world: World) -> None:
    _, lanes = break_ports(world.app)
    lanes.mute.add("send")
    world.greet.enqueue(BAT, job_id="job-1")
    mend_ports(world.app)

    assert world.greet.enqueue(BAT, job_id="job-1").duplicate
    assert waiting(world) == 2
    drain(world.app)
    assert world.greeted == [("Bat", 1)]


def test_the_call_says_more_than_the_type_and_the_type_more_than_the_family() -> None:
    family = Jobs(queue="email", lane="low", attempts=7, backoff=timedelta(seconds=9))

    @family.job("a.plain")
    def plain(_: Greeting) -> None: ...

    @family.job("a.special", lane="critical", attempts=2)
    def special(_: Greeting) -> None: ...

    app = app_in_memory(App(family))
    plain.enqueue(BAT, job_id="plain")
    special.enqueue(BAT, job_id="special")
    special.enqueue(BAT, job_id="called", lane=5, attempts=1, backoff=timedelta(minutes=1))

    records = [app.get(job_id) for job_id in ("plain", "special", "called")]
    assert [(Lane.LOW, 7, 9), (Lane.CRITICAL, 2, 9), (Lane.BATCH, 1, 60)] == [
        (record.lane, record.max_attempts, record.backoff_base.total_seconds()) for record in records
    ]


def test_without_a_word_a_job_gets_what_its_lane_gives(world: World) -> None:
    bare = Jobs(queue="bare")

    @bare.job("bare.job")
    def job(_: Greeting) -> None: ...

    app = App(bare)
    app.use(world.app.ports)
    job.enqueue(BAT, job_id="job-1")
    job.enqueue(BAT, job_id="job-2", lane="critical")

    assert [(Lane.MEDIUM, 2), (Lane.CRITICAL, 5)] == [
        (app.get(job_id).lane, app.get(job_id).max_attempts) for job_id in ("job-1", "job-2")
    ]


def test_a_delayed_job_is_held_back_by_the_queue_and_says_when_it_is_due(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", delay=timedelta(seconds=90))

    assert world.app.ports.lanes.counts(Lane.HIGH).delayed == 1
    assert (world.stored().due_at, world.stored().state) == (NOON + timedelta(seconds=90), State.QUEUED)


def test_a_delay_over_fifteen_minutes_is_left_to_the_sweep(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1", delay=timedelta(hours=24))

    assert waiting(world) == 0
    assert (world.stored().state, world.stored().sweep_at) == (State.SCHEDULED, NOON + timedelta(hours=24))


def test_sqs_down_leaves_the_job_to_the_sweep(world: World) -> None:
    _, lanes = break_ports(world.app)
    lanes.broken.add("send")

    receipt = world.greet.enqueue(BAT, job_id="job-1")

    assert not receipt.duplicate
    assert (world.stored().state, world.stored().sweep_at) == (State.QUEUED, NOON)
    assert world.events.actions == ["job.send_deferred", "job.enqueued"]


def test_dynamodb_down_sends_a_message_whose_worker_makes_the_record(world: World) -> None:
    ledger, _ = break_ports(world.app)
    ledger.broken.add("put")
    world.greet.enqueue(BAT, job_id="job-1")
    mend_ports(world.app)

    drain(world.app)

    assert world.greeted == [("Bat", 1)]
    assert world.stored().state is State.COMPLETED


def test_a_record_whose_answer_was_lost_is_used_by_its_unrecorded_message(world: World) -> None:
    ledger, _ = break_ports(world.app)
    ledger.mute.add("put")
    world.greet.enqueue(BAT, job_id="job-1")
    mend_ports(world.app)

    drain(world.app)

    assert (world.greeted, world.stored().attempts) == ([("Bat", 1)], 1)


def test_both_down_is_an_error_that_names_the_job(world: World) -> None:
    ledger, lanes = break_ports(world.app)
    ledger.broken.add("put")
    lanes.broken.add("send")

    with pytest.raises(EnqueueError, match="job 'job-1' was not enqueued: not recorded") as refused:
        world.greet.enqueue(BAT, job_id="job-1")

    assert refused.value.job_id == "job-1"


def test_many_jobs_take_few_calls_and_a_repeated_id_is_told(world: World) -> None:
    ledger, lanes = break_ports(world.app)
    payloads = [world.greet.request(BAT, job_id=f"job-{number % 999}") for number in range(1000)]

    receipts = world.greet.enqueue_many(payloads)

    assert [index for index, receipt in enumerate(receipts) if receipt.duplicate] == [999]
    assert (ledger.calls, lanes.calls) == (["put_many"], ["send_many"])
    assert waiting(world) == 999


def test_many_jobs_may_be_of_many_types_and_lanes(world: World) -> None:
    receipts = world.app.enqueue_many(
        [world.greet.request(BAT, lane="low"), world.greet.request(BAT, delay=timedelta(hours=1))]
    )

    assert [receipt.duplicate for receipt in receipts] == [False, False]
    assert (waiting(world, Lane.LOW), waiting(world, Lane.HIGH)) == (1, 0)


def test_a_job_that_existed_before_is_a_duplicate_among_many(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    receipts = world.greet.enqueue_many([world.greet.request(BAT, job_id="job-1"), BAT])

    assert [receipt.duplicate for receipt in receipts] == [True, False]
    assert waiting(world) == 1


def test_many_jobs_are_sent_unrecorded_where_the_ledger_is_down_and_none_is_lost(world: World) -> None:
    ledger, _ = break_ports(world.app)
    ledger.port = _Unavailable(ledger.port)
    world.greet.enqueue_many([BAT, world.greet.request(BAT, delay=timedelta(hours=1))])

    assert [True, True] == [sent(world).unrecorded, _delayed(world).unrecorded]


def test_one_repeated_id_that_cannot_be_sent_again_does_not_keep_the_others_from_being_sent(world: World) -> None:
    world.app.ports.ledger.put(a_record(payload=None))
    ledger, _ = break_ports(world.app)
    ledger.broken.add("payload_of")

    with pytest.raises(EnqueueError, match=r"1 of 3 jobs were not enqueued"):
        world.greet.enqueue_many([BAT, world.greet.request(BAT, job_id="job-1"), BAT])

    assert waiting(world) == 2


def test_an_id_whose_job_has_expired_is_free_again(world: World) -> None:
    world.app.ports.ledger.put(a_record(state=State.COMPLETED, due_at=None, expires_at=NOON))

    assert not world.greet.enqueue(BAT, job_id="job-1").duplicate
    drain(world.app)
    assert world.greeted == [("Bat", 1)]


def test_an_unknown_type_is_told_the_nearest(world: World) -> None:
    with pytest.raises(UnknownJobTypeError, match=r"unknown job type 'user\.greting', did you mean 'user\.greeting'"):
        world.app.enqueue("user.greting", {"name": "Bat"})


def test_an_unknown_lane_is_told_the_nearest_and_nothing_is_enqueued(world: World) -> None:
    with pytest.raises(UnknownLaneError, match="did you mean 'high'"):
        world.app.enqueue("user.greeting", {"name": "Bat"}, lane="hihg")  # type: ignore[arg-type]

    assert (waiting(world), world.events.actions) == (0, [])


@pytest.mark.parametrize("payload", [{"name": 5}, {}, '{"name":5}', "no json"])
def test_a_payload_that_does_not_fit_is_refused_naming_the_field(world: World, payload: object) -> None:
    with pytest.raises(InvalidPayloadError, match=r"payload of user.greeting is not valid: (name|payload): "):
        world.app.enqueue("user.greeting", payload)  # type: ignore[arg-type]

    assert waiting(world) == 0


def test_another_model_is_no_payload(world: World) -> None:
    with pytest.raises(InvalidPayloadError, match="expected Greeting, got Farewell"):
        world.app.enqueue("user.greeting", Farewell(name="Bat"))


def test_a_payload_over_the_limit_is_refused_naming_limit_and_size(world: World) -> None:
    with pytest.raises(TooLargeError, match=r"payload is 300,031 bytes, over the limit of 262,144"):
        world.greet.enqueue(Greeting(name="x" * 300_000))

    assert waiting(world) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"delay": timedelta(seconds=-1)},
        {"delay": timedelta(days=9999)},
        {"attempts": 0},
        {"attempts": 101},
        {"backoff": timedelta(seconds=-1)},
        {"job_id": "a b"},
        {"job_id": ""},
    ],
)
def test_an_option_that_makes_no_sense_is_refused(world: World, options: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError):
        world.greet.enqueue(BAT, **options)  # type: ignore[arg-type]

    assert waiting(world) == 0


def test_a_family_in_no_app_says_so() -> None:
    loose = Jobs(queue="loose")

    @loose.job("loose.job")
    def job(_: Greeting) -> None: ...

    with pytest.raises(ConfigError, match=r"loose.job can't be enqueued: its family \(queue 'loose'\) is in no App"):
        job.enqueue(BAT)


class Farewell(BaseModel):
    name: str


class _Unavailable:
    def __init__(self, port: object) -> None:
        self._port = port

    def put_many(self, records: list[object]) -> list[object]:
        return [UnavailableOne("down") for _ in records]

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)


def _delayed(world: World) -> Envelope:
    world.clock.advance(timedelta(minutes=15))
    return sent(world)
