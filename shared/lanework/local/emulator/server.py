"""
The emulator's own process: MiniStack, served so that it ends well. Run as a script by `emulator`, imported by nobody.

These things differ from the `ministack` command. Web pages are kept out (request_guard.py), and IAM's policies are read
as AWS reads them (emulated_iam.py). It stops when its stdin closes, so
it can't outlive its starter. It drains before it stops. An invocation that has begun may finish when its code is
replaced, as on AWS. A mapping's MaximumConcurrency may be a parameter of the template. Functions run on the project's
interpreter, not on its own. What PartiQL writes is in the table's stream, too. An unknown itemIdentifier brings its
batch back. And workers of lower lanes yield the CPU to those of higher ones.
"""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Answer = tuple[int, Any, Any]
    """Status code, headers and body."""

POLL_S = 0.05

NICENESS = {"high": 2, "medium": 5, "low": 10, "batch": 15}
"""What is added to the niceness of a lane's workers."""


def beside(name: str) -> Any:  # noqa: ANN401 - a module
    """Return a module that lies beside this file: Lanework isn't on this interpreter's path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None  # noqa: S101 - it lies beside this file
    assert spec.loader is not None  # noqa: S101 - as above
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def let_invocations_finish() -> None:
    """Keep MiniStack from killing the busy processes of a function whose code is replaced; they end when idle."""
    kill: Callable[[list[Any]], None] = lambda_runtime.kill_workers

    def kill_once_idle(workers: Iterable[Any]) -> None:
        doomed = [worker for worker in workers if worker is not None]
        busy = [worker for worker in doomed if worker.in_use]
        for worker in busy:
            threading.Thread(target=_kill_when_idle, args=(kill, worker), daemon=True).start()
        kill([worker for worker in doomed if worker not in busy])

    lambda_runtime.kill_workers = kill_once_idle


def _kill_when_idle(kill: Callable[[list[Any]], None], worker: Any) -> None:  # noqa: ANN401 - MiniStack has no types
    deadline = time.monotonic() + worker.config["Timeout"]  # a worker that fails to start is never released
    while worker.in_use and time.monotonic() < deadline:
        time.sleep(POLL_S)
    kill([worker])


def let_mappings_be_sized_by_parameters() -> None:
    """Make numbers of the text that MiniStack's CloudFormation passes on for a parameter; its poller fails on text."""
    limit: Callable[..., int] = lambda_svc._sqs_esm_concurrency  # noqa: SLF001 - there is no other place for it

    def limit_of(mapping: dict[str, Any], *rest: Any) -> int:  # noqa: ANN401 - MiniStack has no types
        scaling = mapping.get("ScalingConfig") or {}
        return limit({**mapping, "ScalingConfig": {name: int(value) for name, value in scaling.items()}}, *rest)

    lambda_svc._sqs_esm_concurrency = limit_of  # noqa: SLF001 - as above


def let_statements_be_in_the_stream() -> None:
    """Put what PartiQL inserts and updates into the table's stream; MiniStack does it with all other writes only."""
    insert, update = dynamodb._partiql_insert, dynamodb._partiql_update  # noqa: SLF001 - there is no other place for it

    def inserted(table: dict[str, Any], parsed: dict[str, Any]) -> Answer:
        answer: Answer = insert(table, parsed)
        item = parsed.get("item", {})
        if answer[0] == HTTPStatus.OK:
            dynamodb._emit_stream_event(table["TableName"], "INSERT", None, item.get("M", item))  # noqa: SLF001
        return answer

    def updated(table: dict[str, Any], parsed: dict[str, Any], *rest: Any) -> Answer:  # noqa: ANN401 - as above
        partition, key, *_ = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001
        before = copy.deepcopy(table["items"].get(partition, {}).get(key))
        answer: Answer = update(table, parsed, *rest)
        if answer[0] == HTTPStatus.OK:
            after = table["items"][partition][key]
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", before, after)  # noqa: SLF001
        return answer

    dynamodb._partiql_insert = inserted  # noqa: SLF001
    dynamodb._partiql_update = updated  # noqa: SLF001


def let_unknown_identifiers_fail_their_batch() -> None:
    """Let a batch come back if a function says that a message failed that isn't in it; MiniStack deletes the batch."""
    execute: Callable[..., dict[str, Any]] = lambda_svc._execute_function  # noqa: SLF001 - there is no other place for it

    def executed(function: Any, event: Any, *rest: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        result = execute(function, event, *rest, **options)
        body, records = result.get("body"), event.get("Records") if isinstance(event, dict) else None
        if not isinstance(body, dict) or not records:
            return result
        ids = [one.get("messageId") for one in records]
        failed = [one.get("itemIdentifier") for one in body.get("batchItemFailures") or []]
        if set(failed) <= set(ids):
            return result
        return {**result, "body": {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}}

    lambda_svc._execute_function = executed  # noqa: SLF001 - as above


def let_lower_lanes_yield() -> None:
    """Run workers the nicer, the lower their lane: on AWS each has CPUs of its own, here they share a few."""

    class Yielding(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as Popen's own
            super().__init__(*args, **options)
            niceness = NICENESS.get((options.get("env") or {}).get("LANEWORK_LANE", ""))
            if niceness is not None:
                with suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, self.pid, niceness)

    subprocess.Popen = Yielding  # type: ignore[misc]


async def until_stopped(drain_s: float) -> None:
    """Return after a SIGTERM, a SIGINT or the end of stdin, once no invocation runs or `drain_s` is over."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    await stop.wait()
    stop.clear()  # a second signal cuts the drain short
    lambda_svc._poll_sqs = lambda: False  # noqa: SLF001 - deliver nothing more: what is queued stays queued
    deadline = loop.time() + drain_s
    while lambda_svc.executions_in_flight()[0] and not stop.is_set() and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    loop.call_soon_threadsafe(stop.set)


ALONE: Final = """
import importlib.machinery, sys, sysconfig
class _Runtime:
    installed, names = sys.path[:], {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six", "jmespath"}
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and name in cls.names:
            return importlib.machinery.PathFinder.find_spec(name, cls.installed)
_python = sysconfig.get_path("stdlib")
sys.path[:] = [one for one in sys.path if one.endswith(".zip") or one.startswith(_python) and "-packages" not in one]
sys.meta_path[:] = [one for one in sys.meta_path if getattr(one, "__module__", "").startswith("_frozen_importlib")]
sys.meta_path.append(_Runtime)
"""
"""
What a function's process does first: it forgets what is installed for the developer, links to sources included.

Beside Python it has what Lambda's runtime has: boto3, and what that needs (`IN_RUNTIME` of shared/Makefile). What a
layer has comes first.
"""


def run_functions_on(python: str) -> None:
    """Run the functions on the project's interpreter, with what was deployed and what Lambda's runtime has."""
    usual: Callable[[str], tuple[str, str]] = lambda_runtime._detect_runtime_binary  # noqa: SLF001 - it has no setting

    def on_the_projects(runtime: str) -> tuple[str, str]:
        binary, script = usual(runtime)
        return (python, ALONE + script) if binary == sys.executable else (binary, script)

    lambda_runtime._detect_runtime_binary = on_the_projects  # noqa: SLF001 - as above


def main(drain_s: float, python: str) -> None:
    """Serve MiniStack on BIND_HOST:GATEWAY_PORT until a signal stops it, then end every process of this group."""
    port = int(os.environ["GATEWAY_PORT"])
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = ministack.LOG_LEVEL
    config.graceful_timeout = 1
    let_invocations_finish()
    let_mappings_be_sized_by_parameters()
    run_functions_on(python)
    let_statements_be_in_the_stream()
    let_unknown_identifiers_fail_their_batch()
    beside("emulated_iam").read_policies_as_aws()
    let_lower_lanes_yield()
    guarded = beside("request_guard").Guard(ministack.app, port=port)
    asyncio.run(serve(guarded, config, shutdown_trigger=lambda: until_stopped(drain_s)))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
