"""Starts LocalStack for a run of the tests: its container where a Docker engine answers, else a process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

from lanework.local.emulator.process import wait_for
from lanework.local.emulator.subprocess_env import clean_environment
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "localstack" / "compose.yaml"
PYTHON = ROOT / ".venv-localstack" / "bin" / "python"
SERVE = ROOT / "localstack" / "host" / "serve.py"

ASK_DOCKER = (["docker", "info"], ["docker", "compose", "version"])

READY_WITHIN = timedelta(seconds=60)
STOP_WITHIN = timedelta(seconds=3)


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """Run LocalStack on a free port; give its endpoint. What it writes is in the folder."""
    port = free_port()
    with _container(port) if has_docker() else _process(port, folder):
        wait_for(lambda: _is_ready(port), within=READY_WITHIN, what=f"LocalStack, see {folder}")
        yield f"http://127.0.0.1:{port}"


def has_docker() -> bool:
    """Tell whether a Docker engine answers, with compose."""
    try:
        asked = [subprocess.run(command, capture_output=True, check=False) for command in ASK_DOCKER]
    except FileNotFoundError:
        return False
    return all(one.returncode == 0 for one in asked)


@contextmanager
def _container(port: int) -> Iterator[None]:
    compose = ["docker", "compose", "--file", str(COMPOSE), "--project-name", f"lanework-{port}"]
    environment = {**os.environ, "LOCALSTACK_PORT": str(port)}
    try:
        subprocess.run([*compose, "up", "--detach", "localstack"], env=environment, check=True)
        yield
    finally:
        subprocess.run([*compose, "down", "--volumes"], env=environment, check=True)


@contextmanager
def _process(port: int, folder: Path) -> Iterator[None]:
    command = [str(PYTHON), "-P", str(SERVE), str(port), str(folder)]
    with (folder / "localstack.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=clean_environment(), cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN.total_seconds())
        except subprocess.TimeoutExpired:  # it may not hear SIGTERM
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_localstack/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
