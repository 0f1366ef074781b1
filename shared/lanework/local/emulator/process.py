"""Starts and stops MiniStack as a process of its own on the loopback interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.embedded import answers
from lanework.errors import StackError
from lanework.local.emulator.private_files import locked, make_private, open_private, write_private
from lanework.local.emulator.subprocess_env import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
USUAL_PORT = 4566
READY_WITHIN = timedelta(seconds=30)
STOP_GRACE = timedelta(seconds=10)
"""What the emulator gets, beyond its drain, to write its state before it is killed."""

POLL_S = 0.02
LOG_LINES = 12
SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """
    A running MiniStack.

    Attributes:
        endpoint: Where it answers, such as `http://127.0.0.1:4566`.
        folder: Its folder: `emulator.log`, `state/` if it persists, `tmp/` while it runs.
        drain: How long `stop` waits for invocations that have begun.
    """

    endpoint: str
    folder: Path
    drain: timedelta
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / "emulator.log"

    def check_alive(self) -> None:
        """
        Do nothing while it runs.

        Raises:
            StackError: If it has ended, with the end of its log.
        """
        if self.process.poll() is not None:
            end = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            status = self.process.returncode
            problem = f"the emulator ended by itself (status {status}); its log ends with:\n{end}"
            raise StackError(problem)

    def stop(self) -> None:
        """Let running invocations finish for `drain`, keep the state, and leave no process of it behind."""
        try:
            self._ask_to_stop()
        except KeyboardInterrupt:
            self._ask_to_stop()  # being asked twice, it stops without waiting for jobs, and still saves its state
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def _ask_to_stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait((self.drain + STOP_GRACE).total_seconds())


def start_emulator(
    folder: Path,
    *,
    port: int = USUAL_PORT,
    persist: bool,
    drain: timedelta,
    python: str = sys.executable,
    checks_rights: bool = False,
) -> Emulator:
    """
    Start MiniStack and return once it answers.

    Args:
        folder: Where it keeps its log, its state and its temporary files. Made if need be.
        port: The port to use if nobody has it, else any free one.
        persist: Whether to load the folder's state, and to save it on a clean stop.
        drain: How long a stop waits for invocations that have begun.
        python: The interpreter that has MiniStack. The functions run on this process's own.
        checks_rights: Whether each call needs the right to it, by IAM's policies. The key `test` may do everything.

    Raises:
        StackError: If it ends or stays silent, or something in the folder is somebody else's.
    """
    make_private(folder)
    _clear_temporary_files(folder)
    settings = {"PERSIST_STATE": "1" if persist else "0", "AUTH": "true" if checks_rights else "false"}
    # Two that start at the same moment would find the same port free, and who loses it would take the other's answers
    # for its own emulator's.
    with locked(Path(tempfile.gettempdir()) / f"lanework-emulator-{os.getuid()}.lock"):
        emulator = _launch(
            folder, port if is_free(port) else _any_free_port(), settings=settings, drain=drain, python=python
        )
        try:
            _wait_until_ready(emulator)
        except BaseException:
            emulator.stop()
            raise
    return emulator


def _launch(folder: Path, port: int, *, settings: dict[str, str], drain: timedelta, python: str) -> Emulator:
    if settings["PERSIST_STATE"] == "1":
        move_state(folder / "state", f"http://{HOST}:{port}")
    with os.fdopen(open_private(folder / "emulator.log", os.O_WRONLY | os.O_TRUNC), "wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own file
            [python, "-P", str(SERVER), str(drain.total_seconds()), sys.executable],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**_environment(folder, port), **settings},
            start_new_session=True,
            umask=0o077,
        )
    return Emulator(endpoint=f"http://{HOST}:{port}", folder=folder, drain=drain, process=process)


def move_state(state: Path, origin: str) -> None:
    """
    Make saved state ready to be loaded by an emulator at `origin`, and note that it is there.

    MiniStack finds queues by URLs that hold its port: loaded at another one, its workers get no messages.

    Args:
        state: The emulator's state folder; made if need be.
        origin: Scheme, host and port, such as `http://127.0.0.1:4566`.
    """
    make_private(state)
    note = state / "origin"
    before = note.read_text() if note.is_file() else origin
    if before != origin:
        for file in state.glob("*.json"):
            file.write_text(file.read_text().replace(f"{before}/", f"{origin}/"))
    write_private(note, origin)


def is_free(port: int) -> bool:
    """Tell whether nobody listens at the port of the loopback interface."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_for(condition: Callable[[], bool], *, within: timedelta, what: str) -> None:
    """
    Return as soon as `condition` holds.

    Raises:
        StackError: If it doesn't hold `within` the time; `what` names what was waited for.
    """
    deadline = time.monotonic() + within.total_seconds()
    while not condition():
        if time.monotonic() > deadline:
            problem = f"gave up after {within.total_seconds():g} s waiting for {what}"
            raise StackError(problem)
        time.sleep(POLL_S)


def _wait_until_ready(emulator: Emulator) -> None:
    def is_ready() -> bool:
        emulator.check_alive()
        return answers(emulator.endpoint)

    wait_for(is_ready, within=READY_WITHIN, what=f"the emulator at {emulator.endpoint}, see {emulator.log}")


def _clear_temporary_files(folder: Path) -> None:
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    (folder / "tmp").mkdir(mode=0o700)


def _any_free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind((HOST, 0))
        return int(candidate.getsockname()[1])


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        **clean_environment(),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",  # it would look for containers to remove
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder / "tmp"),
    }
