"""
Enqueueing a job type that another application declares: an open message, put on a lane's queue by our own producer.

The worker that has the code checks it, records it and gives it the type's lane and policy (docs/decisions/0058).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Never

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError, from_json, to_json

from lanework.engine.jobtypes.job_type import JobType, Options
from lanework.engine.jobtypes.receipt import Receipt
from lanework.engine.jobtypes.request import request_of
from lanework.engine.ports.messages import OutgoingMessage
from lanework.errors import (
    ConfigError,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    UnavailableError,
    UnsendableError,
)
from lanework.model.job.ids import OURS, checked_job_type
from lanework.model.job.open_message import OpenMessage
from lanework.model.job.payload import written
from lanework.model.lanes import Lane, nearest_lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports

_TAKEN: Final = ("correlation_id", "delay", "job_id", "lane", "run_at", "tenant")
"""What a call may say; the rest is the declaration's."""


class Fields(RootModel[dict[str, Any]]):
    """A payload of which nothing is known but that it is an object."""


def request_by_name(
    name: str, payload: BaseModel | Mapping[str, object] | str, said: EnqueueOptions, ports: Ports
) -> Request:
    """
    Return the request for a job of a type that isn't declared here, under an id of its own.

    Raises:
        InvalidOptionError: An option can't be used, or is the declaring side's to say.
        InvalidPayloadError: The payload is no object, or can't be written as JSON.
    """
    if checked_job_type(name).startswith(OURS):
        msg = f"{name} is one of Lanework's own job types"
        raise InvalidOptionError(msg)
    for option, value in said.items():
        if option not in _TAKEN and value is not None:
            msg = f"{option} is said where {name} is declared; an enqueue with declared=False takes {', '.join(_TAKEN)}"
            raise InvalidOptionError(msg)
    job_type = JobType(
        name=name,
        queue="elsewhere",
        function=_no_code,
        model=Fields,
        takes_run=False,
        is_async=False,
        options=Options(lane=nearest_lane(Lane.MEDIUM, ports.stack_lanes)),
    )
    request = request_of(job_type, _text_of(name, payload), said)
    # Under one id, however often middleware proceeds.
    return request if request.job_id is not None else replace(request, job_id=ports.new_id())


def send_by_name(requests: Sequence[Request], ports: Ports) -> list[Receipt[Any]]:
    """
    Send a message for each; the receipts say what is known.

    Raises:
        TooLargeError: A payload is over 256 KB.
        EnqueueError: A message was not sent. Safe to repeat with the same id.
    """
    return [_sent(request, ports) for request in requests]


def _sent(request: Request, ports: Ports) -> Receipt[Any]:
    now, job_id = ports.clock(), request.job_id or ports.new_id()
    name, lane = request.type.name, request.policy.lane
    ports.check_lane(lane)
    start = request.run_at if request.delay is None else now + request.delay
    message = OpenMessage(
        lanework=1,
        type=name,
        payload=from_json(written(name, request.type.model, request.payload)),
        id=job_id,
        run_at=start,
        tenant=request.tenant,
        headers=dict(request.headers),
    )
    body = message.model_dump_json(exclude_defaults=True)
    try:
        ports.lanes.send(lane, OutgoingMessage(body=body, tenant=request.tenant))
    except (UnavailableError, UnsendableError, ConfigError) as error:
        raise EnqueueError(job_id, f"not sent: {error}", is_final=isinstance(error, UnsendableError)) from error
    return Receipt(job_id=job_id, duplicate=None, overdue=now - start if start is not None and start < now else None)


def _text_of(name: str, payload: BaseModel | Mapping[str, object] | str) -> str:
    if isinstance(payload, str):
        return payload
    try:
        return to_json(payload, by_alias=False, inf_nan_mode="constants").decode()
    except (PydanticSerializationError, ValueError) as error:
        raise InvalidPayloadError(name, [f"payload: can't be written as JSON: {error}"]) from None


def _no_code(_: BaseModel) -> Never:
    msg = "this application has no code of the job: run the one that declares it"
    raise ConfigError(msg)
