"""The application of a Django project: its tasks, and its mail."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import django
from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from lanework import App, ConfigError
from lanework.django.connections import DatabaseConnections
from lanework.django.task_backend import LaneworkTasks
from lanework.django.task_jobs import declare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework import Jobs


def application() -> App:
    """
    Return an application of all that `families` finds, Django being set up.

    Raises:
        ConfigError: `DJANGO_SETTINGS_MODULE` isn't set.
        DeclarationError: Two tasks have one name.
    """
    return App(*families(), middleware=[DatabaseConnections()])


def families() -> list[Jobs]:
    """
    Return a family for each task of a Lanework backend, and that of mail, for an `App(…)` with jobs of its own.

    Tasks are found in the modules `tasks` of `INSTALLED_APPS`, and in whatever these, models and `AppConfig.ready`
    import: all that a worker loads.

    Raises:
        ConfigError: `DJANGO_SETTINGS_MODULE` isn't set.
    """
    _set_up()
    autodiscover_modules("tasks")
    from lanework.django.mail import mail  # noqa: PLC0415 - it wants the settings

    return [mail, *(declare(task, backend.framework).family for task, backend in _tasks())]


def _set_up() -> None:
    if apps.ready:
        return
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        msg = "Django has no settings: set DJANGO_SETTINGS_MODULE, in [tool.lanework.environment] for functions"
        raise ConfigError(msg)
    django.setup()


def _tasks() -> Iterator[tuple[Any, LaneworkTasks]]:
    """Yield each task of a Lanework backend in what has been imported, and its backend, in the order of their paths."""
    frameworks = [sys.modules.get(name) for name in ("django.tasks.base", "django_tasks.base")]
    classes = tuple(one.Task for one in frameworks if one is not None)
    found: dict[str, Any] = {}
    for module in [*sys.modules.values()]:
        for value in [*getattr(module, "__dict__", {}).values()]:
            if issubclass(type(value), classes) and (value.module_path not in found or _is_the_one(value)):
                found[value.module_path] = value
    for path in sorted(found):
        backend = found[path].get_backend()
        if isinstance(backend, LaneworkTasks):
            yield found[path], backend


def _is_the_one(task: Any) -> bool:  # noqa: ANN401 - of any framework
    """Tell a task from its variants, as `using` makes them: it is what lies at its function's path."""
    return getattr(sys.modules.get(task.func.__module__), task.func.__qualname__, None) is task
