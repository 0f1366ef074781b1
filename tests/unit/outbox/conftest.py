from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, create_engine

from lanework.outbox import Outbox
from tests.support.databases import with_savepoints
from tests.support.mail_shop import MailShop, a_mail_shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="shop")
def a_shop() -> MailShop:
    return a_mail_shop()


@pytest.fixture(name="outbox")
def an_outbox(shop: MailShop) -> Outbox:
    return Outbox(shop.app)


@pytest.fixture(name="database")
def a_database(tmp_path: Path) -> str:
    """The path of a database without a table."""
    return str(tmp_path / "shop.db")


@pytest.fixture(name="empty")
def an_empty_engine(database: str) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{database}")
    with_savepoints(engine)
    yield engine
    engine.dispose()


@pytest.fixture(name="engine")
def an_engine(empty: Engine, outbox: Outbox) -> Engine:
    """SQLite, with the table."""
    outbox.table.create(empty)
    return empty
