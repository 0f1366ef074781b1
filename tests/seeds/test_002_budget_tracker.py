"""The scheduler of seed 002, row by row, on the embedded stack."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jobs import producing
from jobs.demo import Greet, greet
from jobs.store import Subscription, Token
from lanework import State
from lanework.model.lanes import Lane
from lanework.model.schedule.timetable import Timetable
from lanework.testing import drain
from tests.support.ports import free_port
from tests.support.seeds import LANEWORK, is_healthy, worker_environment

if TYPE_CHECKING:
    from lanework.testing import Clock
    from tests.support.seeds import World

ROOT = Path(__file__).parents[2]
EVERY = {
    "scheduler.expire-subscriptions": timedelta(hours=1),
    "scheduler.cleanup-expired-otps": timedelta(hours=6),
    "scheduler.cleanup-old-sessions": timedelta(hours=24),
}


def test_002_01_there_are_the_queues_email_and_scheduler(world: World) -> None:
    assert {"email", "scheduler"} <= set(world.app.registry.queues)
    assert {world.app.registry.get(name).queue for name in EVERY} == {"scheduler"}
    assert world.app.registry.get("user.otp").queue == "email"


def test_002_02_codes_come_before_payments(world: World) -> None:
    code = producing.send_code("code@example.com", "123456")
    payment = world.app.enqueue(
        "payment.notification",
        {
            "email": "paid@example.com",
            "transactionId": "pay_123",
            "amount": "499",
            "currency": "INR",
            "paidAt": "2026-01-01T00:00:00Z",
        },
    )

    assert (world.end(code.job_id).lane, world.end(payment.job_id).lane) == (Lane.CRITICAL, Lane.HIGH)
    assert list(Lane).index(Lane.CRITICAL) < list(Lane).index(Lane.HIGH)
    plain = world.mail_to("code@example.com").get_body(("plain",))
    assert plain is not None
    assert "123456" in plain.get_content()


def test_002_03_three_attempts(world: World) -> None:
    assert world.end(world.slow["payment"]).attempts == 3


def test_002_04_failed_jobs_are_kept_while_completed_ones_make_room(world: World) -> None:
    dead = world.end(world.slow["payment"])
    kept = world.app.registry.retentions

    assert (dead.state, dead.retired) == (State.DEAD, False)
    assert (kept["email"].completed, kept["scheduler"].completed, kept["scheduler"].failed) == (100, 100, None)


def test_002_05_the_three_jobs_are_scheduled_and_do_their_work(world: World) -> None:
    listed = {one.record.schedule.name: one.record.schedule.timetable for one in world.app.schedules.list()}
    assert {name: listed[name] for name in EVERY} == {name: Timetable(every=every) for name, every in EVERY.items()}
    now = world.app.ports.clock()
    world.store.add_subscription(Subscription(id="s1", user_id="u1", ends_at=now - timedelta(hours=1)))
    for kind in ("otp", "session"):
        world.store.add_token(Token(kind=kind, id="old", expires_at=now - timedelta(days=1)))

    ended = {name: world.end(world.app.schedules.run(name).job_id) for name in EVERY}

    assert {name: int(one.result or 0) >= 1 for name, one in ended.items()} == dict.fromkeys(EVERY, True)
    assert world.store.is_expired("s1")


def test_002_06_a_deployment_doubles_nothing_and_shifts_no_phase(world: World) -> None:
    before = {name: world.app.schedules.next(name, 3) for name in EVERY}
    count = len(world.app.schedules.list())

    world.stack.deployer.deploy()
    world.tick()

    assert {name: world.app.schedules.next(name, 3) for name in EVERY} == before
    assert len(world.app.schedules.list()) == count
    assert {one.minute for one in before["scheduler.expire-subscriptions"]} == {0}


def test_002_07_schedules_and_counts_are_listed(world: World) -> None:
    status, said = world.api("GET", "/api/schedules")
    _, numbers = world.api("GET", "/api/v1/jobs/queues/scheduler/stats")

    assert status == 200
    assert set(EVERY) <= {one["name"] for one in said["schedules"]}
    assert {"waiting", "active", "failed"} <= set(numbers["data"])


def test_002_08_one_firing_is_one_run_however_often_and_by_whomever_it_is_delivered(world: World) -> None:
    world.app.schedules.add("replicas", "demo.greet", {}, cron="* * * * *")
    world.until(
        lambda: (
            world.tick({"schedule": "replicas", "at": "<aws.scheduler.scheduled-time>"}) is not None
            and world.app.schedules.get("replicas").last_run is not None
        ),
        "the first tick",
        within=timedelta(seconds=90),
    )
    run = world.app.schedules.get("replicas").last_run
    world.app.schedules.remove("replicas")
    assert run is not None

    again = world.app.enqueue("demo.greet", {}, job_id=run)

    assert again.duplicate
    assert world.end(run).attempts == 1


def test_002_09_a_worker_that_is_killed_in_the_middle_of_a_job_loses_it_not(world: World) -> None:
    """The job kills its process in its first attempt; the whole stack's restart is in tests/e2e."""
    record = world.end(world.slow["crash"], within=timedelta(seconds=120))

    assert (record.state, record.attempts, record.result) == (State.COMPLETED, 2, '"completed on attempt 2"')


def test_002_10_a_worker_that_is_asked_to_stop_finishes_and_ends_with_0(world: World) -> None:
    environment = worker_environment(world)
    health = f"127.0.0.1:{free_port()}"
    command = [LANEWORK, "worker", "--lane", "batch", "--grace", "5", "--health", health]
    root = world.stack.deployer.project.root
    worker = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        world.until(lambda: is_healthy(health), "the worker to be up")
        receipt = greet.enqueue(Greet(name="stop"), lane="batch")
        world.end(receipt.job_id)
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
    finally:
        worker.kill()
        worker.wait()

    assert worker.returncode == 0


def test_002_11_adding_a_job_is_documented_in_three_steps(world: World) -> None:
    assert len(world.app.registry.types) > 50
    readme = (ROOT / "README.md").read_text()
    assert "## Adding a job type, in three steps" in readme
    assert "Three steps, then: the words on the job type" in (ROOT / "docs" / "schedules.md").read_text()


def test_002_12_the_last_hundred_completed_stay(clock: Clock, world: World) -> None:
    for number in range(103):
        producing.send_push("u1", "Hi", "x", job_id=f"push-{number:03}")
        clock.advance(timedelta(seconds=1))
    drain(world.app)
    assert world.app.get("push-000").state is State.COMPLETED
    clock.advance(timedelta(hours=1))

    world.app.runtime.hourly_jobs.tick()
    drain(world.app)

    kept = [one.job_id for one in world.app.inspector.page(queue="notification", limit=100).jobs]
    assert (len(kept), kept[0], kept[-1]) == (100, "push-102", "push-003")


def test_002_13_the_dashboard_is_at_one_address(world: World) -> None:
    assert world.stack.api is not None

    (login, form), (overview, text) = world.text("/login"), world.text("/")

    assert (login, overview) == (200, 200)
    assert "<form" in form
    assert "<h1" in text


def test_002_14_how_long_a_job_took_is_logged(world: World) -> None:
    receipt = greet.enqueue(Greet(name="timed"))
    record = world.end(receipt.job_id)

    line = json.loads(world.logged(since=world.began, wanted='"job.completed"'))

    assert record.ended_at is not None
    assert any(name.startswith(("duration", "ran", "run_")) for name in line), line
