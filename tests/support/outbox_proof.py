"""
The proof of the outbox: writers and relays are killed with SIGKILL all the time; what was committed runs, exactly once.

`python -m tests.support.outbox_proof 10000` prints what became of so many transactions on a PostgreSQL of its own; exit
code 1 if anything is wrong. tests/support/outbox_processes.py has the processes.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import boto3
from sqlalchemy import Engine, create_engine, func, select, text

from lanework.engine.execution.attempt import in_order
from lanework.engine.messaging.delivery import Delivery, Nack
from lanework.local.emulator.process import wait_for
from lanework.model.lanes import LANES, Lane
from tests.support.outbox_processes import ACCOUNT, PLACES, STACK, Base, Order, app, enter, outbox, ran
from tests.support.postgresql import postgresql
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WRITERS, RELAYS = 4, 3


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of the processes, for as long as the block."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.support.outbox_processes", *words]
    errors = (
        subprocess.DEVNULL if words[0] == "aws" else None
    )  # moto writes a traceback of each statement it can't read
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)  # type: ignore[call-overload]
    try:
        yield running
    finally:
        running.communicate(timeout=30)  # its stdin ends, and so does it


@dataclass(slots=True)
class Processes:
    """
    Writers and relays, each of which is begun anew when it was killed.

    Attributes:
        killed: How many were killed at random.
    """

    nursery: subprocess.Popen[str]
    living: dict[int, str] = field(default_factory=dict)
    killed: int = 0
    begun: Counter[str] = field(default_factory=Counter)

    def begin(self, role: str) -> None:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(f"{role}\n")
        self.nursery.stdin.flush()
        self.living[int(self.nursery.stdout.readline())] = role
        self.begun[role] += 1

    def kill_one(self) -> None:
        pid = random.choice([*self.living])  # noqa: S311 - no secret
        os.kill(pid, signal.SIGKILL)
        self.killed += 1

    def replace_the_dead(self, *, writers: bool) -> None:
        for pid, role in [*self.living.items()]:
            if _is_dead(pid):
                del self.living[pid]
                if role == "relay" or writers:
                    self.begin(role)

    @property
    def writers(self) -> int:
        return sum(role == "writer" for role in self.living.values())


def _is_dead(pid: int) -> bool:
    """Whether a process has ended; the nursery, whose child it is, doesn't ask for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Worker:
    """Runs what is in the lane, in this process, which nobody kills."""

    def __init__(self, endpoint: str) -> None:
        enter("worker", endpoint, Path(os.devnull))
        self._sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
        self._url = f"{endpoint}/{ACCOUNT}/{STACK}-high"
        self._executor = app.runtime.executor(in_order)

    def run(self) -> int:
        """Run what a receive brings; return how much that was."""
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        done: list[Any] = []
        for one in messages:
            delivery = Delivery(body=one["Body"], lane=Lane.HIGH, time_left=LANES[Lane.HIGH].timeout)
            if not isinstance(self._executor.execute(delivery), Nack):
                done.append({"Id": str(len(done)), "ReceiptHandle": one["ReceiptHandle"]})
        if done:
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=done)
        return len(messages)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of the transactions.

    Attributes:
        committed: The orders that are in the database, with the ids of their jobs.
        ran: The orders that jobs ran for, each as often as one did, with the ids of the jobs.
        kills: How many processes were killed, by where.
    """

    transactions: int
    committed: frozenset[tuple[int, str]]
    ran: tuple[tuple[int, str], ...]
    kills: Counter[str]
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether exactly the committed jobs ran, each once."""
        return len(self.ran) == len(set(self.ran)) and set(self.ran) == self.committed

    def __str__(self) -> str:
        of, twice = set(self.ran), sum(times > 1 for times in Counter(self.ran).values())
        lost, wrong = len(self.committed - of), len(of - self.committed)
        kills = ", ".join(f"{count} {where}" for where, count in sorted(self.kills.items()))
        return (
            f"{self.transactions:,} transactions in {self.seconds:.0f} s: {len(self.committed):,} committed, "
            f"{len(of):,} jobs ran; committed and not run: {lost}; run and not committed: {wrong}; run twice: {twice}\n"
            f"{sum(self.kills.values()):,} kills: {kills}"
        )


def prove(transactions: int) -> Outcome:
    """Run so many transactions on a PostgreSQL of its own, and all of their jobs."""
    began = time.monotonic()
    ran.clear()
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with TemporaryDirectory() as folder, postgresql() as plain, process("aws") as aws:
        assert aws.stdout is not None
        endpoint, notes = aws.stdout.readline().strip(), Path(folder) / "notes"
        notes.touch()
        make_stack(STACK, endpoint)
        address = plain.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(address)
        Base.metadata.create_all(engine)
        with process("nursery", address, endpoint, str(notes), str(transactions)) as begun:
            processes = Processes(begun)
            for role, count in (("writer", WRITERS), ("relay", RELAYS)):
                for _ in range(count):
                    processes.begin(role)
            worker = Worker(endpoint)
            _run(engine, worker, processes, transactions, notes)
        with engine.connect() as connection:
            committed = frozenset((one.id, one.job_id) for one in connection.execute(select(Order.id, Order.job_id)))
        engine.dispose()
        kills = Counter(notes.read_text().splitlines())
        kills["anywhere"] = processes.killed
    return Outcome(transactions, committed, tuple(ran), kills, time.monotonic() - began)


def _run(engine: Engine, worker: Worker, processes: Processes, transactions: int, notes: Path) -> None:
    """
    Run jobs until every transaction is over and no row waits.

    Once the first writers have died at their places, one of the processes is killed every two seconds.
    """
    next_kill = time.monotonic()
    idle = 0

    def is_over() -> bool:
        nonlocal next_kill, idle
        is_writing = _taken(engine) < transactions
        processes.replace_the_dead(writers=is_writing)
        is_due = time.monotonic() > next_kill and (is_writing or processes.writers)
        if is_due and {f"writer {place}" for place in PLACES} <= {*notes.read_text().splitlines()}:
            processes.kill_one()
            next_kill = time.monotonic() + 2
        handled = worker.run()
        for _ in range(20):  # not for long: the dead are to be replaced
            handled += worker.run() if handled % 10 == 0 and handled else 0
        idle = 0 if handled or is_writing or processes.writers or _rows(engine) else idle + 1
        return idle > 2

    wait_for(is_over, within=timedelta(seconds=240 + transactions / 5), what="every job that was committed")


def _taken(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT last_value FROM transactions")) or 0


def _rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(outbox.table)) or 0


def main(transactions: str) -> None:
    """Prove, and say what was found."""
    outcome = prove(int(transactions))
    sys.stdout.write(f"{outcome}\n")
    sys.exit(0 if outcome.is_right else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
