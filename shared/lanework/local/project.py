"""Where a Lanework project keeps its template, its functions and their code."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanework.embedded import HOME
from lanework.errors import ConfigError, StackError, did_you_mean
from lanework.local.deployment.layer_files import layer_files, on_path
from lanework.local.project_config import FILE, ProjectConfig, read_config

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = "template.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """
    A folder with a pyproject.toml that has a `[tool.lanework]`.

    Attributes:
        root: The folder, absolute.
        config: What the table says.
    """

    root: Path
    config: ProjectConfig = field(default_factory=ProjectConfig)

    @property
    def folder(self) -> Path:
        """Where the template lies, and what is named by it."""
        return self.root / self.config.folder

    @property
    def template(self) -> Path:
        """The SAM template."""
        return self.folder / TEMPLATE

    @property
    def handlers(self) -> Path:
        """The functions' entry points; packaged with their folder's name kept."""
        return self.folder / "handlers"

    @property
    def shared(self) -> Path:
        """The layer's folder, with its Makefile and its requirements; it may hold the code, too."""
        return self.folder / "shared"

    @property
    def home(self) -> Path:
        """The git-ignored folder where the embedded stack keeps its state, log and handle: its user's alone."""
        return self.root / HOME

    @property
    def sources(self) -> tuple[Path, ...]:
        """
        Folders of packages and modules, and packages: what the layer holds. None if shared/ isn't there, unsaid.

        Raises:
            ConfigError: One of `[tool.lanework] src` isn't there.
        """
        if "src" not in self.config.model_fields_set and not self.shared.is_dir():
            return ()
        found = {one: (self.root / one).resolve() for one in self.config.src}
        for name, source in found.items():
            if not source.is_dir():
                there = [one.name for one in self.root.iterdir() if one.is_dir() and not one.name.startswith(".")]
                msg = f"[tool.lanework] src in {self.root / FILE} names {name!r}, which isn't there"
                raise ConfigError(msg + did_you_mean(name, there))
        return tuple(found.values())

    @property
    def layer_files(self) -> dict[Path, Path]:
        """The files of the layer beside what is installed into it, by their paths there; errors as of `sources`."""
        return layer_files(self.sources, demo=self.config.demo)

    @property
    def path(self) -> tuple[Path, ...]:
        """What is to be on `sys.path` for the project's code: its own folder if no other; errors as of `sources`."""
        return tuple(dict.fromkeys(on_path(one) for one in self.sources)) or (self.root,)

    def shown(self, file: Path) -> str:
        """Return a file's path relative to the project's folder, as its user would write it."""
        return os.path.relpath(file, self.root)


def project_at(root: Path) -> Project:
    """
    Return the project whose pyproject.toml lies in a folder; what it doesn't say is the default.

    Raises:
        ConfigError: The file can't be read or used.
    """
    return Project(root=root.resolve(), config=read_config(root / FILE) or ProjectConfig())


def find_project(start: Path) -> Project:
    """
    Return the project that `start` lies in: the nearest folder upwards whose pyproject.toml has a `[tool.lanework]`.

    Raises:
        StackError: There is none.
        ConfigError: Its pyproject.toml can't be read or used.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        config = read_config(folder / FILE)
        if config is not None:
            return Project(root=folder, config=config)
    problem = f"no Lanework project at {start} or above: looked for a {FILE} with [tool.lanework]; try: lanework init"
    raise StackError(problem)


def find_deployable(start: Path) -> Project:
    """
    Return the project that `start` lies in, which is one with a template: a worker's image has the code alone.

    Raises:
        StackError: There is none, or it has no template.
        ConfigError: Its pyproject.toml can't be read or used.
    """
    project = find_project(start)
    if not project.template.is_file():
        problem = f"{project.template} is missing, where [tool.lanework] has it; try: lanework init"
        raise StackError(problem)
    return project
