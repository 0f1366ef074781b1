"""`lanework outbox` on SQLite, beside a stack on moto's server."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine

from lanework import App, ConfigError, InvalidOptionError, Jobs, State
from lanework.errors import NothingMatchesError
from lanework.outbox import Outbox
from lanework.settings import Settings
from lanework.testing import Clock, app_in_memory
from lanework.wiring import aws_ports, utc_now
from tests.support.commands import said

family = Jobs(queue="gone")


class Order(BaseModel):
    """Payload of both."""

    order_id: str = "order-1"


@family.job("demo.gone")
def gone(_: Order) -> None: ...


@family.job("demo.doomed")
def doomed(_: Order) -> None: ...


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database, which the environment names, too."""
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    monkeypatch.setenv("LANEWORK_DATABASE_URL", address)
    return address


@pytest.fixture
def crashed(address: str) -> None:
    """Two rows whose writer died an hour ago; of one the type is gone since."""
    said("outbox", "create")
    engine = create_engine(address)
    writer = app_in_memory(App(family), Clock(utc_now() - timedelta(hours=1)))
    with engine.begin() as connection:
        requests = [writer.request(one, {}, job_id=one) for one in ("demo.gone", "demo.doomed")]
        Outbox(writer).enqueue_many(connection, requests)
    engine.dispose()


@pytest.mark.usefixtures("stack", "crashed")
def test_the_relay_sends_what_can_be_sent_and_the_list_says_of_the_rest_why(capsys: pytest.CaptureFixture[str]) -> None:
    relayed = said("outbox", "relay", "--once")
    assert "1 sent, 1 kept: `lanework outbox list` says why" in relayed + capsys.readouterr().err
    app = App()
    app.use(aws_ports(Settings.from_env()))
    assert State.QUEUED is app.get("demo.doomed").state

    (row,) = json.loads(said("outbox", "list", "--json"))
    assert ("demo.gone", 1) == (row["jobId"], row["failures"])
    assert row["reason"].startswith("unknown job type 'demo.gone'")
    assert "demo.gone" in said("outbox", "list")
    assert "1 due now" in said("outbox", "retry")
    assert "1 due now" in said("outbox", "retry", "demo.gone")
    assert "1 dropped" in said("outbox", "drop", "demo.gone", "--yes")
    assert "nothing waits" in said("outbox", "list")
    for command in (("retry", "demo.gone"), ("drop", "demo.gone", "--yes")):
        with pytest.raises(NothingMatchesError, match=r"no row of job 'demo\.gone' in lanework_outbox"):
            said("outbox", *command)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nosuch://db/shop", "Can't load plugin: sqlalchemy.dialects:nosuch.*; write it as postgresql"),
        ("sqlite+aiosqlite:///shop.db", "aiosqlite is an asynchronous driver: give a synchronous one"),
    ],
)
def test_an_address_that_can_not_be_used_is_refused_with_one_that_can(address: str, why: str) -> None:
    with pytest.raises(InvalidOptionError, match=why):
        said("outbox", "list", "--database-url", address)


def test_without_an_address_it_says_how_to_give_one() -> None:
    with pytest.raises(InvalidOptionError, match="give --database-url, or set LANEWORK_DATABASE_URL; write it as"):
        said("outbox", "list")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("oracle+oracledb://db/shop", "No module named 'oracledb': install the database's driver"),
        ("postgresql+psycopg://shop:secret@127.0.0.1:1/shop", r"the database at .*shop:\*\*\*@.*onnection"),
        ("sqlite://", "there is no table lanework_outbox in sqlite://: make it by a migration"),
    ],
)
def test_a_database_that_is_not_as_it_should_be_is_named_without_its_password(address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        said("outbox", "list", "--database-url", address)
