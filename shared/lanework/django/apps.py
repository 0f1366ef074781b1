"""Lanework as an application of Django's: `INSTALLED_APPS = ["lanework.django", …]`."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from django.apps import AppConfig


class LaneworkConfig(AppConfig):
    """Its label is `lanework`: that of its tables, migrations and commands."""

    name = "lanework.django"
    label = "lanework"
    verbose_name = "Lanework"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let `manage.py check` look at TASKS also where no view has imported the framework."""
        with suppress(ImportError):  # Django 5.2 has none, and django-tasks is in INSTALLED_APPS itself
            import_module("django.tasks")
