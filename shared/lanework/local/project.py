"""Where a Lanework project keeps what the embedded stack needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lanework.embedded import HOME
from lanework.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = "template.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """
    A folder that holds a template, its functions and their shared code.

    Attributes:
        root: The folder, absolute.
    """

    root: Path

    @property
    def template(self) -> Path:
        """The SAM template."""
        return self.root / TEMPLATE

    @property
    def handlers(self) -> Path:
        """The functions' entry points; packaged with their folder's name kept."""
        return self.root / "handlers"

    @property
    def shared(self) -> Path:
        """The layer's code; on sys.path in every function."""
        return self.root / "shared"

    @property
    def home(self) -> Path:
        """The git-ignored folder where the embedded stack keeps its state, log and handle: its user's alone."""
        return self.root / HOME


def find_project(start: Path) -> Project:
    """
    Return the project that `start` lies in: the nearest folder upwards with a template, handlers/ and shared/.

    Raises:
        StackError: If there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        project = Project(root=folder)
        if project.template.is_file() and project.handlers.is_dir() and project.shared.is_dir():
            return project
    problem = f"no Lanework project at {start} or above: looked for a folder with {TEMPLATE}, handlers/ and shared/"
    raise StackError(problem)
