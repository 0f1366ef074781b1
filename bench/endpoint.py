"""What the systems run against: one MiniStack that counts calls, one Redis; both on the loopback interface."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.counted_server import COUNTS
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

READY_WITHIN_S = 30.0
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


class Endpoint:
    """
    A running MiniStack.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, url: str) -> None:
        """Ask here."""
        self.url = url

    def counts(self) -> Counter[str]:
        """Return how often each operation was called so far, as `sqs:SendMessage`."""
        with urllib.request.urlopen(f"{self.url}{COUNTS}", timeout=10) as answer:  # noqa: S310 - loopback
            return Counter(json.load(answer))


@contextmanager
def ministack(folder: Path, latency_ms: Mapping[str, float] | None = None) -> Iterator[Endpoint]:
    """
    Run MiniStack for as long as a block lasts, its state in memory.

    Args:
        folder: For its log.
        latency_ms: How long a call of each service (`sqs`, `dynamodb`, `s3`) waits before it is answered.
    """
    port = free_port()
    environment = {
        **_clean(),
        **CREDENTIALS,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "STATE_DIR": str(folder / "state"),
        "BENCH_LATENCY_MS": json.dumps(dict(latency_ms or {})),
    }
    script = Path(__file__).with_name("counted_server.py")
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(script)], env=environment, stdout=log, stderr=log, cwd=folder
        )
    try:
        endpoint = Endpoint(f"http://127.0.0.1:{port}")
        _until_it_answers(endpoint, process)
        yield endpoint
    finally:
        _end(process)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Redis for as long as a block lasts, without writing to disk; give its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        _end(process)


def _until_it_answers(endpoint: Endpoint, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            endpoint.counts()
        except OSError:
            time.sleep(0.05)
        else:
            return
    msg = "MiniStack did not start; see ministack.log"
    raise RuntimeError(msg)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clean() -> dict[str, str]:
    from lanework.local.emulator.subprocess_env import clean_environment  # noqa: PLC0415

    return clean_environment()
