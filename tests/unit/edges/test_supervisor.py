"""Which problems of a worker process end the worker, and which are waited out."""

import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from mmap import mmap
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn, cast

import pytest

from lanework import State
from lanework.edges.process.beat import Beat
from lanework.edges.process.child import last_beat
from lanework.edges.process.config import Plan
from lanework.edges.process.lease_board import LeaseBoard
from lanework.edges.process.lease_keeper import LeaseKeeper
from lanework.edges.process.supervisor import Parent
from lanework.engine.execution.lease import RunLease
from lanework.engine.ports.bundle import Ports
from lanework.engine.ports.consumer import MessageConsumer
from lanework.errors import ConfigError, CredentialsError, LaneworkError, UnavailableError
from lanework.model.events import Action
from lanework.model.lanes import Lane
from lanework.model.retry.wait import Backoff
from lanework.testing import NOON, Clock, memory_ports
from tests.support.factories import a_record

PLAN = Plan(lanes=(Lane.LOW,), slots=1, is_once=True)
WORKED = Beat(begun=1, ended=1)
AWAY = Beat(problem="no AWS credentials found", may_pass=True)
WRONG = Beat(problem="unknown lane 'hihg'")
CRASH = 1


def live(pipe: int, _: int, lives: list[tuple[Beat, int]], count: Path) -> None:
    """Live the next of these lives: say one thing, and end with an exit code."""
    with count.open("a") as file:
        file.write(".")
    beat, code = lives[len(count.read_text()) - 1]
    Connection(pipe, readable=False).send(beat)
    os._exit(code)


def work(tmp_path: Path, *all_lives: tuple[Beat, int]) -> list[str]:
    """Let a worker with one process go through these lives; return what it said of them."""
    said: list[tuple[Action, str]] = []
    parent = Parent(
        f"{__name__}:live",
        *(list(all_lives), tmp_path / "count"),
        plan=PLAN,
        processes=1,
        keeper=LeaseKeeper(no_stack, lease=timedelta(minutes=1)),
        say=lambda action, reason: said.append((action, reason)),
        again=Backoff(base=timedelta(0)),
    )
    parent.run()
    assert {action for action, _ in said} <= {Action.WORKER_PROCESS_DIED}
    assert len((tmp_path / "count").read_text()) == len(all_lives)
    return [reason.partition(" ")[2].partition(" ")[2] for _, reason in said]


def no_stack() -> NoReturn:
    raise AssertionError


class Stack:
    """
    Where two jobs run, and what becomes of their messages.

    Attributes:
        hidden: For how long each message was hidden.
    """

    def __init__(self) -> None:
        self.ports = memory_ports(Clock())
        self.hidden: dict[str, timedelta] = {}
        for number in (1, 2):
            self.ports.ledger.put(
                a_record(
                    job_id=f"job-{number}", state=State.RUNNING, claim_id=f"claim-{number}", attempts=1, started_at=NOON
                )
            )

    def hide(self, _: Lane, handles: Mapping[str, timedelta]) -> None:
        self.hidden |= handles

    def reach(self) -> tuple[Ports, MessageConsumer]:
        return self.ports, cast("MessageConsumer", self)

    def stands(self, job_id: str) -> tuple[State, int]:
        record = self.ports.ledger.get(job_id)
        assert record is not None
        return record.state, record.attempts


def die_with_one_that_was_claimed_ahead(pipe: int, memory: int, has_died: Path) -> None:
    """Run job-2, hold job-1 ahead of it, and be killed; another one that follows has nothing to do."""
    Connection(pipe, readable=False).send(WORKED)
    if has_died.exists():
        return
    has_died.touch()
    board = LeaseBoard(mmap(memory, 0))
    for number in (1, 2):
        lease = RunLease(job_id=f"job-{number}", claim_id=f"claim-{number}", slots=(), timeout=timedelta(minutes=1))
        board.enter(Lane.LOW, f"handle-{number}", lease)
    board.begin("handle-2")
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_had_claimed_ahead_is_given_back_whole_and_what_it_ran_is_left(tmp_path: Path) -> None:
    stack, said = Stack(), list[str]()
    parent = Parent(
        f"{__name__}:die_with_one_that_was_claimed_ahead",
        tmp_path / "died",
        plan=PLAN,
        processes=1,
        keeper=LeaseKeeper(stack.reach, lease=timedelta(minutes=1)),
        say=lambda _, reason: said.append(reason),
        again=Backoff(base=timedelta(0)),
    )

    parent.run()

    assert "was killed by SIGKILL" in said[0]
    assert (stack.stands("job-1"), stack.stands("job-2")) == ((State.PARKED, 0), (State.RUNNING, 1))
    assert stack.hidden == {"handle-1": timedelta(0)}


def test_a_process_that_is_started_anew_while_the_credentials_are_away_ends_no_worker(tmp_path: Path) -> None:
    """A process crashed while a tool wrote the file of the credentials: the whole worker ended with 1."""
    said = work(tmp_path, (WORKED, CRASH), (AWAY, 0), (AWAY, 0), (WORKED, 0))

    died, away = said
    assert died.startswith("ended with exit code 1")
    assert away == "can't work, and is started again until it can: no AWS credentials found"


@pytest.mark.parametrize(
    "all_lives",
    [[(AWAY, 0)], [(WRONG, 0)], [(WORKED, CRASH), (WRONG, 0)]],
    ids=["no credentials at first", "a wrong setting", "a wrong setting later"],
)
def test_what_no_new_process_cures_ends_the_worker_with_its_text(
    tmp_path: Path, all_lives: list[tuple[Beat, int]]
) -> None:
    problem = all_lives[-1][0].problem
    assert problem is not None

    with pytest.raises(ConfigError, match=problem):
        work(tmp_path, *all_lives)


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (CredentialsError("none found"), True),
        (UnavailableError("no answer"), True),
        (ConfigError("no such stack"), False),
    ],
)
def test_a_process_says_whether_its_problem_may_pass(error: LaneworkError, *, may_pass: bool) -> None:
    assert last_beat(error) == Beat(problem=str(error), may_pass=may_pass)
