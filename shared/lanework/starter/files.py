"""The files of a new project: this repository's template and handlers without the example, and a job to begin with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

from lanework.starter.leave_out import without_example

PROJECT: Final = Path(__file__).with_name("project")
CHECKOUT: Final = Path(__file__).parents[3]
"""Where the repository's own files are when Lanework runs from a checkout; a wheel has them among PROJECT's."""

DEPLOYED: Final = (
    "template.yaml",
    "handlers/Makefile",
    "handlers/__init__.py",
    "handlers/api.py",
    "handlers/clock.py",
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


def project_files(name: str) -> dict[str, str]:
    """Return what each file of a new project holds, by its path."""
    return {path: _content(path, name) for path in (*DEPLOYED, *OWN)}


def deployed_files() -> dict[str, str]:
    """Return what each of `DEPLOYED` holds in this release."""
    return {path: without_example(_original(path).read_text(encoding="utf-8")) for path in DEPLOYED}


def name_for(folder: Path) -> str:
    """Return a project's name that CloudFormation takes as part of a stack's: letters, digits and hyphens."""
    words = re.findall(r"[a-z0-9]+", folder.name.lower())
    name = "-".join(words)[:LONGEST_NAME].strip("-")
    return name if re.match("[a-z]", name) else f"jobs-{name}".strip("-")


def _content(path: str, name: str) -> str:
    text = without_example(_original(path).read_text(encoding="utf-8"))
    if path == "samconfig.toml":
        text = text.replace("lanework-", f"{name}-")
    return text.replace("@project@", name).replace("@version@", version("lanework"))


def _original(path: str) -> Path:
    packaged = PROJECT / path.removeprefix(".")
    return packaged if packaged.is_file() else CHECKOUT / path
