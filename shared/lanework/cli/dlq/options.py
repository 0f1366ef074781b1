"""The options by which `lanework dlq` commands say which dead jobs they mean: declared once, for all of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Concatenate, ParamSpec, cast, get_type_hints

import typer

from lanework.cli.param_types import cause as cause_
from lanework.cli.param_types import duration
from lanework.cli.param_types import lane as lane_
from lanework.errors import InvalidOptionError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which dead jobs the command line asks for, as it was typed. Fields and options are the same."""

    lane: Annotated[
        Lane | None, typer.Option(parser=lane_, metavar="LANE", help="Only this lane: critical … batch, or 1 to 5.")
    ] = None
    queue: Annotated[str | None, typer.Option(help="Only this queue.")] = None
    type: Annotated[str | None, typer.Option(help="Only this job type.")] = None
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
        typer.Option(parser=duration, metavar="DURATION", help="Only what died longer ago: 90, 10m, 1h30m, 2d."),
    ] = None
    younger_than: Annotated[
        timedelta | None, typer.Option(parser=duration, metavar="DURATION", help="Only what died since.")
    ] = None

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


def asking(command: Callable[Concatenate[Asked, P], None]) -> Callable[..., None]:
    """Give a command the options of `Asked`, in place of its first parameter."""
    names = [field.name for field in fields(Asked)]
    hints = get_type_hints(Asked, include_extras=True)
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hints[name]) for name in names
    ]
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    @wraps(command)
    def with_options(**values: object) -> None:
        asked = Asked(**{name: values.pop(name) for name in names})  # type: ignore[arg-type]
        cast("Callable[..., None]", command)(asked, **values)

    parameters = [*(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own), *options]
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options
