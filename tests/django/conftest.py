"""A Django project that is set up once, on SQLite and a PostgreSQL; its jobs run in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import django
import pytest

from lanework.testing import Clock, app_in_memory
from tests.support.django_projects import DATABASES
from tests.support.postgresql import postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lanework import App

collect_ignore = [
    *(["test_djangos_own_suite.py"] if django.VERSION < (6,) else []),  # django-tasks is published without its tests
    *(["test_since_61.py", "test_tutorial.py", "test_worker.py"] if django.VERSION < (6, 1) else []),  # stacks: once
]


@pytest.fixture(scope="session", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    with postgresql() as address:
        os.environ["TEST_FOLDER"] = str(folder)
        os.environ["TEST_PORT"] = str(urlsplit(address).port)
        os.environ["DJANGO_SETTINGS_MODULE"] = "website.settings"
        from django.core.management import call_command  # noqa: PLC0415 - its settings are known from here on
        from django.db import connections  # noqa: PLC0415 - as above

        django.setup()
        for database in DATABASES:
            call_command("migrate", database=database, run_syncdb=True, verbosity=0)
        yield folder
        connections.close_all()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> App:
    """The project's application, in memory; nothing has run yet."""
    from shop.tasks import RAN  # noqa: PLC0415 - Django is set up by now

    from lanework.django import app as found  # noqa: PLC0415 - as above

    RAN.clear()
    return app_in_memory(found, clock)


@pytest.fixture
def server(project: Path) -> Iterator[Any]:  # noqa: ARG001 - is set up
    """A connection to PostgreSQL that is no job's."""
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    connections.close_all()
    own = connections.create_connection("postgresql")
    yield own
    own.close()
