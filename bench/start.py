"""What a cold start costs: CPU to import and connect, beside the libraries alone; and that of the first job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import boto3

from bench.endpoint import ministack
from bench.measure import make
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from bench.endpoint import Endpoint

ROOT = Path(__file__).parents[1]

_LIBRARIES = """
import boto3.session, pydantic
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, BatchProcessor, EventType
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
session = boto3.session.Session(region_name="eu-west-1")
session.client("sqs"), session.client("dynamodb")
"""

_HANDLER = """
import handlers.worker, lanework.engine.execution.executor
from jobs import app
app.ports.ledger._clients.sqs, app.ports.ledger._clients.dynamodb
"""

_RESOLVER = """
import boto3.session
from pydantic import BaseModel
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
resolver = APIGatewayHttpResolver(enable_validation=True)
class Item(BaseModel):
    name: str
@resolver.post("/items")
def post(item: Item) -> Item:
    return item
session = boto3.session.Session(region_name="eu-west-1")
session.client("sqs"), session.client("dynamodb")
"""

_API = """
import handlers.api
from jobs import app
app.ports.ledger._clients.sqs, app.ports.ledger._clients.dynamodb
"""

LIBRARIES = "libraries alone"
WORKER = "worker of one job"
FIRST = "first job of a critical lane, beyond its third"

_EXAMPLE = (ROOT / "shared", ROOT)
_ONE_JOB = (ROOT / "bench" / "systems" / "lanework_", ROOT / "bench" / "work", *_EXAMPLE)
"""Here another module `jobs` comes before the example's."""

_STARTS = {
    LIBRARIES: (_LIBRARIES, _EXAMPLE),
    WORKER: (_HANDLER, _ONE_JOB),
    "worker of the example": (_HANDLER, _EXAMPLE),
    "resolver alone": (_RESOLVER, _EXAMPLE),
    "API of one job": (_API, _ONE_JOB),
    "API of the example": (_API, _EXAMPLE),
}

_JOBS = 3

_TELL = """
import json, resource, sys
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_utime, len(sys.modules)]))
"""


def cold_starts(repetitions: int) -> dict[str, dict[str, float]]:
    """
    Return the medians of CPU milliseconds and modules: of each handler, and of the libraries that it stands on.

    `FIRST` is what the function's first invocation costs that the third doesn't.
    """
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in _STARTS}
    for _ in range(repetitions):
        for name, (code, path) in _STARTS.items():
            found[name].append(_start(code, path))
    found[FIRST] = _first_jobs(repetitions)
    return {
        name: {"cpu_ms": median(one[0] for one in starts) * 1000, "modules": median(one[1] for one in starts)}
        for name, starts in found.items()
    }


def _first_jobs(repetitions: int) -> list[tuple[float, int]]:
    """Return the CPU seconds and the modules of the first invocation of functions that start, beyond the third's."""
    from bench.systems.lanework_ import jobs as application  # noqa: PLC0415 - it names its stack at first use

    with tempfile.TemporaryDirectory() as folder, ministack(Path(folder)) as endpoint:
        make("bench", endpoint)
        application.connect("bench", endpoint.url)
        found = []
        for _ in range(repetitions):
            for _ in range(_JOBS):
                application.enqueue_critical()
            found.append(_invoked(endpoint))
    return found


def _invoked(endpoint: Endpoint) -> tuple[float, int]:
    sqs = boto3.client("sqs", endpoint_url=endpoint.url)
    queue = sqs.get_queue_url(QueueName=f"bench-{Lane.CRITICAL}")["QueueUrl"]
    messages: list[Any] = []
    while len(messages) < _JOBS:
        messages += sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    script = Path(__file__).parent / "work" / "invoke.py"
    done = subprocess.run(
        [sys.executable, str(script), f"arn:aws:sqs:eu-west-1:000000000000:bench-{Lane.CRITICAL}"],
        input=json.dumps(messages),
        env={
            **_environment(_ONE_JOB),
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_LAMBDA_FUNCTION_NAME": "bench-worker-critical",
            "BENCH_DONE": os.devnull,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    for one in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    said = json.loads(done.stdout.splitlines()[-1])
    return (said["cpu_ms"][0] - said["cpu_ms"][2]) / 1000, said["modules"][1] - said["modules"][0]


def _start(code: str, path: tuple[Path, ...]) -> tuple[float, int]:
    done = subprocess.run(
        [sys.executable, "-c", code + _TELL], env=_environment(path), capture_output=True, text=True, check=True
    )
    cpu, modules = json.loads(done.stdout.splitlines()[-1])
    return float(cpu), int(modules)


def _environment(path: tuple[Path, ...]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(one) for one in path),
        "LANEWORK_STACK": "bench",
        "LANEWORK_ACCOUNT": "000000000000",
        "LANEWORK_LANE": "medium",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "APP_TABLE": "bench-app",
        "POWERTOOLS_SERVICE_NAME": "bench",
    }
