"""
The processes of the outbox's proof, which are to be killed, and the one that is AWS (moto's server).

One process has loaded everything, and forks a writer or a relay for each line on its stdin. Writers save orders, each
with a job, and roll half of them back in one of several ways. Some processes kill themselves at a port call: between
commit and send, between a job's record and its message, between send and deletion.

Lanework's clock runs ten times as fast in all of them: what a killed relay had claimed is due after six seconds.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel
from sqlalchemy import Engine, Sequence, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lanework import App, Jobs, Run
from lanework.outbox import Outbox
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.moto_server import MotoServer
from tests.support.stacks import REGION

STACK: Final = "proof"
ACCOUNT: Final = "000000000000"
SPEED: Final = 10
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
RISK: Final = {"writer": 0.02, "relay": 0.15}
"""How likely it is that a process kills itself, at each of the places."""

PLACES: Final = ("before put", "after put", "before send", "after send")
"""Where the first writers die, each at one and nowhere else: after a commit, beside the record, beside the message."""


class Base(DeclarativeBase): ...


class Order(Base):
    """An order, with the id of its job, which was written in the same transaction."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str]


class Confirmation(BaseModel):
    """Payload."""

    order_id: int


family = Jobs(queue="orders", lane="high")
ran: list[tuple[int, str]] = []


@family.job("order.confirm")
def confirm(confirmation: Confirmation, run: Run) -> None:
    """Note which order was confirmed, by which job."""
    ran.append((confirmation.order_id, run.job_id))


app = App(family)
outbox = Outbox(app, metadata=Base.metadata)
numbers = Sequence("transactions", metadata=Base.metadata)


class Mortal:
    """A port at some of whose calls its process dies, before or after they are done; it notes where."""

    def __init__(self, port: Any, role: str, notes: Path, calls: set[str], fate: str) -> None:
        self._port, self._role, self._notes, self._calls, self._fate = port, role, notes, calls, fate

    def __getattr__(self, name: str) -> Any:
        behind = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._perhaps_die(f"before {name}")
            answer = behind(*args, **kwargs)
            self._perhaps_die(f"after {name}")
            return answer

        return call if name in self._calls else behind

    def _perhaps_die(self, where: str) -> None:
        dies = where == self._fate if self._fate else random.random() < RISK[self._role]  # noqa: S311 - no secret
        if dies:
            with self._notes.open("a") as file:
                file.write(f"{self._role} {where}\n")
            os.kill(os.getpid(), signal.SIGKILL)


def fast() -> datetime:
    """Return the time by a clock that runs fast, in whole milliseconds."""
    return BEGINNING + timedelta(milliseconds=int((datetime.now(UTC) - BEGINNING).total_seconds() * 1000) * SPEED)


def enter(role: str, endpoint: str, notes: Path, fate: str = "") -> None:
    """Let the application be on the stack; in a writer or a relay it may die there, and surely where its fate is."""
    ports = aws_ports(Settings(stack=STACK, region=REGION, endpoint=endpoint, account=ACCOUNT))
    if role in RISK:
        ledger = Mortal(ports.ledger, role, notes, {"put", "put_many"}, fate)
        lanes = Mortal(ports.lanes, role, notes, {"send", "send_many"}, fate)
        ports = replace(ports, ledger=cast("Any", ledger), lanes=cast("Any", lanes))
    app.use(replace(ports, clock=fast))


def write(engine: Engine, most: int) -> None:
    """Run transactions until there were enough of all writers together; the even ones are committed."""
    while True:
        with Session(engine) as session:
            number = session.scalar(select(numbers.next_value())) or 0
            if number > most:
                return
            with suppress(ZeroDivisionError):
                _transaction(session, number)


def _transaction(session: Session, number: int) -> None:
    def save(order_id: int) -> None:
        receipt = outbox.enqueue(session, confirm.request({"order_id": order_id}))
        session.add(Order(id=order_id, job_id=receipt.job_id))
        session.flush()

    match number % 8:
        case 1:
            save(number)
            session.rollback()
        case 3:
            save(number)  # and the session is closed
        case 5:
            save(number)
            raise ZeroDivisionError
        case 7:
            with session.begin_nested() as savepoint:
                save(number)
                savepoint.rollback()
            session.commit()
        case 2:
            with session.begin_nested():
                save(number)
            session.commit()
        case _:
            save(number)
            session.commit()


def relay(engine: Engine) -> None:
    """Relay until killed."""
    while True:
        outbox.relay(engine)
        time.sleep(0.2)


def nursery(address: str, endpoint: str, notes: str, most: str) -> None:
    """Fork a process for each line on stdin, and say its id; when stdin ends, so do they."""
    children: list[int] = []
    for line in sys.stdin:
        role, parent = line.strip(), os.getpid()
        pid = os.fork()
        if pid == 0:
            random.seed(os.urandom(8))
            fates = dict(enumerate(PLACES)) if role == "writer" else {}
            enter(role, endpoint, Path(notes), fates.get(len(children), ""))
            engine = create_engine(address, pool_size=2)
            write(engine, int(most)) if role == "writer" else relay(engine)
            os._exit(0 if os.getppid() == parent else 1)
        children.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in children:
        with suppress(ProcessLookupError, ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                os.kill(pid, signal.SIGKILL)


def aws() -> None:
    """Be AWS until stdin ends; say the endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = MotoServer()
    server.start()
    sys.stdout.write(f"{server.endpoint}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    aws() if sys.argv[1] == "aws" else nursery(*sys.argv[2:])
