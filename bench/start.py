"""What a cold start costs: the CPU time to import and connect, beside that of the libraries alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

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
import handlers.worker
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

_TELL = """
import json, resource, sys
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_utime, len(sys.modules)]))
"""


def cold_starts(repetitions: int) -> dict[str, dict[str, float]]:
    """Return the medians of CPU milliseconds and modules: of each handler, and of the libraries that it stands on."""
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in _STARTS}
    for _ in range(repetitions):
        for name, (code, path) in _STARTS.items():
            found[name].append(_start(code, path))
    return {
        name: {"cpu_ms": median(one[0] for one in starts) * 1000, "modules": median(one[1] for one in starts)}
        for name, starts in found.items()
    }


def _start(code: str, path: tuple[Path, ...]) -> tuple[float, int]:
    environment = {
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
    done = subprocess.run(
        [sys.executable, "-c", code + _TELL], env=environment, capture_output=True, text=True, check=True
    )
    cpu, modules = json.loads(done.stdout.splitlines()[-1])
    return float(cpu), int(modules)
