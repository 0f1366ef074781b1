"""A small project of its own, with a stack on the emulator, whose jobs a test's `lanework worker` runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import psutil
import pytest

from lanework import App, JobRecord, State
from lanework.engine.jobtypes.request import request_of
from lanework.local.application import load_app
from lanework.local.emulator.process import wait_for
from lanework.local.project import project_at
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.ports import free_port
from tests.support.stacks import REGION, make_stack

LANEWORK = str(Path(sys.executable).with_name("lanework"))
SOON = timedelta(seconds=90)
"""A deadline, for a machine that is busy with other things; what is waited for takes a second or two."""

CODE = """
import asyncio, ctypes, os, re, sys, threading, time
from datetime import timedelta
from pathlib import Path
from pydantic import BaseModel
from lanework import App, Jobs, Run

tasks = Jobs(queue="tasks", lane="high", attempts=3)

class Nap(BaseModel):
    seconds: float = 0
    log: str

def note(nap, word, run):
    with open(nap.log, "a") as file:
        file.write(f"{word} {run.job_id} {run.attempt} {time.monotonic()} {os.getpid()}\\n")

@tasks.job("task.nap")
def nap(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    time.sleep(nap.seconds)
    note(nap, "end", run)

@tasks.job("task.wait")
def wait(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    while not Path(nap.log + ".go").exists():
        time.sleep(0.05)
    note(nap, "end", run)

@tasks.job("task.await")
async def wait_too(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    while not Path(nap.log + ".go").exists():
        await asyncio.sleep(0.05)
    note(nap, "end", run)

@tasks.job("task.doze")
async def doze(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    await asyncio.sleep(nap.seconds)
    note(nap, "end", run)

@tasks.job("task.leave", attempts=1)
async def leave(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    threading.Thread(target=time.sleep, args=(600,)).start()
    asyncio.get_running_loop().stop()
    await asyncio.gather(asyncio.to_thread(sys.exit, 4))

@tasks.job("task.break", attempts=1)
async def break_down(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    asyncio.get_running_loop()._process_events = None
    await asyncio.sleep(0)
    await asyncio.sleep(600)

@tasks.job("task.hang")
def hang(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    re.match("(a+)+$", "a" * 60 + "b")  # holds the interpreter for years

@tasks.job("task.seize")
def seize(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    ctypes.PyDLL(None).sleep(int(nap.seconds))  # a call that doesn't let go of the interpreter
    note(nap, "end", run)

@tasks.job("task.stuck", timeout=timedelta(seconds=1))
def stuck(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    if run.attempt == 1:
        ctypes.PyDLL(None).sleep(600)

@tasks.job("task.tick")
def tick(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    over_at = time.monotonic() + nap.seconds
    while time.monotonic() < over_at:
        note(nap, "tick", run)
        time.sleep(0.05)

@tasks.job("task.alone", concurrency=1)
def alone(nap: Nap, run: Run) -> None:
    tick(nap, run)

@tasks.job("task.spin", timeout=timedelta(seconds=1))
def spin(nap: Nap, run: Run) -> None:
    note(nap, "begin", run)
    while run.attempt == 1:
        sum(range(100))

app = App(tasks)
"""


@dataclass(slots=True)
class Shop:
    """
    A project, its stack, and the worker processes that a test starts.

    Attributes:
        log: The file that its jobs write to.
        port: Where a worker may be asked for its health.
    """

    root: Path
    app: App
    environment: dict[str, str]
    log: Path
    port: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def enqueue(self, count: int, *, seconds: float = 0, type_: str = "task.nap", lane: str = "high") -> list[str]:
        job_type = self.app.registry.get(type_)
        payload = {"seconds": seconds, "log": str(self.log)}
        requests = [request_of(job_type, payload, {"lane": lane}) for _ in range(count)]  # type: ignore[typeddict-item]
        return [receipt.job_id for receipt in self.app.enqueue_many(requests)]

    def let_go(self) -> None:
        """Let jobs of `task.wait` and `task.await` end."""
        self.log.with_name(f"{self.log.name}.go").touch()

    def worker(self, *words: str) -> subprocess.Popen[str]:
        with (self.root / "log.out").open("a") as lines:
            process = subprocess.Popen(
                [LANEWORK, "worker", *words],
                cwd=self.root,
                env=self.environment,
                text=True,
                stdout=lines,
                stderr=subprocess.PIPE,
            )
        self.processes.append(process)
        return process

    @property
    def with_health(self) -> tuple[str, str]:
        return ("--health", f"127.0.0.1:{self.port}")

    def health(self) -> dict[str, Any]:
        """Ask the health endpoint; nothing while nobody listens there yet."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except URLError:
            return {"status": None, "processes": []}
        return found

    def ended_in_worker(self) -> int:
        """Count the messages that the worker's processes are done with."""
        return sum(int(one["ended"]) for one in self.health()["processes"])

    def pids(self) -> list[int]:
        return [one["pid"] for one in self.health()["processes"]]

    def said(self, action: str) -> int:
        """Count the log lines about something that happened."""
        return (self.root / "log.out").read_text().count(f'"action":"{action}"')

    def notes(self, word: str) -> list[list[str]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split() for line in lines if line.startswith(word)]

    def record(self, job_id: str) -> JobRecord:
        return self.app.get(job_id)

    def until(self, condition: Callable[[], bool], what: str, *, within: timedelta = SOON) -> None:
        wait_for(condition, within=within, what=what)

    def are_all(self, ids: list[str], state: State) -> bool:
        return all(self.record(one).state is state for one in ids)


@pytest.fixture(name="shop")
def a_shop(ministack_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    (tmp_path / "shared" / "naps").mkdir(parents=True)
    (tmp_path / "shared" / "naps" / "__init__.py").write_text(CODE)
    (tmp_path / "handlers").mkdir()
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.lanework]\napp = "naps:app"\n')
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"worker-{uuid4().hex[:8]}"
    make_stack(stack, ministack_endpoint)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LANEWORK_")},
        "LANEWORK_STACK": stack,
        "LANEWORK_ACCOUNT": "000000000000",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": ministack_endpoint,
        "COLUMNS": "200",
    }
    settings = Settings(stack=stack, region=REGION, endpoint=ministack_endpoint, account="000000000000")
    app = load_app(project_at(tmp_path))
    app.use(aws_ports(settings))
    made = Shop(root=tmp_path, app=app, environment=environment, log=tmp_path / "log", port=free_port())
    yield made
    for process in made.processes:
        kill_with_children(process)
        process.communicate()


def kill_with_children(process: subprocess.Popen[str]) -> None:
    """Kill a worker and its processes, which would finish their jobs first, and hold its output open meanwhile."""
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(process.pid)
        for one in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Tell whether a signal was sent to a process that hasn't taken it yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    (waiting,) = re.findall(r"^ShdPnd:\s*(\w+)$", status, re.MULTILINE)
    return bool(int(waiting, 16) >> (number - 1) & 1)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process that was asked to end; return its exit code and what it said."""
    _, said = process.communicate(timeout=SOON.total_seconds())
    return process.returncode, said
