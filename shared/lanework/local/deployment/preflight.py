"""Tries a project's code before it is deployed, so that a mistake in an edited file doesn't stop the workers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lanework.errors import StackError
from lanework.local.deployment import layer_imports
from lanework.local.deployment.layer_files import code_files
from lanework.local.deployment.layer_packages import files_beside
from lanework.local.deployment.template import functions
from lanework.local.emulator.private_files import locked, make_private, write_private
from lanework.local.emulator.subprocess_env import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lanework.local.project import Project

IMPORT_WITHIN = timedelta(seconds=30)
FOLDER = "tried"


def try_code(project: Project, packages: Path, template: dict[str, Any], known: Mapping[str, str]) -> None:
    """
    Look for what the project's code imports, then import it as functions would, in a process of its own.

    Nothing is there but Python, the project's handlers and layer, and the packages that the functions have.

    Args:
        packages: Those packages' folder, as of `layer_packages`.
        template: Names the functions' environment variables.
        known: What the template's parameters and pseudo parameters are, by name.

    Raises:
        StackError: With file, line and problem of a mistake.
    """
    variables = {name: value for one in functions(template) for name, value in one["Environment"]["Variables"].items()}
    environ = {
        **clean_environment(),
        **{name: _value(value, known) for name, value in variables.items()},
        "AWS_REGION": known["AWS::Region"],
        "AWS_DEFAULT_REGION": known["AWS::Region"],
    }
    home = project.home / FOLDER
    make_private(home)
    with locked(home / ".lock"):
        _try(project, home, packages, environ)


def _try(project: Project, home: Path, packages: Path, environ: dict[str, str]) -> None:
    layer, handlers = files_beside(project, packages), list(code_files(project.handlers))
    _link(layer, home / "layer")
    _link({one.relative_to(project.handlers.parent): one for one in handlers}, home / "functions")
    shown = {str(inside): project.shown(file) for inside, file in layer.items()}
    requirements = project.shown(project.shared / "requirements.txt")
    app = (project.config.app or "").partition(":")[0]
    write_private(home / "listed.json", json.dumps({"files": shown, "requirements": requirements, "app": app}))
    _try_imports(home, packages, environ)


def _link(files: Mapping[Path, Path], folder: Path) -> None:
    """Make a folder one of links to files, at their paths in it; Python's own bytecode may lie beside them."""
    links = {folder / inside: file for inside, file in files.items()}
    for one in sorted(folder.rglob("*"), reverse=True):
        if one.is_symlink():
            if one not in links or one.readlink() != links[one]:
                one.unlink()
        elif one.is_dir() and {inner.name for inner in one.iterdir()} <= {"__pycache__"} and one.name != "__pycache__":
            shutil.rmtree(one)
    for link, file in links.items():
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                link.symlink_to(file)


def _try_imports(home: Path, packages: Path, environ: dict[str, str]) -> None:
    folders = [str(home / "functions"), str(home / "layer"), "--layer", str(packages)]
    try:
        trial = subprocess.run(  # noqa: S603 - our own interpreter, our own file
            [sys.executable, "-I", "-S", layer_imports.__file__, *folders, "--listed", str(home / "listed.json")],
            env=environ,
            cwd=home,
            timeout=IMPORT_WITHIN.total_seconds(),
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        problem = f"importing the project's modules took longer than {IMPORT_WITHIN.seconds} s"
        raise StackError(problem) from error
    if trial.returncode != 0:
        said = trial.stderr.strip().splitlines()
        raise StackError(said[-1] if said else f"importing the project's modules ended with {trial.returncode}")


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
