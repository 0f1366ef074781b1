"""The options by which `lanework dlq` commands say which dead jobs they mean: declared once, for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from lanework.cli.options import OnlyLane, OnlyQueue, OnlyType, duration_option
from lanework.cli.param_types import cause as cause_
from lanework.errors import InvalidOptionError
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
        duration_option("Only what died longer ago: 90, 10m, 1h30m, 2d."),
    ] = None
    younger_than: Annotated[timedelta | None, duration_option("Only what died since.")] = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Asked()

    def filter(self, now: datetime) -> DeadFilter:
        """
        Return what is meant.

        Raises:
            InvalidOptionError: Nothing can be both so old and so young.
        """
        if self.older_than is not None and self.younger_than is not None and self.older_than >= self.younger_than:
            msg = "--older-than must be shorter than --younger-than: no job can have died at both times"
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
