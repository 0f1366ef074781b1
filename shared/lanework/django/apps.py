"""Lanework as an application of Django's: `INSTALLED_APPS = ["lanework.django", …]`."""

from __future__ import annotations

from django.apps import AppConfig


class LaneworkConfig(AppConfig):
    """Its label is `lanework`: that of its tables, migrations and commands."""

    name = "lanework.django"
    label = "lanework"
    verbose_name = "Lanework"
    default_auto_field = "django.db.models.BigAutoField"
