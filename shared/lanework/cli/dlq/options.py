"""The options by which `lanework dlq` commands say which dead jobs they mean: declared once, for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from lanework.app import App
from lanework.cli.connect import project_here
from lanework.cli.options import OnlyLane, OnlyQueue, OnlyType, duration_option
from lanework.cli.param_types import cause as cause_
from lanework.cli.param_types import job_id
from lanework.engine.deadletters.query import RedrivePlan
from lanework.engine.queries.search import check_names
from lanework.errors import InvalidOptionError, NothingMatchesError
from lanework.local.application import load_app
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.states import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which dead jobs the command line asks for, as it was typed. Fields and options are the same."""

    lane: OnlyLane = None
    queue: OnlyQueue = None
    type: OnlyType = None
    cause: Annotated[
        Cause | None,
        typer.Option(
            parser=cause_,
            metavar="CAUSE",
            help="Only this cause: exhausted, discarded, invalid, unknown_type, expired, crashed, infra, "
            "parent_failed, unsendable.",
        ),
    ] = None
    error: Annotated[str | None, typer.Option(metavar="TEXT", help="Only errors with this text in them.")] = None
    fingerprint: Annotated[
        str | None, typer.Option(metavar="HEX", help="Only this error, as `dlq list --group` names it.")
    ] = None
    older_than: Annotated[
        timedelta | None,
        duration_option("Only jobs that died longer ago: 90, 10m, 1h30m, 2d."),
    ] = None
    younger_than: Annotated[timedelta | None, duration_option("Only jobs that died within this time.")] = None

    def check_names(self) -> None:
        """Refuse a type or a queue that the project doesn't have; elsewhere, nothing knows."""
        project = project_here()
        if project is not None and (self.type, self.queue) != (None, None):
            check_names(load_app(project).registry, type_=self.type, queue=self.queue)

    def filter(self, now: datetime) -> DeadFilter:
        """
        Return what is meant.

        Raises:
            InvalidOptionError: Nothing can be both so old and so young.
        """
        if self.older_than is not None and self.younger_than is not None and self.older_than >= self.younger_than:
            msg = "--older-than must be shorter than --younger-than: no job can match both"
            raise InvalidOptionError(msg)
        return DeadFilter(
            lane=self.lane,
            queue=self.queue,
            type=self.type,
            cause=self.cause,
            error=self.error,
            fingerprint=None if self.fingerprint is None else self.fingerprint.lower(),
            died_before=None if self.older_than is None else now - self.older_than,
            died_after=None if self.younger_than is None else now - self.younger_than,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Asked):
    """Which dead jobs a command is to move: those asked for, those of these ids, or all."""

    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", parser=job_id, help="Jobs by their id, instead of filters."),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Every dead job.")] = False

    def plan(self, app: App) -> RedrivePlan:
        """
        Return what would move.

        Raises:
            InvalidOptionError: Nothing says which jobs, or several ways do.
            NothingMatchesError: There is no such job.
        """
        which = self.filter(app.ports.clock())
        ways = [bool(self.ids), which != DeadFilter(), self.all]
        if sum(ways) != 1:
            problem = "no jobs are selected" if not any(ways) else "ids, filters and --all exclude each other"
            msg = f"{problem}: give ids, or filters such as --cause exhausted, or --all"
            raise InvalidOptionError(msg)
        try:
            return app.dead_letters.jobs.plan(DeadFilter(job_ids=tuple(self.ids)) if self.ids else which)
        except NothingMatchesError:
            self.check_names()
            raise
