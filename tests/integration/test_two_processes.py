"""Workers in processes of their own, on MiniStack: duplicates at the same moment, and a worker that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from lanework import App, State
from lanework.local.emulator.process import wait_for
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.deliverer import GuardItem, app, write
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parents[1] / "support" / "deliverer.py"


class Shop:
    """A stack without functions, and what a mapping would do for it."""

    def __init__(self, endpoint: str, effects: Path) -> None:
        self.endpoint = endpoint
        self.effects = effects
        self.stack = f"shop-{uuid4().hex[:8]}"
        make_stack(self.stack, endpoint)
        app.use(aws_ports(Settings(stack=self.stack, region=REGION, endpoint=endpoint)))
        self.app: App = app
        self.sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
        self.url = self.sqs.get_queue_url(QueueName=f"{self.stack}-high")["QueueUrl"]

    def has_effects(self) -> bool:
        return self.effects.is_file() and self.effects.read_text() != ""

    def receive(self) -> list[Any]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=15)
        return list(answer.get("Messages", []))

    @contextmanager
    def worker(self, messages: list[Any], *, remaining_ms: int = 30_000) -> Iterator[subprocess.Popen[str]]:
        """Start a worker that is ready to deliver these messages; it ends with the block."""
        command = [sys.executable, str(SCRIPT), self.endpoint, self.stack, str(self.effects), str(remaining_ms)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            tell(process, json.dumps(self._event(messages)))
            assert heard(process) == "ready"
            yield process
        finally:
            process.kill()
            process.communicate()

    def _event(self, messages: list[Any]) -> dict[str, object]:
        return {
            "Records": [
                {
                    "messageId": one["MessageId"],
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "attributes": {},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{self.stack}-high",
                    "awsRegion": REGION,
                }
                for one in messages
            ]
        }


@pytest.fixture
def shop(ministack_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return Shop(ministack_endpoint, tmp_path / "effects")


def tell(process: subprocess.Popen[str], line: str = "go") -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_copies_that_two_processes_handle_at_the_same_moment_run_each_job_once(shop: Shop) -> None:
    write.enqueue_many([write.request(GuardItem(text=f"mark-{n}"), job_id=f"job-{n}") for n in range(10)])
    messages = shop.receive()
    assert len(messages) == 10

    with shop.worker(messages) as one, shop.worker(messages[::-1]) as other, shop.worker(messages[5:]) as third:
        for process in (one, other, third):
            tell(process)
        for process in (one, other, third):
            assert "batchItemFailures" in heard(process)

    assert Counter(shop.effects.read_text().splitlines()) == Counter(f"mark-{n} attempt 1" for n in range(10))
    jobs = [shop.app.get(f"job-{n}") for n in range(10)]
    assert [(State.COMPLETED, 1)] * 10 == [(job.state, job.attempts) for job in jobs]


def test_a_job_whose_worker_is_killed_in_the_middle_is_completed_by_another_after_the_lease(shop: Shop) -> None:
    write.enqueue(GuardItem(text="mark", hangs=True), job_id="job-1")
    first = shop.receive()
    with shop.worker(first, remaining_ms=1_000) as worker:
        tell(worker)
        wait_for(shop.has_effects, within=timedelta(seconds=10), what="the job to begin")
        worker.kill()
        worker.wait()
    assert shop.app.get("job-1").state is State.RUNNING

    # Copies that come while the lease lasts are kept, with a wait that outlasts it.
    with shop.worker(first) as worker:
        tell(worker)
        assert json.loads(heard(worker))["batchItemFailures"] != []
    assert shop.app.get("job-1").state is State.RUNNING
    with shop.worker(shop.receive()) as worker:
        tell(worker)
        assert json.loads(heard(worker)) == {"batchItemFailures": []}

    job = shop.app.get("job-1")
    assert (job.state, job.attempts, job.result, job.crashed) == (State.COMPLETED, 2, "2", True)
    assert shop.effects.read_text().splitlines() == ["mark attempt 1", "mark attempt 2"]
