"""What the document of job types holds, how it is made of an application's, and how it is read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.errors import PydanticInvalidForJsonSchema

from lanework.engine.jobtypes.job_type import RecordFrom, Where, resolve_policy
from lanework.errors import ConfigError
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.job.validation_errors import problems_of
from lanework.model.lanes import Lane
from lanework.model.limits import Quota

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lanework.engine.jobtypes.job_type import JobType

_FORM: Final = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
_HOW: Final = "`lanework schema export FILE` writes one"


class QuotaSchema(BaseModel):
    """A quota, which a job is counted against when it is enqueued."""

    model_config = _FORM

    scope: str
    n: int
    per: timedelta
    key: str | None = None


class TypeSchema(BaseModel):
    """
    A job type: what an enqueue of it needs to know.

    Attributes:
        version: The payload's version.
        upcasts: The older versions whose payloads the code brings up to this one.
        attempts: As `backoff` and `timeout`: None where the lane's hold.
        payload: The payload's JSON Schema (2020-12), its fields by their own names.
    """

    model_config = _FORM

    version: int
    upcasts: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    queue: str
    lane: Lane
    attempts: int | None = None
    backoff: timedelta | None = None
    timeout: timedelta | None = None
    where: Where | None = None
    webhook: str | None = None
    record: RecordFrom | None = None
    key: tuple[str, ...] = ()
    unique_for: timedelta | None = None
    debounce: timedelta | None = None
    quotas: tuple[QuotaSchema, ...] = ()
    payload: dict[str, Any]


class Document(BaseModel):
    """All job types of an application, by name."""

    lanework: Literal["schema.v1"] = "schema.v1"
    types: dict[str, TypeSchema] = Field(default_factory=dict)

    def text(self) -> str:
        """Return it as JSON text, always in the same order."""
        values = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps({"lanework": self.lanework, **values}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def document_of(types: Iterable[JobType]) -> Document:
    """
    Return the document of an application's job types; Lanework's own are left out.

    Raises:
        ConfigError: A payload's model has no JSON Schema.
    """
    return Document(types={one.name: _schema_of(one) for one in types if one.queue != QUEUE_OF_OURS})


def read_document(path: Path) -> Document:
    """Return the document of a file; ConfigError if it is none."""
    try:
        return Document.model_validate_json(path.read_bytes())
    except OSError as error:
        msg = f"can't read {path}: {error.strerror}; {_HOW}"
        raise ConfigError(msg) from error
    except ValidationError as error:
        msg = f"{path} is no document of job types: {problems_of(error, whole='document')[0]}; {_HOW}"
        raise ConfigError(msg) from None


def _schema_of(one: JobType) -> TypeSchema:
    try:
        payload = one.model.model_json_schema(by_alias=False)
    except PydanticInvalidForJsonSchema as error:
        msg = f"the payload of {one.name}, {one.model.__name__}, has no JSON Schema: {error.message}"
        raise ConfigError(msg) from error
    return TypeSchema(
        version=one.version,
        upcasts=tuple(sorted(one.upcast)),
        aliases=one.aliases,
        queue=one.queue,
        lane=resolve_policy(one.options).lane,
        attempts=one.options.attempts,
        backoff=one.options.backoff,
        timeout=one.options.timeout,
        where=one.options.where,
        webhook=one.options.webhook,
        record=one.options.record,
        key=one.key,
        unique_for=one.unique_for,
        debounce=one.debounce,
        quotas=tuple(
            QuotaSchema(scope=bound.scope, n=bound.limit.n, per=bound.limit.per, key=bound.limit.key)
            for bound in one.bounds
            if isinstance(bound.limit, Quota)
        ),
        payload=payload,
    )
