"""What a family says of events from outside: for each of them, one job. The engine knows no kind of source."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lanework.errors import DeclarationError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.jobtypes.job_type import JobType


@runtime_checkable
class Source(Protocol):
    """Where events come from; `str()` is how it is written in code, `queue` names the queue that they come through."""

    @property
    def queue(self) -> str:
        """The queue `<stack>-<queue>`."""

    def overlaps(self, other: object) -> bool:
        """Tell whether one event may be meant by both."""

    def takes(self, event: Any) -> bool:  # noqa: ANN401 - of its own kind
        """Tell whether an event is one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    A job for each event of a source.

    Attributes:
        source: Where the events come from.
        job_type: What is enqueued.
        payload: Makes the payload of an event; None: what the event says is the payload.
    """

    source: Source
    job_type: JobType
    payload: Callable[[Any], Any] | None = None


def subscribed(
    source: object, job: object, payload: Callable[[Any], object] | None, *, types: Sequence[JobType]
) -> Subscription:
    """Return what a family declared; DeclarationError if it can't be."""
    if not isinstance(source, Source):
        msg = f'on(…) takes a source of lanework.aws_events, such as S3Created("bucket"), got {shown(source)}'
        raise DeclarationError(msg)
    job_type = getattr(job, "type", None)
    if job_type is None or job_type not in types:
        known = ", ".join(one.name for one in types) or "none yet"
        msg = (
            f"on({source}, …) takes a job of the same family ({known}), got {job_type.name if job_type else shown(job)}"
        )
        raise DeclarationError(msg)
    return Subscription(source=source, job_type=job_type, payload=payload)


def check_apart(subscriptions: Sequence[Subscription]) -> None:
    """Refuse sources that may mean the same event, which is one job; DeclarationError names the two."""
    for one, other in combinations(subscriptions, 2):
        if one.source.overlaps(other.source) or other.source.overlaps(one.source):
            msg = (
                f"{one.source} of {one.job_type.name} and {other.source} of {other.job_type.name} overlap: an event is "
                "one job, so narrow one of them, or enqueue the second job from the first"
            )
            raise DeclarationError(msg)
