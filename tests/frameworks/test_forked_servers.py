"""Servers and pools that load an application, use it, and then make processes: each of these enqueues, too."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from lanework import App, Jobs
from lanework.local.emulator.subprocess_env import EMULATORS, clean_environment
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.stacks import REGION, make_stack

Environment = dict[str, str]


@pytest.fixture(name="environment")
def an_environment_of_a_stack(ministack_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Return the environment of a producer of a new stack, in which this repository's modules are found."""
    stack, root = f"forks-{uuid4().hex[:8]}", Path(__file__).parents[2]
    make_stack(stack, ministack_endpoint)
    for name, value in EMULATORS.items():
        monkeypatch.setenv(name, value)
    return {
        **clean_environment(),
        "PYTHONPATH": f"{root / 'shared'}:{root}",
        "LANEWORK_STACK": stack,
        "LANEWORK_ACCOUNT": "000000000000",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": ministack_endpoint,
    }


def enqueued(environment: Environment) -> Counter[str]:
    """Return the payloads of all jobs of a stack, and how many have each."""
    app, found, cursor = App(Jobs(queue="numbers")), Counter[str](), None
    app.use(aws_ports(Settings.from_env(environment)))
    while True:
        page = app.inspector.page(limit=100, cursor=cursor)
        found.update(str(record.payload) for record in page.jobs)
        cursor = page.cursor
        if cursor is None:
            return found


def payloads(numbers: range) -> Counter[str]:
    return Counter(f'{{"n":{n}}}' for n in numbers)


@contextmanager
def gunicorn(environment: Environment, application: str, *options: str) -> Iterator[str]:
    """Yield the address of a gunicorn that loads an application before it forks."""
    command = (
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "gunicorn",
        "--preload",
        "--bind=127.0.0.1:0",
        *options,
        application,
    )
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        found = next(found for line in server.stderr if (found := re.search(r"Listening at: (\S+)", line)))
        try:
            yield found[1]
        finally:
            server.terminate()
            server.communicate(timeout=60)


def test_each_worker_of_a_preloading_gunicorn_enqueues_what_it_is_asked(environment: Environment) -> None:
    """The parent has enqueued before, and a thread of it goes on while it forks."""

    def ask(n: int) -> str:
        with urllib.request.urlopen(f"{server}/{n}", timeout=60) as answer:  # noqa: S310 - a server of this test
            return str(answer.read().decode())

    application = "tests.support.preloaded:used_before()"
    options = ("--workers=3", "--worker-class=gthread", "--threads=4")
    with gunicorn(environment, application, *options) as server, ThreadPoolExecutor(12) as threads:
        processes = Counter(threads.map(ask, range(100, 220)))

    assert len(processes) > 1
    assert enqueued(environment) == payloads(range(40)) + payloads(range(100, 220))


_POOL = """
import multiprocessing
from tests.support.preloaded import square

if __name__ == "__main__":
    square.enqueue({"n": 0})
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        receipts = pool.map(square.enqueue, [{"n": n} for n in range(1, 7)], chunksize=1)
    print(len({one.job_id for one in receipts}))
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_is_given_the_jobs_enqueue_itself(method: str, environment: Environment) -> None:
    assert run(_POOL.replace("METHOD", repr(method)), environment) == "6"
    assert enqueued(environment) == payloads(range(7))


_CONNECTING = """
import os, signal, sys, threading
from tests.support.preloaded import square

first = [threading.Thread(target=square.enqueue, args=({"n": n},)) for n in range(3)]
for one in first:
    one.start()
while "botocore" not in sys.modules:  # a thread is in the middle of importing it
    pass
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    square.enqueue({"n": 3})
    os._exit(0)
for one in first:
    one.join()
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_child_that_is_forked_while_a_thread_makes_the_first_enqueue_enqueues(environment: Environment) -> None:
    """It hung for ever: an import that was under way belongs to a thread which the child doesn't have."""
    assert run(_CONNECTING, environment) == "0"
    assert enqueued(environment) == payloads(range(4))


_IMPORTING = """
import sys
from lanework import forks
from tests.support.preloaded import square

unguarded = []

class Finder:
    def find_spec(self, name, path=None, target=None):
        if not forks._loading.lock._is_owned():
            unguarded.append(name)

sys.meta_path.insert(0, Finder())
square.enqueue({"n": 0})
print(unguarded)
"""


def test_a_first_enqueue_imports_nothing_while_another_thread_may_fork(environment: Environment) -> None:
    """The child hung now and then: the first connection imported the codec of host names as another thread forked."""
    assert run(_IMPORTING, environment) == "[]"


_ASYNC = """
import asyncio, os, signal
from tests.support.preloaded import square

async def enqueue(numbers):
    await asyncio.gather(*(square.enqueue_async({"n": n}) for n in numbers))

asyncio.run(enqueue(range(20)))
children = []
for child in range(1, 4):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        asyncio.run(enqueue(range(20 * child, 20 * child + 20)))
        asyncio.run(enqueue(range(100 + 20 * child, 120 + 20 * child)))
        os._exit(0)
    children.append(pid)
asyncio.run(enqueue(range(100, 120)))
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
"""


def test_children_of_an_async_application_enqueue_beside_it(environment: Environment) -> None:
    assert run(_ASYNC, environment) == "[0, 0, 0]"
    assert enqueued(environment) == payloads(range(80)) + payloads(range(100, 180))


def run(code: str, environment: Environment) -> str:
    """Return what a program prints; it may say nothing else."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert done.stderr == ""
    return done.stdout.strip()
