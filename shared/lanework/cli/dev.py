"""The command `lanework dev`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from io import TextIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, cast

import typer
from pydantic import ValidationError

from lanework.app import App
from lanework.cli.connect import application, connected
from lanework.cli.demo import ChecksRights, Port, prepare
from lanework.cli.log_lines import readable
from lanework.cli.output import say
from lanework.cli.times import time_of_day
from lanework.edges.process.child import run_child
from lanework.edges.process.config import Plan
from lanework.edges.process.debug_loop import run_inline
from lanework.edges.process.interpreter import end
from lanework.edges.process.lease_keeper import LeaseKeeper
from lanework.edges.process.signals import SignalWatch
from lanework.edges.process.supervisor import Parent
from lanework.errors import InvalidOptionError, StackError
from lanework.http.auth.tokens import Role, hash_of, new_token
from lanework.local.application import load_app
from lanework.local.demo import Traffic
from lanework.local.project import find_deployable
from lanework.local.stack.embedded import embedded_stack
from lanework.local.stack.logs import LogTail
from lanework.local.stack.producer_env import enter
from lanework.local.stack.watch import redeploy_on_change
from lanework.local.webhook_secret import PARAMETER, kept_secret
from lanework.model.job.ids import OURS
from lanework.model.lanes import Lane
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import Settings
from lanework.wiring import aws_inbox

if TYPE_CHECKING:
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.consumer import MessageConsumer
    from lanework.local.stack.embedded import RunningStack
    from lanework.local.stack.watch import Redeployed
    from lanework.model.events import Action

SLOTS = 4

_WEBHOOKS = {"WebhooksToPrivate": "true", "WebhookSecretParameter": PARAMETER}
_ALL_LANES = {f"{lane.capitalize()}RunsOn": "worker" for lane in Lane}


def dev(
    port: Port = None,
    worker: Annotated[
        bool, typer.Option("--worker", help="Run jobs in a process here instead of in the emulator's Lambda.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --worker: end when all lanes are empty.")] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="With --worker: one process, one thread, no time limits: breakpoint() works."),
    ] = False,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Enqueue the demo's jobs again and again: the dashboard has something to show."),
    ] = False,
    checks_rights: ChecksRights = False,
) -> None:
    """Keep the embedded stack up until Ctrl-C: deploys again when a file changes, and shows what the workers write."""
    if (once or debug) and not worker:
        msg = f"--{'once' if once else 'debug'} is for the worker process: add --worker"
        raise InvalidOptionError(msg)
    project = find_deployable(Path.cwd())
    prepare(project)
    say("starting the embedded stack and deploying template.yaml …")
    token = new_token(Role.ADMIN)
    access = {"ApiTokens": f"{Role.ADMIN}:{hash_of(token)}", "Development": "true"}
    parameters = {**access, **_WEBHOOKS, **(_ALL_LANES if worker else {})}
    with embedded_stack(project, port=port, parameters=parameters, checks_rights=checks_rights, report=say) as stack:
        say(f"webhooks may go to this machine, signed with {kept_secret(stack.clients)}")
        _greet(stack, token, to_try(load_app(project)))
        with ExitStack() as beside:
            beside.enter_context(_Showing(stack))
            if worker or demo:
                enter(stack.handle, stack.clients)
            if demo:
                beside.enter_context(Traffic(stack))
            if worker:
                plan = Plan(lanes=stack.handle.lanes, slots=1 if debug else SLOTS, is_once=once)
                _debug_here(plan) if debug else _work_here(stack, plan)
            else:
                _deploy_changes(stack)
    say("stopped; nothing is left running")


def _deploy_changes(stack: RunningStack) -> None:
    """Deploy again after each change, until Ctrl-C."""
    try:
        for change in redeploy_on_change(stack, threading.Event()):
            _tell_of(change)
    except KeyboardInterrupt:
        say("\nstopping: jobs that run may finish (Ctrl-C again to stop at once) …")


def _debug_here(plan: Plan) -> None:
    """Run jobs in this thread, until Ctrl-C, or SIGTERM once the one that runs has ended."""
    say("one job at a time, in this thread and without time limits; Ctrl-C puts the one that runs back")
    stopping = threading.Event()
    try:
        with closing(SignalWatch(signal.SIGTERM)) as signals:
            signals.heed({signal.SIGTERM: stopping.set})
            run_inline(*_prepare(), plan, stopping)
    except KeyboardInterrupt:
        say("\nstopping …")


def _work_here(stack: RunningStack, plan: Plan) -> None:
    """Run jobs in a child, which starts anew with each change, until Ctrl-C."""
    keeper = LeaseKeeper(_reach, lease=plan.lease)
    parent = Parent("lanework.cli.dev:work", plan, plan=plan, processes=1, keeper=keeper, say=_log)

    def stop() -> None:
        if not parent.is_stopping:
            say("\nstopping: jobs that run may finish (Ctrl-C again to stop at once) …")
        parent.stop()

    stopped = threading.Event()
    problems: list[StackError] = []
    with ExitStack() as undo:
        signals = undo.enter_context(closing(SignalWatch(signal.SIGINT, signal.SIGTERM)))
        signals.heed({signal.SIGINT: stop, signal.SIGTERM: stop})
        watching = threading.Thread(target=_renew_on_change, args=(stack, parent, stopped, problems), daemon=True)
        watching.start()
        try:
            parent.run()
        finally:
            stopped.set()
            watching.join()
    if problems:
        raise problems[0]


def _renew_on_change(stack: RunningStack, parent: Parent, stopped: threading.Event, problems: list[StackError]) -> None:
    """Deploy again after each change, and let the worker start anew with it; end it where the emulator has ended."""
    try:
        for change in redeploy_on_change(stack, stopped):
            _tell_of(change)
            parent.renew()
    except StackError as error:
        problems.append(error)
        parent.stop()


def _tell_of(change: Redeployed) -> None:
    files = ", ".join(change.changed)
    say(f"deployed {files}" if change.problem is None else f"not deployed: {change.problem}")


def work(pipe: int, memory: int, plan: Plan) -> None:
    """Do the worker process's work, with these open files."""
    if not run_child(pipe, memory, _prepare, plan):
        end(0)  # what still runs was given back, and can't be waited for


def _prepare() -> tuple[App, MessageConsumer]:
    app = application()
    app.runtime.observe(LogSink(json_logger(cast("IO[str]", _Readable()))))
    return app, aws_inbox(Settings.from_env(), emit=app.ports.events.emit)


def _reach() -> tuple[Ports, MessageConsumer]:
    ports = connected().ports
    return ports, aws_inbox(Settings.from_env(), emit=ports.events.emit)


def _log(action: Action, reason: str) -> None:
    say(f"{action}: {reason}")


class _Readable(TextIOBase):
    """Where a logger's JSON lines become lines for people."""

    def write(self, line: str) -> int:
        sys.stdout.write(f"{time_of_day(datetime.now(UTC))}  {'here':<8}  {readable(line)}\n" if line.strip() else "")
        sys.stdout.flush()
        return len(line)

    def flush(self) -> None:
        sys.stdout.flush()


class _Showing:
    """Shows what the functions write, while a block lasts."""

    def __init__(self, stack: RunningStack) -> None:
        self._stop = threading.Event()
        self._tail = LogTail(clients=stack.clients, stack=stack.handle.stack, since=datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            for line in self._tail.read():
                lane = line.function.rpartition("-")[2]
                sys.stdout.write(f"{time_of_day(line.at)}  {lane:<8}  {readable(line.text)}\n")
                sys.stdout.flush()


def to_try(app: App) -> str:
    """Return the shortest command that enqueues a job of the application's own, with an example of its payload."""
    commands: list[str] = []
    for one in app.registry.types:
        if one.name.startswith(OURS):
            continue
        example = example_of(one.model.model_json_schema())
        try:
            one.model.model_validate(example)
        except ValidationError:
            continue
        payload = f" --payload '{json.dumps(example, ensure_ascii=False)}'" if example else ""
        commands.append(f"lanework enqueue {one.name} --job-id try-1{payload}")
    return min(commands, key=len, default="lanework enqueue TYPE --job-id try-1 --payload '{…}'")


_EXAMPLES: Final = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


def example_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the first example of a payload's JSON schema, or a value of its type for each field that it requires."""
    if schema.get("examples"):
        return dict(schema["examples"][0])
    fields = {name: schema["properties"][name] for name in schema.get("required", ())}
    return {
        name: next(iter(field.get("examples", [])), _EXAMPLES.get(field.get("type", "")))
        for name, field in fields.items()
    }


def _greet(stack: RunningStack, token: str, command: str) -> None:
    api = (
        ""
        if stack.api is None
        else f"""
The dashboard: {stack.api}
  its token, until this stops, also for curl: {token}"""
    )
    say(
        f"""up at {stack.handle.endpoint}, stack {stack.handle.stack!r}; edit a job and it is deployed. Try, elsewhere:
  {command}
  lanework get try-1
  lanework list
  lanework stats{api}
Ctrl-C stops it."""
    )
