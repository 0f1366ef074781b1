"""Finds and imports a project's own application, as `[tool.lanework]` in its pyproject.toml names it."""

from __future__ import annotations

import importlib
import sys
import tomllib
from typing import TYPE_CHECKING

from lanework.app import App
from lanework.errors import ConfigError

if TYPE_CHECKING:
    from lanework.local.project import Project

_EXAMPLE = {"app": "jobs:app", "demo": "jobs.scenario:scenario"}


def load_app(project: Project) -> App:
    """
    Import the project's application.

    Raises:
        ConfigError: pyproject.toml names none, or what it names can't be imported or isn't an App.
    """
    found = load_named(project, "app")
    if not isinstance(found, App):
        msg = f"[tool.lanework] app in {project.root / 'pyproject.toml'} names a {type(found).__name__}, not an App"
        raise ConfigError(msg)
    return found


def load_named(project: Project, key: str) -> object:
    """
    Import what `[tool.lanework]` names under a key, as `module:attribute`.

    Raises:
        ConfigError: There is no such entry, module or attribute.
    """
    file = project.root / "pyproject.toml"
    try:
        entry = tomllib.loads(file.read_text()).get("tool", {}).get("lanework", {}).get(key)
    except (OSError, tomllib.TOMLDecodeError) as error:
        msg = f"can't read {file}: {error}"
        raise ConfigError(msg) from error
    if not isinstance(entry, str) or ":" not in entry:
        msg = f'{file} must say, under [tool.lanework], {key} = "module:attribute", such as "{_EXAMPLE[key]}"'
        raise ConfigError(msg)
    module, _, attribute = entry.partition(":")
    for folder in (str(project.root), str(project.shared)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module), attribute)
    except SyntaxError as error:
        msg = f"{error.filename}:{error.lineno}: {error.msg}"
        raise ConfigError(msg) from error
    except (ImportError, AttributeError) as error:
        msg = f"[tool.lanework] {key} = {entry!r} can't be imported: {error}"
        raise ConfigError(msg) from error
