"""Emulators that several levels of tests share."""

from __future__ import annotations

import functools
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from lanework.local.emulator.process import start_emulator
from tests.localstack.differences import told_apart
from tests.support.endpoints import ON_LOCALSTACK
from tests.support.localstack_server import localstack
from tests.support.moto_server import MotoServer
from tests.support.rights import UNDER_IAM, to_run_under_iam

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell lets what it starts in the background ignore Ctrl-C, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each session of boto reads the descriptions of all services anew: half of what a test of an adapter computed.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = in_a_good_order(items)
    if ON_LOCALSTACK:
        items[:], left_out = told_apart(items)
        config.hook.pytest_deselected(items=left_out)
    if UNDER_IAM:
        items[:], left_out = to_run_under_iam(items)
        config.hook.pytest_deselected(items=left_out)


LONGEST = ("tests/unit/proof/", "tests/contract/test_p", "tests/e2e/", "tests/integration/", "tests/contract/")
"""What takes longest, in its order: begun last, it would go on alone."""


def in_a_good_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """
    Put tests that wait, for processes and for time, between tests that compute, so that the processors are never idle.

    Whole files are moved, of which each runs in one process. The waiting ones have begun when two thirds of the others
    have.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    longest = sorted((name for name in files if name.startswith(LONGEST)), key=_place)
    others = [name for name in files if name not in longest]
    between = max(1, 2 * len(others) // (3 * len(longest) or 1))
    ordered: list[str] = []
    for number, name in enumerate(longest):
        ordered += [name, *others[number * between : (number + 1) * between]]
    ordered += others[len(longest) * between :]
    return [item for name in ordered for item in files[name]]


def _place(name: str) -> int:
    return next(place for place, path in enumerate(LONGEST) if name.startswith(path))


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
