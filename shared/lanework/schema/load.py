"""Job types of a document, for an application that enqueues them and has no code of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Never

from pydantic import RootModel, model_validator
from pydantic_core import to_jsonable_python

from lanework.engine.jobtypes.job_type import JobType, Options
from lanework.errors import ConfigError, InvalidPayloadError
from lanework.model.limits import Bound, Quota
from lanework.schema.document import read_document

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lanework.engine.jobtypes.job import Enqueues
    from lanework.engine.jobtypes.subscription import Subscription
    from lanework.schema.document import TypeSchema


_OF_POLICY: Final = ("lane", "attempts", "backoff", "timeout", "where", "webhook", "record")


class SchemaFamily:
    """
    Job types that are declared elsewhere: `App(…)` takes it as it takes a family.

    Attributes:
        types: The job types.
        subscriptions: None: events become jobs where the code is.
    """

    def __init__(self, types: tuple[JobType, ...]) -> None:
        self.types = types
        self.subscriptions: tuple[Subscription, ...] = ()

    def join(self, app: Enqueues) -> None:
        """Do nothing: its jobs are enqueued by name."""


def load_schema(path: str | Path) -> SchemaFamily:
    """
    Return the job types of a document that `lanework schema export` has written.

    An enqueue by name then checks the payload by its JSON Schema, and takes lane, attempts, quotas and keys from the
    document. What a JSON Schema can't say, such as a validator of the model's, is checked where the job runs.

    Args:
        path: The document.

    Raises:
        ConfigError: It can't be read; or jsonschema isn't installed, which the extra `schema` brings.
    """
    found = read_document(Path(path)).types
    return SchemaFamily(tuple(_job_type(name, one) for name, one in found.items()))


def _job_type(name: str, one: TypeSchema) -> JobType:
    quotas = (Bound(Quota(quota.n, per=quota.per, key=quota.key), quota.scope) for quota in one.quotas)
    return JobType(
        name=name,
        queue=one.queue,
        function=_no_code,
        model=_model_of(name, one.payload),
        takes_run=False,
        is_async=False,
        options=Options(**{name: getattr(one, name) for name in _OF_POLICY}),
        version=one.version,
        aliases=one.aliases,
        bounds=tuple(quotas),
        key=one.key,
        unique_for=one.unique_for,
        debounce=one.debounce,
    )


def _model_of(name: str, schema: dict[str, Any]) -> type[BaseModel]:
    """Return a model that takes what a JSON Schema does."""
    try:
        from lanework.schema.check import checker_of  # noqa: PLC0415 - of an extra
    except ImportError as error:
        msg = "checking payloads by their schema needs jsonschema; try: pip install 'lanework[schema]'"
        raise ConfigError(msg) from error
    check = checker_of(name, schema)

    class Payload(RootModel[Any]):
        @model_validator(mode="before")
        @classmethod
        def _check(cls, given: object) -> object:
            value = to_jsonable_python(given)
            if problems := check(value):
                raise InvalidPayloadError(name, problems)
            return value

    return Payload


def _no_code(_: BaseModel) -> Never:
    msg = "this application knows its job types from a schema and has no code of them: run the one that declares them"
    raise ConfigError(msg)
