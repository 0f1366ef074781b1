"""A project of somebody who installed the wheel: its commands, in an environment that holds what they installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.local.emulator.process import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
UP = "up at http://127.0.0.1:"
SOON = timedelta(seconds=240)


def environment(wheels: Path) -> dict[str, str]:
    """
    Return the environment of a user whose home is empty, and who has no stack; installers find the wheel.

    Their caches and pip's configuration are this machine's: they decide how long an installation takes, and from where.
    """
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "LANEWORK_", "PYTHON", "MAKE", "MFLAGS", "VIRTUAL_ENV", "XDG_"))
    }
    home = wheels.parent / "home"
    home.mkdir(exist_ok=True)
    ours = {
        "UV_CACHE_DIR": Path.home() / ".cache" / "uv",
        "PIP_CACHE_DIR": Path.home() / ".cache" / "pip",
        "PIP_CONFIG_FILE": Path.home() / ".config" / "pip" / "pip.conf",
    }
    kept = {name: str(path) for name, path in ours.items() if path.exists()}
    links = {"PIP_FIND_LINKS": str(wheels), "UV_FIND_LINKS": str(wheels)}
    return {**kept, **mine, **links, "HOME": str(home), "COLUMNS": "200"}


@dataclass(frozen=True, slots=True)
class Adopter:
    """
    A project in a folder of its own.

    Attributes:
        root: The folder.
        venv: The virtual environment in which Lanework is installed.
        environment: What its commands see.
    """

    root: Path
    venv: Path
    environment: dict[str, str]

    @property
    def lanework(self) -> str:
        return str(self.venv / "bin" / "lanework")

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SOON.total_seconds(),
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextmanager
    def dev(self, *command: str) -> Iterator[Path]:
        """Run a command that keeps a stack up while a block lasts; give the file that it writes to."""
        said = self.root / ".lanework" / "dev.out"
        said.parent.mkdir(exist_ok=True)
        with said.open("w") as file:
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdout=file, stderr=file, start_new_session=True
            )
        try:
            wait_for(lambda: process.poll() is not None or UP in said.read_text(), within=SOON, what=" ".join(command))
            assert process.poll() is None, said.read_text()
            yield said
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.wait(SOON.total_seconds())
