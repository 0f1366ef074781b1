"""The health check of the worker's image, run as a container runs it, against the endpoint."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from lanework.edges.process.config import Address
from lanework.edges.process.health import serve_health
from lanework.edges.process.supervisor import Parent, Watchdog

TASK = Path(__file__).parents[2] / "infra" / "worker" / "ecs-task-definition.json"


class Family:
    """A parent, as far as the endpoint looks at one."""

    is_stopping = False

    def __init__(self) -> None:
        self.silent_for = timedelta(seconds=1)

    def vitals(self) -> list[Watchdog]:
        return [Watchdog(pid=7, running=1, ended=0, peak_mb=80, silent_for=self.silent_for)]


@pytest.fixture
def family() -> Family:
    return Family()


@pytest.fixture
def check(family: Family) -> Iterator[list[str]]:
    """The command, at the port that is served here."""
    with serve_health(cast("Parent", family), Address("127.0.0.1", 0)) as port:
        [task] = json.loads(TASK.read_text())["containerDefinitions"]
        _, _, *words = task["healthCheck"]["command"]
        yield [sys.executable, *(word.replace(":8080/", f":{port}/") for word in words)]


def test_a_worker_that_is_well_passes(check: list[str]) -> None:
    assert subprocess.run(check, check=False).returncode == 0


def test_a_worker_that_hangs_fails(family: Family, check: list[str]) -> None:
    family.silent_for = timedelta(seconds=31)

    done = subprocess.run(check, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "503" in done.stderr


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/health", 200), ("GET", "/", 404), ("POST", "/health", 405), ("", "", 404)]
)
def test_what_is_no_question_after_health_is_told_so(family: Family, method: str, path: str, status: int) -> None:
    with (
        serve_health(cast("Parent", family), Address("127.0.0.1", 0)) as port,
        closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as line,
    ):
        line.sendall(f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        head = line.makefile().readline()

    assert head.split()[1] == str(status)
