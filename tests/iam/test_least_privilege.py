"""The embedded stack where IAM decides: each function has its own role's rights, a producer those of its policy."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs import app as application
from jobs.demo import Flaky, Greet, flaky, greet
from lanework import App, Lane, Request, State
from lanework.errors import ConfigError, LaneworkError
from lanework.http.auth.tokens import Role, hash_of, new_token
from lanework.local.demo import Demo, Row, scenario_of
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import RunningStack, embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.model.job.dead_filter import DeadFilter
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.developing import a_copy
from tests.support.rights import a_producers_environment, statement

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=60)
TOKEN = new_token(Role.ADMIN)


class Rights:
    """A running stack whose IAM decides, seen by somebody who may do everything."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.iam: Any = stack.clients.make("iam")
        self._count = 0
        self.latest_producer = ""

    @contextmanager
    def producer(self, policy: str) -> Iterator[App]:
        """Be somebody whose only rights are those of a policy that the template outputs."""
        self._count += 1
        self.latest_producer = name = f"producer-{self._count}"
        with pytest.MonkeyPatch.context() as env:
            for variable, value in a_producers_environment(self.stack, policy, name=name).items():
                env.setenv(variable, value)
            yield self.connected()
        self.connected()

    def connected(self) -> App:
        application.use(aws_ports(Settings.from_env()))
        return application

    @contextmanager
    def without(self, right: str, role: str) -> Iterator[None]:
        """Take a right away from the role whose name begins so, while a block lasts."""
        (name,) = [one["RoleName"] for one in self.iam.list_roles()["Roles"] if one["RoleName"].startswith(role)]
        document = statement({"Effect": "Deny", "Action": right, "Resource": "*"})
        self.iam.put_role_policy(RoleName=name, PolicyName="taken-away", PolicyDocument=document)
        yield
        self.iam.delete_role_policy(RoleName=name, PolicyName="taken-away")

    def enqueue(self, request: Request) -> None:
        self.connected().enqueue_request(request)

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        answer = self.stack.clients.functions.invoke(FunctionName=f"rights-{function}", Payload=json.dumps(event))
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def get(self, path: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((ROOT / "events" / "api.json").read_text())
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["headers"]["authorization"] = f"Bearer {TOKEN}"
        return self.invoke("api", event)

    def wrote(self, function: str) -> str:
        """Return what a function has written to its log."""
        group = f"/aws/lambda/rights-{function}"
        groups = self.stack.clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if not groups:
            return ""
        return "\n".join(
            one["message"] for one in self.stack.clients.logs.filter_log_events(logGroupName=group)["events"]
        )


@pytest.fixture(scope="module")
def rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rights]:
    before = dict(os.environ)
    parameters = {"ApiTokens": f"{Role.ADMIN}:{hash_of(TOKEN)}", "EventsToBus": "all"}
    project = a_copy(tmp_path_factory.mktemp("rights") / "shop")
    started = embedded_stack(
        project, fresh=True, name="rights", parameters=parameters, drain=timedelta(0), checks_rights=True
    )
    with started as stack:
        enter(stack.handle, stack.clients)
        yield Rights(stack)
    os.environ.clear()
    os.environ.update(before)


def test_every_job_comes_out_as_it_should_where_functions_and_a_producer_have_their_own_rights_only(
    rights: Rights,
) -> None:
    demo = Demo(rights.stack)
    expectations = scenario_of(rights.stack.deployer.project, rights.connected().ports.stack_lanes)
    with rights.producer("EnqueuePolicyArn") as app:
        for one in expectations:
            receipts = [app.enqueue_request(one.request) for _ in range(one.times)]
            demo.rows.append(Row(expected=one, job_id=receipts[0].job_id))

    for _ in demo.follow():
        pass

    assert demo.problems() == []


def test_a_producer_that_steers_jobs_reads_them_and_redrives_them(rights: Rights) -> None:
    with rights.producer("ProducerPolicyArn") as app:
        app.enqueue_request(greet.request(Greet(name="Bat"), job_id="steered", delay=timedelta(hours=1)))
        app.cancel("steered")
        counts = app.inspector.counts()
        dead = app.get("doomed")

        assert (app.get("steered").state, dead.state) == (State.CANCELLED, State.DEAD)
        assert counts[dead.lane].dead == 1
        app.dead_letters.redrive(app.dead_letters.jobs.plan(DeadFilter(job_ids=("doomed",))))
        assert app.get("doomed").life == 2


def test_a_producer_that_only_enqueues_may_not_steer(rights: Rights) -> None:
    with rights.producer("EnqueuePolicyArn") as app, pytest.raises(ConfigError, match="dynamodb:"):
        app.pause(queue="demo")


def test_the_clock_and_the_api_have_the_rights_that_they_need(rights: Rights) -> None:
    tick = rights.invoke("clock", {})
    answer = rights.get("/api/jobs/otp")

    assert "errorMessage" not in tick
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (200, "completed")


def enqueue_in(lane: Lane) -> Callable[[Rights, str], None]:
    return lambda rights, name: rights.enqueue(greet.request(Greet(name="Bat"), job_id=name, lane=lane))


def enqueue_flaky(rights: Rights, name: str) -> None:
    rights.enqueue(flaky.request(Flaky(fail_times=1), job_id=name, lane="medium"))


def tick(rights: Rights, _: str) -> None:
    rights.invoke("clock", {})


def look(rights: Rights, _: str) -> None:
    rights.get("/api/jobs/otp")


FUNCTIONS = {
    **{f"{lane.capitalize()}WorkerRole": f"worker-{lane}" for lane in Lane},
    "ClockRole": "clock",
    "ApiRole": "api",
    "EventsRole": "events",
}


@pytest.mark.parametrize(
    ("role", "right", "step"),
    [
        ("CriticalWorkerRole", "dynamodb:UpdateItem", enqueue_in(Lane.CRITICAL)),
        ("HighWorkerRole", "dynamodb:UpdateItem", enqueue_in(Lane.HIGH)),
        ("LowWorkerRole", "dynamodb:UpdateItem", enqueue_in(Lane.LOW)),
        ("BatchWorkerRole", "dynamodb:UpdateItem", enqueue_in(Lane.BATCH)),
        ("EventsRole", "events:PutEvents", enqueue_in(Lane.HIGH)),
        ("MediumWorkerRole", "sqs:ChangeMessageVisibility", enqueue_flaky),
        ("ClockRole", "dynamodb:Query", tick),
        ("ApiRole", "dynamodb:BatchGetItem", look),
    ],
)
def test_a_right_that_a_role_lacks_is_named_in_its_functions_log(
    role: str, right: str, step: Callable[[Rights, str], None], rights: Rights
) -> None:
    function = FUNCTIONS[role]
    assert right.lower() not in rights.wrote(function).lower()

    with rights.without(right, f"rights-{role}"):
        step(rights, f"without-{role}")

        wait_for(
            lambda: right.lower() in rights.wrote(function).lower(), within=SOON, what=f"{function} to name {right}"
        )


def test_a_right_that_a_producer_lacks_is_named_to_it(rights: Rights) -> None:
    with (
        rights.producer("EnqueuePolicyArn") as app,
        rights.without("dynamodb:PutItem", rights.latest_producer),
        pytest.raises(LaneworkError, match="dynamodb:PutItem"),
    ):
        app.enqueue_request(greet.request(Greet(name="Bat")))
