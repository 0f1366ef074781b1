"""What a function's first job waits for: all that can be done before is done in Lambda's init phase."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from lanework.aws.ledger.item import items_of, to_item
from lanework.local.emulator.subprocess_env import clean_environment
from lanework.model.lanes import Lane
from tests.support.factories import a_message, a_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[3]

_JOBS = """
from pydantic import BaseModel
from lanework import App, Jobs

class Greeting(BaseModel):
    name: str

email = Jobs(queue="email")

@email.job("user.greeting", lane="critical")
def greet(greeting: Greeting) -> None:
    pass

app = App(email)
"""

_FUNCTION = """
import json, sys
from botocore.client import ClientCreator
clients, create = [], ClientCreator.create_client
ClientCreator.create_client = lambda self, **how: clients.append(how["service_name"]) or create(self, **how)

import handlers.worker

class Context:
    function_name, memory_limit_in_mb, aws_request_id = "shop-worker-critical", 256, "request-1"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-worker-critical"
    def get_remaining_time_in_millis(self):
        return 30_000

def state():
    return {"clients": [*clients], "modules": sorted(sys.modules)}

event = json.load(sys.stdin)
before = state()
answer = handlers.worker.handler(event, Context())
print(json.dumps({"before": before, "answer": answer, "after": state()}))
"""


class _Table(BaseHTTPRequestHandler):
    """DynamoDB with one job in it. Each write lands, and answers with the job and what it sets."""

    protocol_version = "HTTP/1.1"

    calls: list[str]
    connections: list[object]
    refused: int

    def setup(self) -> None:
        self.connections.append(self.client_address)
        super().setup()

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.calls.append(operation)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_refused = len(self.calls) <= self.refused
        answer = {"Attributes": _written(request)} if operation == "UpdateItem" else {}
        body = json.dumps({"__type": "AccessDeniedException"} if is_refused else answer).encode()
        self.send_response(400 if is_refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _written(update: dict[str, Any]) -> dict[str, Any]:
    job = to_item(a_record(lane=Lane.CRITICAL), items_of("shop-jobs", region="eu-west-1"))
    names, values = update.get("ExpressionAttributeNames", {}), update["ExpressionAttributeValues"]
    sets = re.findall(r"(#\w+) = (:\w+)", update["UpdateExpression"])
    return {**job, **{names[name]: values[value] for name, value in sets}}


@contextmanager
def _table(*, refused: int = 0, connections: list[object] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve it; the first calls are refused, as those without a permission. `connections` gets those that are made."""
    calls: list[str] = []
    has = {"calls": calls, "refused": refused, "connections": [] if connections is None else connections}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Table", (_Table,), has))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _event() -> dict[str, Any]:
    record = {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": a_message(lane=Lane.CRITICAL).encode(),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767355200000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:shop-critical",
        "awsRegion": "eu-west-1",
    }
    return {"Records": [record]}


def _run(folder: Path, endpoint: str, environment: Mapping[str, str], *, code: str = _FUNCTION) -> dict[str, Any]:
    (folder / "jobs.py").write_text(_JOBS)
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(_event()),
        env={
            **clean_environment(),
            "PYTHONPATH": f"{folder}:{ROOT / 'shared'}:{ROOT}",
            "LANEWORK_STACK": "shop",
            "LANEWORK_LANE": "critical",
            "LANEWORK_ACCOUNT": "123456789012",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": endpoint,
            "POWERTOOLS_SERVICE_NAME": "shop",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *lines, last = done.stdout.splitlines()
    return {**json.loads(last), "lines": lines}


_IN_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "shop-worker-critical"}


def test_the_first_job_makes_no_client_loads_no_module_and_reads_nothing(tmp_path: Path) -> None:
    connections: list[object] = []
    with _table(connections=connections) as (endpoint, calls):
        found = _run(tmp_path, endpoint, _IN_LAMBDA)

    assert found["answer"] == {"batchItemFailures": []}
    assert sorted(found["before"]["clients"]) == ["dynamodb", "sqs"]
    assert found["after"]["clients"] == found["before"]["clients"]
    assert [one for one in found["after"]["modules"] if one not in found["before"]["modules"]] == []
    # What is paused is read in the init phase; then the claim, the completion, the counters, by the same connection.
    assert calls == ["GetItem", "UpdateItem", "UpdateItem", "UpdateItem"]
    assert len(connections) == 1
    ours = [one for one in found["after"]["modules"] if re.match(r"lanework(?!\.aws\.strict)", one)]
    assert len(ours) <= 142, f"load what is used seldom where it is used: {ours}"


_RESTORED = """
import random, snapshot_restore_py
before = random.getstate()
for call, args in snapshot_restore_py.hooks:
    call(*args)
assert random.getstate() != before
event = json.load(sys.stdin)
"""


def test_environments_of_one_snapshot_share_neither_a_connection_nor_chance(tmp_path: Path) -> None:
    hooks = "hooks = []\ndef register_after_restore(call, *args):\n    hooks.append((call, args))\n"
    (tmp_path / "snapshot_restore_py.py").write_text(hooks)
    connections: list[object] = []
    with _table(connections=connections) as (endpoint, _):
        _run(
            tmp_path,
            endpoint,
            {**_IN_LAMBDA, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"},
            code=_FUNCTION.replace("event = json.load(sys.stdin)\n", _RESTORED),
        )

    assert len(connections) == 2


def test_outside_of_lambda_a_handler_that_is_imported_calls_nothing(tmp_path: Path) -> None:
    with _table() as (endpoint, calls):
        _run(tmp_path, endpoint, {}, code="import handlers.worker; print('{}')")

    assert calls == []


def test_a_function_that_can_not_read_what_is_paused_when_it_starts_reads_it_before_its_first_job(
    tmp_path: Path,
) -> None:
    with _table(refused=1) as (endpoint, calls):
        found = _run(tmp_path, endpoint, _IN_LAMBDA)

    assert found["answer"] == {"batchItemFailures": []}
    assert calls == ["GetItem", "GetItem", "UpdateItem", "UpdateItem", "UpdateItem"]


def test_an_event_that_keeps_the_function_warm_is_no_job_and_makes_no_line(tmp_path: Path) -> None:
    code = _FUNCTION.replace("event = json.load(sys.stdin)", "event = {'keep_warm': True}")
    with _table() as (endpoint, calls):
        found = _run(tmp_path, endpoint, _IN_LAMBDA, code=code)

    assert found["answer"] == {"batchItemFailures": []}
    assert found["lines"] == []
    assert calls == ["GetItem"]
