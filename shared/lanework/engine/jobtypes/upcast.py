"""Bringing payloads of older versions up to today's: one function for each step, declared with the job type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from lanework.errors import DeclarationError, InvalidPayloadError, shown
from lanework.model.limits import is_count

if TYPE_CHECKING:
    from lanework.engine.jobtypes.job_type import JobType, Upcast


def checked_upcasts(name: str, given: object, version: int) -> dict[int, Upcast]:
    """
    Return the steps that a declaration has, from the oldest version on.

    Raises:
        DeclarationError: A step is missing between the oldest and today's version, leads nowhere, or is no function.
    """
    how = f"upcast of job {name!r} maps each older version to a function, such as upcast={{1: from_1}}"
    if not isinstance(given, Mapping):
        msg = f"{how}, got {shown(given)}"
        raise DeclarationError(msg)
    for of, step in given.items():
        if not is_count(of) or not callable(step):
            msg = f"{how}, got {shown(of)}: {shown(step)}"
            raise DeclarationError(msg)
        if not 1 <= of < version:
            msg = f"upcast of job {name!r} has a step from version {of}, and its version is {version}: raise that"
            raise DeclarationError(msg)
    steps = dict(sorted(given.items()))
    gaps = [one for one in range(min(steps, default=version), version) if one not in steps]
    if gaps:
        msg = f"upcast of job {name!r} has no step from version {gaps[0]} to {gaps[0] + 1}: add {gaps[0]}: …"
        raise DeclarationError(msg)
    return steps


def upcasted(job_type: JobType, payload: str, version: int) -> str:
    """Return a payload of an older version as JSON text of today's; InvalidPayloadError if that fails."""
    if version not in job_type.upcast:
        oldest = min(job_type.upcast)
        why = f"is of version {version}, and upcast begins at version {oldest}: add {version}: … to it"
        raise InvalidPayloadError(job_type.name, [f"payload: {why}"])
    try:
        value = from_json(payload)
    except ValueError as error:
        raise InvalidPayloadError(job_type.name, [f"payload: {error}"]) from None
    for step in range(version, job_type.version):
        value = _stepped(job_type, value, step)
    return to_json(value).decode()


def _stepped(job_type: JobType, value: Any, step: int) -> Any:  # noqa: ANN401 - JSON values
    try:
        found = job_type.upcast[step](value)
        if found is not None:
            return from_json(to_json(found))
        why = "returned nothing: return the payload"
        cause = None
    except Exception as error:  # noqa: BLE001 - whatever the application's code raises, the payload stays an old one
        why, cause = f"raised {type(error).__name__}", error
    raise InvalidPayloadError(job_type.name, [f"payload: upcast from version {step} {why}"]) from cause
