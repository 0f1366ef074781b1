"""
What a page shows of the command line is what comes: its console blocks run, in the page's order, on a stack of its own.

Numbers, times and ids may differ, a run of spaces is one, and `…` stands for anything: for lines where it is alone in
one. A block that can't run here has its reason in `NOT_HERE`, by its page and how its first command begins; what a
block takes as given is made by a function in `GIVEN`.
"""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from typer.testing import CliRunner

from jobs import app as example
from lanework import Cause, Lane, State, batch, chain
from lanework.cli.exits import exit_of
from lanework.cli.main import app as command_line
from lanework.engine.execution.attempt import in_order
from lanework.engine.messaging.delivery import Ack, Delivery
from lanework.errors import LaneworkError
from lanework.local.emulator.process import wait_for
from lanework.model.stats.buckets import Bucket, Incident, Kind, minute_of
from lanework.model.stats.numbers import Count, Key, Numbers, a_run_time, a_wait, together
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now
from tests.support.commands import first_line
from tests.support.factories import a_record
from tests.support.stacks import REGION
from tests.unit.docs.pages import STARTER, Block, blocks

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports

AWS: Final = "needs a stack on AWS"
LONG: Final = "takes minutes"
DOCKER: Final = "needs Docker"
ADOPTED: Final = "is of a repository of its own: tests/adoption/test_a_repository_that_exists.py does it in five"
TUTORIAL: Final = "is of a project of Django's: tests/django/test_tutorial.py makes it"
COMPARED: Final = "tests/unit/docs/test_answers.py compares its answer"

NOT_HERE: Final = {
    ("README.md", "make demo"): "starts a stack with its functions: tests/e2e runs the demo",
    ("README.md", ".venv/bin/python -m hatchling build"): "makes an environment: tests/adoption does it",
    ("README.md", ".venv/bin/lanework enqueue demo.square"): "is of a job that the reader adds",
    ("CONTRIBUTING.md", ".venv/bin/pytest tests/unit"): LONG,
    ("docs/api.md", 'curl -s "$API/api/jobs'): COMPARED,
    (
        "docs/dead-letters.md",
        "lanework dlq redrive --native",
    ): "moto moves no letters: tests/localstack/test_native_move.py",
    ("docs/aws-events.md", "lanework check"): "is of another template: tests/aws_events deploys one",
    ("docs/aws-events.md", "aws s3api"): AWS,
    ("docs/cdk.md", "pip install"): "makes an environment: make test-cdk has one",
    ("docs/configuration.md", "eval "): "needs `lanework dev`: tests/unit/cli/test_env.py and tests/e2e use it",
    ("docs/existing-repository.md", "pip install"): ADOPTED,
    ("docs/existing-repository.md", "lanework init"): ADOPTED,
    ("docs/existing-repository.md", "lanework dev"): ADOPTED,
    ("docs/existing-repository.md", "make build"): ADOPTED,
    ("docs/decisions/0009", "LANEWORK_STACK=shop-prod lanework list"): "needs `lanework dev`: tests/e2e reaches one",
    ("docs/deploy.md", "aws lambda get-account-settings"): AWS,
    ("docs/deploy.md", "make build"): AWS,
    ("docs/deploy.md", ".venv-sam/bin/sam deploy --config-env prod --parameter-overrides"): AWS,
    ("docs/deploy.md", "export LANEWORK_STACK=lanework-dev"): AWS,
    ("docs/django.md", "pip install"): TUTORIAL,
    ("docs/django.md", "lanework init"): TUTORIAL,
    ("docs/django.md", "python manage.py"): TUTORIAL,
    ("docs/doctor.md", "lanework doctor"): "reads a stack of CloudFormation's: tests/unit/doctor shows what it finds",
    ("docs/emulators.md", "lanework probe"): "needs an account: tests/contract/test_aws_words.py probes emulators",
    ("docs/guarantees.md", "make test"): LONG,
    (
        "docs/observability.md",
        "lanework top",
    ): "needs a terminal: tests/integration/test_cli_numbers.py shows its screen",
    ("docs/open-message.md", "url=$(aws"): "is of the AWS CLI: make test-open-message runs it",
    ("docs/performance.md", "make bench"): LONG,
    ("docs/retention.md", "aws s3 cp"): AWS,
    ("docs/sam-local.md", "make build"): DOCKER,
    (
        "docs/schemas.md",
        "lanework schema diff",
    ): "is of two releases of job types: tests/unit/schema/test_diff.py has them",
    ("docs/schedules.md", "lanework check"): "is of another template: tests/unit/test_declared_schedules.py shows it",
    (
        "docs/terraform.md",
        "lanework terraform",
    ): "writes into infra/: tests/unit/local/test_terraform.py makes a module",
    ("docs/transactions.md", "export LANEWORK_DATABASE_URL"): "needs a database server: make test-databases has two",
    ("docs/worker.md", "LANEWORK_STACK=shop-prod AWS_REGION=eu-west-1 lanework worker"): "runs until it is stopped",
    ("docs/worker.md", "sam deploy"): AWS,
    ("docs/worker.md", "policy=$(aws"): AWS,
    ("docs/worker.md", "docker build"): DOCKER,
    ("docs/worker.md", ".venv/bin/uv pip compile"): "asks a package index",
    (
        "docs/workflows.md",
        "lanework workflow show import",
    ): "is of 5,000 jobs: tests/unit/engine/test_workflows.py has them",
    (STARTER, ".venv/bin/lanework enqueue"): "is of a project of its own: tests/adoption makes one, and enqueues there",
    ("localstack/README.md", "make build"): DOCKER,
    ("localstack/README.md", "export LANEWORK_STACK=lanework"): "needs LocalStack: make test-localstack uses it",
}

HOUR: Final = timedelta(hours=1)
SOON: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Where the commands of a page go: the example application's stack, and a folder of their own."""

    name: str
    endpoint: str
    folder: Path
    ports: Ports

    def dead(self, *job_ids: str, error: str, **facts: Any) -> None:
        """Record dead jobs, which would die of the same again."""
        at = utc_now() - facts.pop("ago", timedelta(minutes=5))
        ordinary = {"type": "demo.doomed", "queue": "demo", "payload": f'{{"reason":"{error}"}}', "max_attempts": 1}
        dead = {"state": State.DEAD, "cause": Cause.EXHAUSTED, "due_at": None, "ended_at": at, "sweep_at": at}
        said = {"error": f"OnPurposeError: {error}", "error_type": "OnPurposeError", "created_at": at, "run_at": at}
        records = [a_record(job_id=job_id, **ordinary | dead | said | facts) for job_id in job_ids]
        assert not any(self.ports.ledger.put_many(records))

    @contextmanager
    def working(self, *lanes: Lane) -> Iterator[None]:
        """Run what lanes hold, as their functions would; leave when they are empty."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._work, args=(lanes, is_over))
        thread.start()
        try:
            yield
            wait_for(lambda: self._is_idle(lanes), what="the lanes to be empty", within=SOON)
        finally:
            is_over.set()
            thread.join()

    def _is_idle(self, lanes: Sequence[Lane]) -> bool:
        return not any(self.ports.lanes.counts(lane).holds_anything for lane in lanes)

    def _work(self, lanes: Sequence[Lane], is_over: threading.Event) -> None:
        sqs = boto3.client("sqs", region_name=REGION, endpoint_url=self.endpoint)
        urls = {lane: sqs.get_queue_url(QueueName=f"{self.name}-{lane}")["QueueUrl"] for lane in lanes}
        while not is_over.wait(0.05):
            for lane, url in urls.items():
                for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                    delivery = Delivery(body=one["Body"], lane=lane, time_left=timedelta(minutes=15))
                    if example.runtime.executor(in_order).execute(delivery) == Ack():
                        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])


def nothing(_: Stack) -> None: ...


def three_of_one_error_and_one_of_another(stack: Stack) -> None:
    stack.dead("order-1", "order-2", "order-3", error="no route to 4711")
    stack.dead("order-4", error="card 4711 refused", ago=timedelta(minutes=4))


def reports_of_long_ago(stack: Stack) -> None:
    stack.dead("report-1", error="disk full", type="report.month", ago=8 * 24 * HOUR)


def more_than_a_page_of_the_dead(stack: Stack) -> None:
    stack.dead(*(f"more-{number}" for number in range(121 - 3)), error="no route to 4711")


def a_delivery(stack: Stack) -> None:
    example.enqueue("demo.greet", {"name": "Bat"}, job_id="payment-42", webhook="https://hooks.example.com/lanework")
    with stack.working(Lane.MEDIUM):  # and not the lane of the webhook: nobody is called
        pass


def what_was_counted(stack: Stack) -> None:
    """Count jobs of some types, of which one was late."""
    now = utc_now()
    one = Numbers(
        {Count.STARTED: 1, Count.FIRST_STARTS: 1, Count.COMPLETED: 1}
        | a_wait(timedelta(seconds=1))
        | a_run_time(timedelta(seconds=1))
    )
    jobs = {
        ("demo.greet", Lane.CRITICAL): 4,
        ("demo.flaky", Lane.MEDIUM): 2,
        ("demo.doomed", Lane.HIGH): 1,
        ("lanework.clean", Lane.LOW): 1,
    }
    late = Incident(
        kind=Kind.LATE,
        at=now,
        job_id="wcritical",
        type="demo.greet",
        queue="demo",
        lane=Lane.CRITICAL,
        attempt=1,
        waited=timedelta(seconds=3.75),
    )
    counted = {Key(lane=lane, queue="demo", type=name): together([one] * n) for (name, lane), n in jobs.items()}
    stack.ports.statistics.add(Bucket(at=minute_of(now), numbers=counted, incidents=(late,)))


def the_clock_of_schedules(stack: Stack) -> None:
    """Make the group and the tick that a deployment makes; the table knows the declared schedules."""
    client = boto3.client("scheduler", region_name=REGION, endpoint_url=stack.endpoint)
    client.create_schedule_group(Name=stack.name)
    role = "arn:aws:iam::123456789012:role/scheduler"
    client.create_schedule(
        Name=f"{stack.name}-tick",
        GroupName=stack.name,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"arn:aws:lambda:{REGION}:123456789012:function:{stack.name}-clock", "RoleArn": role},
    )


def ended_jobs(stack: Stack) -> None:
    stack.dead("mail-1", error="no mailbox", queue="email", ago=72 * HOUR)


def a_job_that_waits(stack: Stack) -> None:
    stack.ports.ledger.put(a_record(job_id="refund-42"))


def the_nightly_workflow(_: Stack) -> None:
    greet = example.request("demo.greet", {"name": "Bat"})
    plan = batch([greet, chain(greet, greet)], on_success=greet)
    example.workflows.enqueue(plan, workflow_id="nightly")


def a_refused_message(stack: Stack) -> None:
    body = '{"lanework": 1, "type": "demo.gret", "payload": {}, "id": "0f3c5a1e-9a53-4b62-8c51-0c1f8f6f3a51"}'
    why = "open message refused: unknown job type 'demo.gret', did you mean 'demo.greet'?"
    stack.ports.lanes.send_to_dlq(Lane.MEDIUM, body, cause="invalid", error=why)


def an_event_that_nobody_means(stack: Stack) -> None:
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=stack.endpoint)
    for name in ("aws-events", "aws-events-dlq"):
        sqs.create_queue(QueueName=f"{stack.name}-{name}")
    why = "no source of this application means an object made in bucket 'shop-uploads': declare it with on(…)"
    stack.ports.lanes.send_to_dlq("aws-events", "{}", cause="invalid", error=why)


GIVEN: Final[dict[tuple[str, str], Callable[[Stack], None]]] = {
    ("docs/aws-events.md", "lanework dlq messages"): an_event_that_nobody_means,
    ("docs/dead-letters.md", "lanework dlq list"): three_of_one_error_and_one_of_another,
    ("docs/dead-letters.md", "lanework dlq drop"): reports_of_long_ago,
    ("docs/dead-letters.md", "lanework dlq redrive --error"): more_than_a_page_of_the_dead,
    ("docs/events.md", "lanework webhooks list"): a_delivery,
    ("docs/open-message.md", "lanework dlq messages"): a_refused_message,
    ("docs/observability.md", "lanework stats"): what_was_counted,
    ("docs/retention.md", "lanework clean"): ended_jobs,
    ("docs/schedules.md", "lanework schedules add"): the_clock_of_schedules,
    ("docs/steps.md", "lanework signal"): a_job_that_waits,
    ("docs/workflows.md", "lanework workflow show nightly"): the_nightly_workflow,
}

WORKED: Final = {("docs/dead-letters.md", "lanework dlq redrive --fingerprint 31a21666 --canary")}
"""Blocks beside which the stack's functions run."""

SHOWN_STACK: Final = "stack lanework in us-east-1, at http://127.0.0.1:4566\n"
"""The embedded stack, as the documents show the line in which a command names it."""

BLOCKS: Final = blocks("console", "sh")


def commands_in(block: Block) -> list[tuple[str, list[str]]]:
    """Return each command with the lines that are shown under it."""
    found: list[tuple[str, list[str]]] = []
    for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
        if line.startswith("$ ") or block.language == "sh":
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def entry_of(block: Block, entries: Any) -> Any:
    """Return the key of the entry that a block has, if it has one."""
    first = commands_in(block)[0][0]
    return next((key for key in entries if block.page.startswith(key[0]) and first.startswith(key[1])), None)


RUNNING: Final = [block for block in BLOCKS if entry_of(block, NOT_HERE) is None]


def masked(line: str) -> str:
    """Return a line without what differs from time to time."""
    line = re.sub(r"\b(?:[0-9A-HJKMNP-TV-Z]{26}|(?=[a-f]*\d)[0-9a-f]{64})\b", "#", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+(?:[.,:-]\d+)*", "#", line)).strip()


def is_as_shown(shown: list[str], came: str) -> bool:
    parts = [
        r"(?:.*\n)*" if line.strip() == "…" else re.escape(masked(line)).replace("…", ".*") + r"\n"
        for line in shown
        if line.strip()
    ]
    lines = "".join(f"{masked(line)}\n" for line in came.splitlines() if line.strip())
    return re.fullmatch("".join(parts), lines) is not None


def run(command: str, folder: Path) -> tuple[str, int]:
    """Run a shell's command, `lanework` with a yes to what it asks; return what it printed, and its exit code."""
    line, _, file = command.partition(" > ")
    name, *words = shlex.split(line, comments=True)
    if name == "$EDITOR":
        return "", 0
    assert name.rpartition("/")[2] == "lanework", command
    result = CliRunner().invoke(command_line, words, input="y\n")
    if isinstance(result.exception, LaneworkError):
        return f"{result.output}lanework: {result.exception}\n", exit_of(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if file:
        (folder / file).write_text(result.stdout)
        return "", result.exit_code
    return result.output.replace(first_line(), SHOWN_STACK), result.exit_code


def test_every_reason_and_everything_given_is_of_a_block_that_there_is() -> None:
    for entries in (NOT_HERE, GIVEN, WORKED):
        assert {entry_of(block, entries) for block in BLOCKS} - {None} == set(entries)


@pytest.mark.parametrize("page", sorted({block.page for block in RUNNING}))
def test_the_blocks_of_a_page_run_and_what_they_show_is_what_comes(
    page: str, stack: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANEWORK_WEBHOOK_SECRET", "whsec_" + "QUJD" * 11)
    ports = aws_ports(Settings.from_env())
    example.use(ports)
    there = Stack(name=stack, endpoint=moto_endpoint, folder=Path.cwd(), ports=ports)
    for block in (one for one in RUNNING if one.page == page):
        GIVEN.get(entry_of(block, GIVEN), nothing)(there)
        for command, shown in commands_in(block):
            if entry_of(block, WORKED):
                with there.working(Lane.HIGH):
                    came, code = run(command, there.folder)
            else:
                came, code = run(command, there.folder)
            assert (code != 0) == any(line.startswith("lanework: ") for line in shown), f"{block}: {command}\n{came}"
            assert not shown or is_as_shown(shown, came), f"{block}: {command}\n{came}"
