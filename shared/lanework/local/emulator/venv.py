"""
The interpreter that the emulator runs on: of an environment of its own, made when it is first needed.

MiniStack pins botocore, and a project's environment shouldn't have to follow. Where MiniStack is installed beside
Lanework all the same, as in Lanework's own repository, it runs from there.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from importlib.metadata import requires
from typing import TYPE_CHECKING, Final

from lanework.errors import StackError
from lanework.local.emulator.private_files import make_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER: Final = "emulator"
MADE_OF: Final = "made-of.txt"
"""Written last, so that what was interrupted is made again; holds what the environment was made of."""


def emulator_python(home: Path, report: Callable[[str], None] = lambda _: None) -> str:
    """
    Return the interpreter to start the emulator with.

    Args:
        home: The project's folder for what the embedded stack keeps; the environment is made below it.
        report: Called with a line when something takes long.

    Raises:
        StackError: The environment can't be made, with what pip says.
    """
    if importlib.util.find_spec("ministack") is not None:
        return sys.executable
    folder, wanted = home / FOLDER, _requirements()
    python = folder / "bin" / "python"
    made_of = folder / MADE_OF
    if python.exists() and made_of.is_file() and made_of.read_text() == "\n".join(wanted):
        return str(python)
    report(f"making the emulator's own environment, once: {', '.join(wanted)} …")
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    made_of.write_text("\n".join(wanted))
    make_private(folder)
    return str(python)


def _requirements() -> list[str]:
    """Return what this release's extra `emulator` names."""
    declared = (one.partition(";") for one in requires("lanework") or [])
    return sorted(name.strip() for name, _, marker in declared if marker.replace('"', "'").endswith("== 'emulator'"))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o077)  # noqa: S603 - our own words
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        problem = f"can't make the emulator's environment: {said[-1] if said else f'exit code {done.returncode}'}"
        raise StackError(problem)
