"""Emulators that several levels of tests share."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from lanework.local.emulator.process import start_emulator
from tests.localstack.differences import told_apart
from tests.support.endpoints import ON_LOCALSTACK
from tests.support.localstack_server import localstack
from tests.support.moto_server import MotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell lets what it starts in the background ignore Ctrl-C, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    if ON_LOCALSTACK:
        items[:], left_out = told_apart(items)
        config.hook.pytest_deselected(items=left_out)


FIRST = ("tests/unit/proof/", "tests/contract/test_proof_on_moto.py", "tests/e2e/", "tests/integration/")
"""What takes longest, in its order: begun last, it would go on alone."""


def _place(item: pytest.Item) -> int:
    return next((place for place, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST))


@pytest.fixture(scope="session")
def moto_endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    if ON_LOCALSTACK:
        yield request.getfixturevalue("localstack_endpoint")
        return
    server = MotoServer()
    server.start()
    yield server.endpoint
    server.stop()


@pytest.fixture(scope="session")
def ministack_endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if ON_LOCALSTACK:
        yield request.getfixturevalue("localstack_endpoint")
        return
    folder = tmp_path_factory.mktemp("ministack")
    emulator = start_emulator(folder, persist=False, drain=timedelta(0))
    yield emulator.endpoint
    emulator.stop()


@pytest.fixture(scope="session")
def localstack_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with localstack(tmp_path_factory.mktemp("localstack")) as endpoint:
        yield endpoint
