"""The command `lanework worker`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from lanework.cli.connect import enter_stack, project_here
from lanework.cli.options import duration_option, with_options
from lanework.cli.param_types import duration
from lanework.cli.param_types import lane as lane_
from lanework.edges.process.config import Address, Plan
from lanework.edges.process.interpreter import become
from lanework.edges.process.log_lines import LogLines
from lanework.errors import LaneLeftOutError
from lanework.model.lanes import Lane
from lanework.observe.logs import json_logger

_DIGITS: Final = re.compile(r"[0-9]{1,7}")
_MOST: Final = 1_000_000
_HIGHEST_PORT: Final = 65_535
_SHORTEST_LEASE: Final = timedelta(seconds=3)


def _lease(text: str) -> timedelta:
    lease = duration(text)
    if lease < _SHORTEST_LEASE:
        msg = f"a lease under {_SHORTEST_LEASE.seconds} s would be over between two heartbeats, got {text}"
        raise typer.BadParameter(msg)
    return lease


def _at_least_one(text: str) -> int:
    number = int(text) if _DIGITS.fullmatch(text) else 0
    if not 1 <= number <= _MOST:
        msg = f"must be a whole number from 1 to {_MOST:,}, got {text[:20]}"
        raise typer.BadParameter(msg)
    return number


def _count_option(metavar: str, what: str, *names: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Option(*names, parser=_at_least_one, metavar=metavar, help=what)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not _DIGITS.fullmatch(port) or int(port) > _HIGHEST_PORT:
        msg = f"{text!r} is no address; write it as 127.0.0.1:8080, or 0.0.0.0:8080 to answer other machines"
        raise typer.BadParameter(msg)
    return Address(host, int(port))


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What worker processes are to do; typer parses the defaults, too."""

    lane: Annotated[
        list[Lane],
        typer.Option(
            *("--lane", "-l"),
            parser=lane_,
            metavar="LANE",
            help="A lane whose jobs it runs: critical … batch, or 1 to 5. May be repeated.",
        ),
    ]
    concurrency: Annotated[int, _count_option("N", "How many jobs a process runs at once.", "--concurrency", "-c")] = (
        "4"  # type: ignore[assignment]
    )
    processes: Annotated[int, _count_option("N", "How many processes: one per CPU.", "--processes", "-p")] = "1"  # type: ignore[assignment]
    grace: Annotated[timedelta, duration_option("How long jobs may continue once it is asked to stop.")] = "25s"  # type: ignore[assignment]
    lease: Annotated[
        timedelta,
        typer.Option(
            parser=_lease, metavar="DURATION", help="How long a killed process's jobs wait for another, at least 3 s."
        ),
    ] = "60s"  # type: ignore[assignment]
    max_jobs: Annotated[int | None, _count_option("N", "Replace a process after so many jobs.")] = None
    max_mb: Annotated[int | None, _count_option("MB", "Replace a process once it has used so much memory.")] = None
    health: Annotated[
        Address | None, typer.Option(parser=_address, metavar="HOST:PORT", help="Answer GET /health there.")
    ] = None
    once: Annotated[bool, typer.Option("--once", help="End when the lanes are empty.")] = False

    def plan(self) -> Plan:
        """Return what each process is to do."""
        return Plan(
            lanes=tuple(one for one in Lane if one in self.lane),
            slots=self.concurrency,
            grace=self.grace,
            lease=self.lease,
            most_jobs=self.max_jobs,
            most_mb=self.max_mb,
            is_once=self.once,
        )


@with_options
def worker(work: Work) -> None:
    """
    Run jobs in processes of its own instead of in Lambda, until SIGTERM or Ctrl-C.

    The first signal lets running jobs end within --grace; the second gives everything back at once.

    Example: lanework worker --lane low --lane batch --concurrency 4
    """
    lanes = enter_stack(project_here(), changes=True, says_env_file=True).lanes
    plan = work.plan()
    for lane in plan.lanes:
        if lane not in lanes:
            raise LaneLeftOutError(lane, lanes=lanes)
    log = json_logger()
    become(
        "lanework.edges.process.supervise:supervise",
        *(plan, work.processes, work.health, LogLines(service=log.service, level=log.log_level)),
    )
