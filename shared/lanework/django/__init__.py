"""
Lanework for Django projects: name it in `INSTALLED_APPS`. Everything here needs the extra `django`.

- `app`: the application of all tasks of the project, and of its mail; it sets up Django. Made at its first use.
- `families`: what is in it, for an `App(…)` with jobs of its own.
- `DatabaseConnections`: the middleware of such an `App`.
- `job_options`: Lanework's options of a task where `@task` takes none, as in Django 6.0.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lanework import App
    from lanework.django.application import families
    from lanework.django.connections import DatabaseConnections, healthy_connections
    from lanework.django.framework import job_options

    app: App

_LOADED_AT_FIRST_USE: Final = {
    "DatabaseConnections": "connections",
    "families": "application",
    "healthy_connections": "connections",
    "job_options": "framework",
}

__all__ = ["DatabaseConnections", "app", "families", "healthy_connections", "job_options"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - TYPE_CHECKING above has the types
    """
    Load a name at its first use: Django imports this package before it is set up.

    Raises:
        AttributeError: There is no such name.
        ConfigError, DeclarationError: Of `app`, as `application` raises them.
    """
    if name == "app":
        globals()["app"] = import_module("lanework.django.application").application()
        return globals()["app"]
    if name not in _LOADED_AT_FIRST_USE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"lanework.django.{_LOADED_AT_FIRST_USE[name]}"), name)
