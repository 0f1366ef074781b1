"""Finds and imports a project's own application, as `[tool.lanework]` in its pyproject.toml names it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from lanework.app import App
from lanework.engine.jobtypes.discover import import_module
from lanework.errors import ConfigError, did_you_mean
from lanework.local.project_config import FILE, ProjectConfig

if TYPE_CHECKING:
    from lanework.local.project import Project


def load_app(project: Project) -> App:
    """
    Import the project's application.

    Raises:
        ConfigError: pyproject.toml names none, or what it names can't be imported or isn't an App.
    """
    found = load_named(project, "app")
    if not isinstance(found, App):
        msg = f"[tool.lanework] app in {project.root / FILE} names a {type(found).__name__}, not an App"
        raise ConfigError(msg)
    return found


def entry_of(project: Project, key: Literal["app", "demo"]) -> str:
    """
    Return what `[tool.lanework]` says under a key, as `module:attribute`.

    Raises:
        ConfigError: It says nothing.
    """
    entry: str | None = getattr(project.config, key)
    if entry is None:
        wanted = ProjectConfig.model_fields[key].description
        msg = f"{project.root / FILE} must say, under [tool.lanework], {key} = {wanted}"
        raise ConfigError(msg)
    return entry


def load_named(project: Project, key: Literal["app", "demo"]) -> object:
    """
    Import what `[tool.lanework]` names under a key, as `module:attribute`.

    Raises:
        ConfigError: There is no such entry or attribute.
        ImportFailedError: The module can't be imported.
    """
    module, _, attribute = entry_of(project, key).partition(":")
    for folder in reversed([str(one) for one in project.path]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    imported = import_module(module, project.sources)
    if not hasattr(imported, attribute):
        msg = f"[tool.lanework] {key} in {project.root / FILE}: {module} has no {attribute!r}"
        raise ConfigError(msg + did_you_mean(attribute, [one for one in vars(imported) if one[0] != "_"]))
    return getattr(imported, attribute)
