"""The application of a Django project: its tasks, and its mail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import django
from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from lanework import App, ConfigError
from lanework.django.connections import DatabaseConnections
from lanework.django.found_tasks import tasks
from lanework.django.task_jobs import declare

if TYPE_CHECKING:
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

    return [mail, *(declare(task, backend.framework).family for task, backend in tasks())]


def _set_up() -> None:
    if apps.ready:
        return
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        msg = "Django has no settings: set DJANGO_SETTINGS_MODULE, in [tool.lanework.environment] for functions"
        raise ConfigError(msg)
    django.setup()
