"""What a project's settings say of Lanework."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from django.conf import settings

from lanework import App, ConfigError
from lanework.errors import did_you_mean

APP: Final = "lanework.django:app"


def project_app() -> App:
    """
    Return the application that LANEWORK_APP names, `module:attribute`; `lanework.django:app` if nothing is said.

    Raises:
        ConfigError: There is none.
    """
    named = str(getattr(settings, "LANEWORK_APP", APP))
    module, _, attribute = named.partition(":")
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError as error:
        msg = f"LANEWORK_APP names {named!r}: {error}"
        raise ConfigError(msg) from error
    if not isinstance(found, App):
        msg = f"LANEWORK_APP names {named!r}, which is no App: write it as 'website.jobs:app', or leave it out"
        raise ConfigError(msg)
    return found


def outbox_database() -> str | None:
    """
    Return the database in whose outbox tasks and mail are written, as LANEWORK_OUTBOX says; None: they are sent.

    Raises:
        ConfigError: There is no such database.
    """
    database = getattr(settings, "LANEWORK_OUTBOX", None)
    if database is not None and database not in settings.DATABASES:
        msg = f"LANEWORK_OUTBOX names the database {database!r}{did_you_mean(database, settings.DATABASES)}"
        raise ConfigError(msg)
    return database
