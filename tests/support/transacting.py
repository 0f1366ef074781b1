"""
A producer that writes an order and its job in one transaction, and is killed now and then between commit and send.

Arguments: endpoint, stack, table of the orders, how many, and every how many committed orders a process ends by SIGKILL
before it sends the message. Another process goes on with the next order: nobody repeats the one that was cut off. An
order whose number is odd can't be written, since it exists: its condition fails.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from lanework import App, ItemConditionError, Jobs
from lanework.settings import Settings
from lanework.wiring import aws_ports

REGION = "eu-west-1"


class Order(BaseModel):
    """Payload: which order."""

    id: str


family = Jobs(queue="orders", lane="high")
shipped: list[str] = []


@family.job("order.ship")
def ship(order: Order) -> None:
    """Note that it ran."""
    shipped.append(order.id)


app = App(family)


class Mortal:
    """Lanes whose process is killed before every so many messages."""

    def __init__(self, lanes: Any, every: int, sent: int) -> None:
        self._lanes, self._every, self._sent = lanes, every, sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lanes, name)

    def send(self, *arguments: Any) -> None:
        """Send, or end here."""
        self._sent += 1
        if self._sent % self._every == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._lanes.send(*arguments)


def produce(endpoint: str, stack: str, table: str, numbers: range, every: int) -> None:
    """Place orders, from a number on, and say which were placed."""
    ports = aws_ports(Settings(stack=stack, region=REGION, endpoint=endpoint))
    app.use(replace(ports, lanes=Mortal(ports.lanes, every, sent=numbers.start // 2)))
    for number in numbers:
        order = f"order-{number}"
        os.write(1, f"{number}\n".encode())
        item = {"id": order, "state": "placed"}
        put = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
        try:
            app.enqueue_with(ship.request(Order(id=order), job_id=f"ship-{number}"), items=[{"Put": put}])
        except ItemConditionError as error:
            if error.index != 0 or number % 2 == 0:
                raise


def main(endpoint: str, stack: str, table: str, count: int, every: int) -> None:
    """Let one process after the other go on where the one before it was killed; say at the end how many were."""
    start, killed = 0, 0
    while start < count:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(write, 1)
            produce(endpoint, stack, table, range(start, count), every)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as lines:
            start = int(lines.read().split()[-1]) + 1
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
        elif os.waitstatus_to_exitcode(status) != 0:
            sys.exit(1)
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
