"""Jobs that get their record when they start (`record="start"`): what they can't have, since it needs one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.engine.ports.messages import LONGEST_SQS_DELAY
from lanework.errors import InvalidOptionError
from lanework.model.limits import Quota

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from lanework.engine.jobtypes.request import Request
    from lanework.model.limits import Bound


def check_declaration(
    name: str, *, bounds: Iterable[Bound], unique_for: timedelta | None, debounce: timedelta | None
) -> None:
    """Refuse a declaration that says something which needs the record at enqueue."""
    _refuse(
        name,
        {
            "quota": any(isinstance(bound.limit, Quota) for bound in bounds),
            "unique_for": unique_for is not None,
            "debounce": debounce is not None,
        },
    )


def check_request(request: Request, *, wait: timedelta) -> None:
    """Refuse a request, for a job that starts after so long, which says something that needs the record at enqueue."""
    minutes = LONGEST_SQS_DELAY.total_seconds() / 60
    _refuse(
        request.type.name,
        {
            "unique_for": request.unique_for is not None,
            "debounce": request.debounce is not None,
            "after": bool(request.after),
            "a place in a workflow": request.workflow is not None,
            f"a delay or run_at over {minutes:g} minutes": wait > LONGEST_SQS_DELAY,
        },
    )


def refuse(name: str, what: str) -> InvalidOptionError:
    """Return the error that says what a job of this type can't have."""
    return InvalidOptionError(
        f'{name} has record="start", so that its jobs have no record before they start, and {what} needs one: '
        'leave it out, or declare the type with record="full"'
    )


def _refuse(name: str, said: dict[str, bool]) -> None:
    for what, is_said in said.items():
        if is_said:
            raise refuse(name, what)
