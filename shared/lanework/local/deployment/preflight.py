"""Tries a project's code before it is deployed, so that a mistake in an edited file doesn't stop the workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanework.errors import StackError
from lanework.local.deployment.package import check_syntax
from lanework.local.deployment.template import functions
from lanework.local.emulator.subprocess_env import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.local.project import Project

IMPORT_WITHIN = timedelta(seconds=30)
SCRIPT = Path(__file__).with_name("import_check.py")


def try_code(project: Project, template: dict[str, Any], known: Mapping[str, str]) -> None:
    """
    Compile all of the project's code, then import its handlers as a function would, in a process of its own.

    Args:
        template: Names the handlers and their environment variables.
        known: What the template's parameters and pseudo parameters are, by name.

    Raises:
        StackError: With file, line and problem of the first mistake.
    """
    for folder in (project.handlers, *project.sources):
        check_syntax(folder)
    declared = functions(template)
    variables = {name: value for one in declared for name, value in one["Environment"]["Variables"].items()}
    environ = {
        **clean_environment(),
        **{name: _value(value, known) for name, value in variables.items()},
        "AWS_REGION": known["AWS::Region"],
        "AWS_DEFAULT_REGION": known["AWS::Region"],
        "PYTHONPATH": os.pathsep.join(map(str, (*project.path, project.folder))),
    }
    _try_imports(sorted({one["Handler"].rpartition(".")[0] for one in declared}), environ, project.root)


def _try_imports(modules: list[str], environ: dict[str, str], folder: Path) -> None:
    try:
        trial = subprocess.run(  # noqa: S603 - our own interpreter, our own file
            [sys.executable, "-P", "-B", str(SCRIPT), *modules],
            env=environ,
            cwd=folder,
            timeout=IMPORT_WITHIN.total_seconds(),
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        problem = f"importing {', '.join(modules)} took longer than {IMPORT_WITHIN.seconds} s"
        raise StackError(problem) from error
    if trial.returncode != 0:
        said = trial.stderr.strip().splitlines()
        raise StackError(said[-1] if said else f"importing {', '.join(modules)} ended with {trial.returncode}")


def _value(declared: object, known: Mapping[str, str]) -> str:
    """Return what a variable will hold, or something of its kind: a table's logical id will do for its name."""
    match declared:
        case {"Ref": str(name)}:
            return known.get(name, name)
        case {"Fn::Sub": str(pattern)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[1]), pattern)
        case str() | int() | float():
            return str(declared)
        case _:
            return ""
