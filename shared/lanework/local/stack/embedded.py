"""The embedded stack: the emulator with the project deployed to it, for as long as a `with` lasts."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import tempfile
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.embedded import StackHandle, handle_file, running_in
from lanework.errors import StackError
from lanework.local.clients import Clients
from lanework.local.deployment.deploy import Deployer
from lanework.local.deployment.template import lanes_in, read_template
from lanework.local.emulator.private_files import make_private, write_private
from lanework.local.emulator.process import USUAL_PORT, start_emulator
from lanework.local.emulator.venv import emulator_python
from lanework.local.stack.watch import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from lanework.local.emulator.process import Emulator
    from lanework.local.project import Project
    from lanework.local.stack.watch import Versions

REGION = "us-east-1"
STACK = "lanework"
DRAIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """
    An embedded stack that is up and deployed.

    Attributes:
        outputs: Its template's.
        deployer: Deploys changed files again.
        deployed: The versions of the files that it was made of, as far as they had not changed since it began.
    """

    handle: StackHandle
    outputs: Mapping[str, str]
    clients: Clients
    deployer: Deployer
    emulator: Emulator
    deployed: Versions

    @property
    def api(self) -> str | None:
        """The API's address, with a slash at its end; None if the template has no API, or doesn't tell its id."""
        api_id = self.outputs.get("ApiId")
        return None if api_id is None else f"{self.handle.endpoint}/_aws/execute-api/{api_id}/"


@contextlib.contextmanager
def embedded_stack(
    project: Project,
    *,
    fresh: bool = False,
    port: int | None = None,
    name: str = STACK,
    parameters: Mapping[str, str] | None = None,
    drain: timedelta = DRAIN,
    checks_rights: bool = False,
    report: Callable[[str], object] = lambda _: None,
) -> Iterator[RunningStack]:
    """
    Start the emulator, deploy the project, and stop it all at the end, however that comes.

    Args:
        fresh: Start empty, in a folder of its own that is removed at the end, rather than from the project's state.
        port: Port to use if it is free, 4566 by default; another one if it isn't.
        parameters: Values for the template's parameters.
        drain: How long running jobs may go on at the end; those cut off run again.
        checks_rights: Whether functions have the rights of their roles only, and producers those of their policies.
        report: Called with a line for each part of the template that is left out, since the emulator lacks it.

    Raises:
        StackError: If it can't start or deploy, or if the project's stack runs already.
    """
    with contextlib.ExitStack() as undo:
        undo.enter_context(_ending_on_sigterm())
        folder = undo.enter_context(_folder(project, fresh=fresh))
        emulator = start_emulator(
            folder,
            port=USUAL_PORT if port is None else port,
            persist=not fresh,
            drain=drain,
            python=emulator_python(project.home),
            checks_rights=checks_rights,
        )
        undo.callback(emulator.stop)
        clients = Clients(endpoint=emulator.endpoint, region=REGION)
        deployer = Deployer(project=project, clients=clients, stack=name, parameters=parameters or {}, report=report)
        deployed = versions(project)
        outputs = deployer.deploy()
        pid, now = emulator.process.pid, datetime.now(UTC)
        where = {"endpoint": emulator.endpoint, "region": REGION, "stack": name}
        lanes = lanes_in(read_template(project.template))
        handle = StackHandle(**where, pid=pid, started_at=now, lanes=lanes)
        undo.enter_context(_announced(handle, project))
        yield RunningStack(
            handle=handle,
            outputs=outputs,
            clients=clients,
            deployer=deployer,
            emulator=emulator,
            deployed=deployed,
        )


@contextlib.contextmanager
def _folder(project: Project, *, fresh: bool) -> Iterator[Path]:
    make_private(project.home)
    if not fresh:
        running = running_in(project.root)
        if running is not None:
            problem = f"the stack runs already, at {running.endpoint} (pid {running.pid})"
            raise StackError(problem)
        yield project.home
        return
    folder = Path(tempfile.mkdtemp(prefix="fresh-", dir=project.home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(handle: StackHandle, path: Path) -> None:
    """Write a handle in one step, so that no reader sees half of it."""
    partial = path.with_suffix(f".{handle.pid}")
    write_private(partial, json.dumps({**asdict(handle), "started_at": handle.started_at.isoformat()}))
    partial.replace(path)


@contextlib.contextmanager
def _announced(handle: StackHandle, project: Project) -> Iterator[None]:
    """Keep the handle file while the stack is up, unless another stack of the project has it."""
    if running_in(project.root) is not None:
        yield
        return
    _write(handle, handle_file(project.root))
    try:
        yield
    finally:
        if StackHandle.read(handle_file(project.root)) == handle:
            handle_file(project.root).unlink(missing_ok=True)


@contextlib.contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that what a `with` started is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
