"""events/ and env.json: what `sam local invoke` is given, fed to the handlers that the template names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from jobs import app as example
from lanework import App, State
from lanework.local.deployment.template import functions, read_template
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.stacks import REGION, make_stack

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
ENV = json.loads((ROOT / "env.json").read_text())["Parameters"]
HANDLERS = {**{lane.value: "worker" for lane in Lane}, "tick": "clock", "schedule": "clock", "api": "api"}

INVOKE = """
import importlib, json, sys
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "function", 256, "request"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:function"
    def get_remaining_time_in_millis(self): return 60_000
for event, module in json.loads(sys.argv[1]):
    answer = importlib.import_module(f"handlers.{module}").handler(json.loads(open(event).read()), Context())
    print("answer " + json.dumps(answer, default=str))
"""


@pytest.fixture(scope="module")
def stack(ministack_endpoint: str) -> Iterator[Settings]:
    """Tables and queues under a name of its own; env.json's names are those of a stack that is deployed by sam."""
    name = f"events-{uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(variable, "test")
        make_stack(name, ministack_endpoint)
        boto3.client("dynamodb", region_name=REGION, endpoint_url=ministack_endpoint).create_table(
            TableName=f"{name}-app",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield Settings(stack=name, region=REGION, endpoint=ministack_endpoint)


@pytest.fixture(scope="module")
def answers(stack: Settings) -> dict[str, Any]:
    """What each handler answers, in a process that imports them as Lambda does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_"))}
    ours = {name: value.replace("lanework-dev", stack.stack) for name, value in ENV.items()}
    calls = [(str(EVENTS / f"{name}.json"), module) for name, module in HANDLERS.items()]
    done = subprocess.run(
        [sys.executable, "-c", INVOKE, json.dumps(calls)],
        env={
            **clean,
            **ours,
            "AWS_ENDPOINT_URL": str(stack.endpoint),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = [line.removeprefix("answer ") for line in done.stdout.splitlines() if line.startswith("answer ")]
    return dict(zip(HANDLERS, map(json.loads, said), strict=True))


@pytest.fixture
def app(stack: Settings) -> App:
    reader = App()
    reader.use(aws_ports(stack))
    return reader


def test_there_is_an_event_for_each_lane_a_tick_a_schedule_and_a_request() -> None:
    assert {file.stem for file in EVENTS.iterdir()} == HANDLERS.keys()


@pytest.mark.parametrize("lane", Lane)
def test_a_lanes_batch_is_of_its_own_queue_and_carries_jobs_as_the_code_writes_them(lane: Lane) -> None:
    records = json.loads((EVENTS / f"{lane}.json").read_text())["Records"]

    for record in records:
        envelope = Envelope.decode(record["body"])
        model = example.registry.get(envelope.type).model
        assert envelope.encode() == record["body"]
        assert (envelope.lane, record["eventSourceARN"].rpartition(":")[2]) == (lane, f"lanework-dev-{lane}")
        assert model.model_validate_json(envelope.payload).model_dump_json() == envelope.payload


def test_the_workers_run_the_jobs_and_keep_the_one_that_is_to_fail_first(answers: dict[str, Any], app: App) -> None:
    failed = {"batchItemFailures": [{"itemIdentifier": "00000000-0000-4000-8000-000000000002"}]}
    ids = ("event-otp", "event-notification", "event-greet", "event-transactions", "event-expired-tokens")

    assert answers[Lane.MEDIUM] == failed
    assert all(answers[lane] == {"batchItemFailures": []} for lane in Lane if lane is not Lane.MEDIUM)
    assert {app.get(one).state for one in ids} == {State.COMPLETED}
    assert app.get("event-flaky").state is State.RETRYING


def test_the_clock_ticks_and_fires_the_schedule_that_it_is_connected_for(answers: dict[str, Any]) -> None:
    assert {"fired", "swept", "reconciled"} <= answers["tick"].keys()
    assert answers["schedule"].keys() == {"fired"}


def test_the_api_says_that_it_is_well(answers: dict[str, Any]) -> None:
    assert (answers["api"]["statusCode"], json.loads(answers["api"]["body"])) == (200, {"status": "ok"})


def test_env_json_sets_only_variables_that_the_template_has_since_sam_local_ignores_others() -> None:
    declared = functions(read_template(ROOT / "template.yaml"))

    for one in declared:
        assert ENV.keys() <= one["Environment"]["Variables"].keys()


def test_the_guides_lines_name_functions_of_the_template_and_files_that_are_there() -> None:
    guide = (ROOT / "docs" / "sam-local.md").read_text()
    lines = [line.split() for line in guide.splitlines() if "sam local invoke" in line]
    resources = read_template(ROOT / "template.yaml")["Resources"]

    assert {Path(words[words.index("--event") + 1]).stem for words in lines if "--event" in words} == HANDLERS.keys()
    for words in lines:
        if "--event" in words:
            function, event = words[words.index("invoke") + 1], Path(words[words.index("--event") + 1]).stem
            handler = resources[function]["Properties"].get("Handler", "handlers.worker.handler")
            assert handler == f"handlers.{HANDLERS[event]}.handler"
            assert words[words.index("--env-vars") + 1] == "env.json"
