"""The files of a new project: this repository's template and handlers without the example, and a job to begin with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

from lanework.starter.leave_out import without_example
from lanework.starter.requirements import read_pyproject

PROJECT: Final = Path(__file__).with_name("project")
CHECKOUT: Final = Path(__file__).parents[3]
"""Where the repository's own files are when Lanework runs from a checkout; a wheel has them among PROJECT's."""

DEPLOYED: Final = (
    "template.yaml",
    "handlers/Makefile",
    "handlers/__init__.py",
    "handlers/api.py",
    "handlers/clock.py",
    "handlers/events.py",
    "handlers/stream.py",
    "handlers/worker.py",
    "shared/Makefile",
)
"""What brings a project to AWS: the same in each, so that a newer release can be compared."""

OWN: Final = (
    ".gitignore",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "requirements-dev.txt",
    "samconfig.toml",
    "shared/jobs/__init__.py",
    "shared/jobs/greetings.py",
    "shared/jobs/scenario.py",
    "shared/requirements.txt",
    "tests/test_greetings.py",
)
"""What is the project's own from the beginning."""

LONGEST_NAME: Final = 40
"""Characters; the queues' names are longer by an environment and a lane, and SQS allows 80."""

_APP_OF_OURS: Final = "from jobs import app\n"
"""How this repository's handlers import its application."""


def project_files(name: str) -> dict[str, str]:
    """Return what each file of a new project holds, by its path."""
    return {path: own_file(path, name) for path in (*DEPLOYED, *OWN)}


def deployed_files(app: str | None = None) -> dict[str, str]:
    """
    Return what each of `DEPLOYED` holds in this release.

    Args:
        app: Where the handlers import the application from, as `module:attribute`; None: as this repository's do.
    """
    made = {path: without_example(_original(path).read_text(encoding="utf-8")) for path in DEPLOYED}
    if app is None:
        return made
    module, _, attribute = app.partition(":")
    line = f"from {module} import {attribute}{'' if attribute == 'app' else ' as app'}\n"
    return {path: text.replace(_APP_OF_OURS, line) if path.endswith(".py") else text for path, text in made.items()}


def name_for(folder: Path) -> str:
    """
    Return a project's name that CloudFormation takes as part of a stack's: letters, digits and hyphens.

    It is the one in the folder's pyproject.toml, of [project] or of [tool.poetry], else the folder's own.
    """
    said = read_pyproject(folder)
    tables = (said.get("project", {}), said.get("tool", {}).get("poetry", {}), {"name": folder.name})
    words = re.findall(r"[a-z0-9]+", next(str(one["name"]) for one in tables if "name" in one).lower())
    name = "-".join(words)[:LONGEST_NAME].strip("-")
    return name if re.match("[a-z]", name) else f"jobs-{name}".strip("-")


def own_file(path: str, name: str) -> str:
    """Return one of the files of a project, or below `repository/` of one that had code already."""
    text = without_example(_original(path).read_text(encoding="utf-8"))
    if path == "samconfig.toml":
        text = text.replace("lanework-", f"{name}-")
    return text.replace("@project@", name).replace("@version@", version("lanework"))


def _original(path: str) -> Path:
    packaged = PROJECT / path.removeprefix(".")
    return packaged if packaged.is_file() else CHECKOUT / path
