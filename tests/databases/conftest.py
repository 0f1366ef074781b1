"""Real servers, each started once for all tests, and an outbox with its table on each of them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, create_engine

from lanework.outbox import Outbox
from tests.support.mail_shop import MailShop, a_mail_shop
from tests.support.mariadb import mariadb
from tests.support.postgresql import postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVERS = ("postgresql", "mariadb")


@pytest.fixture(scope="session", name="address_of")
def addresses_of_servers() -> Iterator[Callable[[str], str]]:
    """Start a server at its first use; return its address."""
    known: dict[str, str] = {}
    with ExitStack() as servers:

        def address_of(name: str) -> str:
            if name not in known:
                address = servers.enter_context(postgresql() if name == "postgresql" else mariadb())
                known[name] = address.replace("postgresql://", "postgresql+psycopg://")
            return known[name]

        yield address_of


@pytest.fixture(params=SERVERS, name="address")
def an_address(request: pytest.FixtureRequest, address_of: Callable[[str], str]) -> str:
    return address_of(request.param)


@pytest.fixture(name="shop")
def a_shop() -> MailShop:
    return a_mail_shop()


@pytest.fixture(name="outbox")
def an_outbox(shop: MailShop) -> Outbox:
    return Outbox(shop.app)


@pytest.fixture(name="engine")
def an_engine(address: str, outbox: Outbox) -> Iterator[Engine]:
    """A server, with the table."""
    engine = create_engine(address)
    outbox.table.create(engine)
    yield engine
    outbox.table.drop(engine)
    engine.dispose()
