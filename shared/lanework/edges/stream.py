"""
The function behind the table's stream: it puts on EventBridge's bus what happened to jobs.

Each transition of a job is one write of its item, and DynamoDB hands each write over at least once, in its order. So
whichever process makes a transition, and even if it dies then, its event is sent (docs/decisions/0029).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.aws.ledger.read_back import UNREADABLE
from lanework.aws.stream import sequence_of, written
from lanework.edges import all_is_loaded
from lanework.model.events import Action
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.job.job_event_document import notice_of
from lanework.model.lifecycle.transitions import ENDS, transitions
from lanework.observe.logs import json_logger
from lanework.settings import EventSettings, Settings
from lanework.wiring import event_bus

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.aws.stream import Written
    from lanework.model.job.job_event_document import JobEventDocument

    Handler = Callable[[Mapping[str, Any], LambdaContext], dict[str, int]]


def stream() -> Handler:
    """
    Return the Lambda handler of the function behind the stream; it needs none of the application's code.

    The handler says how many events it put. A bus that doesn't take them all is an error, and DynamoDB hands the same
    writes over again, for a day: what had been put then has the same id.
    """
    settings, events = Settings.from_env(), EventSettings.from_env()
    bus = event_bus(settings, name=events.bus)
    all_is_loaded()
    return publisher(bus.put, stack=settings.stack, which=events.which)


def publisher(put: Callable[[Sequence[JobEventDocument]], None], *, stack: str, which: str) -> Handler:
    """Return the handler that puts the events of a stack's writes on a bus; `which` is `off`, `ends` or `all`."""
    logger = json_logger()

    def handler(event: Mapping[str, Any], _: LambdaContext) -> dict[str, int]:
        notices = [*_notices(event, stack=stack, published=_PUBLISHED[which], logger=logger)]
        if notices:
            put(notices)
        return {"put": len(notices)}

    return handler


_PUBLISHED: Final[Mapping[str, Container[Action]]] = {"off": (), "ends": ENDS.values(), "all": tuple(Action)}


def _notices(
    event: Mapping[str, Any], *, stack: str, published: Container[Action], logger: Logger
) -> Iterator[JobEventDocument]:
    for record in event["Records"]:
        try:
            notices = _notices_of(written(record), stack=stack, published=published)
        except UNREADABLE as error:  # it would hold up all that come after it for a day
            from lanework.model.job.error_text import place_of  # noqa: PLC0415 - for what goes wrong

            extra = {"sequence": sequence_of(record), "reason": place_of(error)}
            logger.error("events.unreadable", extra=extra)  # noqa: TRY400 - the error's text may quote the record
        else:
            yield from notices


def _notices_of(write: Written | None, *, stack: str, published: Container[Action]) -> list[JobEventDocument]:
    if write is None or write.after.queue == QUEUE_OF_OURS:
        return []
    return [
        notice_of(write.after, action, at=write.at, key=write.sequence, stack=stack)
        for action in transitions(write.before, write.after)
        if action in published
    ]
