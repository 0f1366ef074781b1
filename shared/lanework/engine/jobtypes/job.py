"""A declared job type as its caller holds it: typed by its payload and its result."""

from __future__ import annotations

from inspect import isawaitable
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from pydantic import BaseModel

from lanework.async_calls import async_twin
from lanework.engine.jobtypes.arguments import listed
from lanework.engine.jobtypes.request import Request, link_of, request_of
from lanework.engine.jobtypes.returned import ran
from lanework.engine.jobtypes.signature import code_of
from lanework.model.workflow.dependency import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.receipt import Receipt

PayloadT = TypeVar("PayloadT", bound=BaseModel)
RestP = ParamSpec("RestP")
DirectT_co = TypeVar("DirectT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)
ResultT = TypeVar("ResultT")


class Enqueues(Protocol):
    """What a family needs of the application it is in."""

    def enqueue_request(self, request: Request) -> Receipt[Any]:
        """Enqueue one job."""

    def enqueue_many(self, requests: Iterable[Request]) -> list[Receipt[Any]]:
        """Enqueue many jobs in as few calls as AWS allows."""


class Job(Generic[PayloadT, RestP, DirectT_co, ResultT_co]):
    """
    A declared job type. Call it to run its code here and now, as in a unit test; `enqueue` it to run it in its lane.

    Generic over the payload, the function's further parameters, what a direct call gives, and the result of a run.
    """

    def __init__(self, job_type: JobType, app: Callable[[], Enqueues]) -> None:
        """Made by `@family.job(...)`."""
        self.type = job_type
        self._app = app
        code = code_of(job_type.function)
        self.__doc__ = code.__doc__
        self.__name__ = code.__name__
        self.__module__ = code.__module__

    @property
    def name(self) -> str:
        """The stable dotted name."""
        return self.type.name

    def __call__(self, payload: PayloadT, /, *args: RestP.args, **kwargs: RestP.kwargs) -> DirectT_co:
        """
        Run the job's code directly: no queue, no record, no retry.

        Raises:
            NotRunError: It returned code that was yet to be run, such as a generator; a coroutine is yours to await.
        """
        value = self.type.function(payload, *args, **kwargs)
        return cast("DirectT_co", value if isawaitable(value) else ran(value))

    def __reduce__(self) -> str:
        """Go to another process by name, as a function does: `pool.map(job.enqueue, payloads)`."""
        return code_of(self.type.function).__qualname__

    def __repr__(self) -> str:
        return f"<Job {self.name} of queue {self.type.queue!r}>"

    def request(self, payload: PayloadT | Mapping[str, object], **options: Unpack[EnqueueOptions]) -> Request:
        """
        Return a request for `enqueue_many`; nothing is enqueued yet.

        Args:
            payload: An instance of the job type's model, or a mapping that fits it.
            **options: See `EnqueueOptions`.

        Raises:
            InvalidPayloadError: The payload doesn't fit.
            UnknownLaneError: The lane is none of the five.
            InvalidOptionError: Another option can't be used.
        """
        return request_of(self.type, payload, options)

    def link(
        self, takes: str = WHOLE, *, given: Mapping[str, object] | None = None, **options: Unpack[EnqueueOptions]
    ) -> Request:
        """
        Return a request for a `chain`: the job takes the result of the one before it.

        Args:
            takes: The field of the payload that the result goes into. By default the result, an object, is the payload.
            given: Fields of the payload that are known now; they win over those of the result.
            **options: See `EnqueueOptions`.

        Raises:
            InvalidPayloadError: The payload has no field that is given.
            UnknownLaneError: The lane is none of the five.
            InvalidOptionError: Another option can't be used.
        """
        return link_of(self.type, takes, given or {}, options)

    def enqueue(
        self, payload: PayloadT | Mapping[str, object], **options: Unpack[EnqueueOptions]
    ) -> Receipt[ResultT_co]:
        """
        Enqueue a job of this type: returns once it is recorded and sent. Arguments as in `request`.

        Returns:
            The receipt; its `duplicate` says that such a job existed before.

        Raises:
            ConfigError: The family is in no App.
            TooLargeError: The payload is over 256 KB.
            QuotaExceededError: The quota is used up; the error says until when.
            EnqueueError: Neither recorded nor sent; safe to repeat with the same id.
            InvalidPayloadError, UnknownLaneError, InvalidOptionError: As in `request`.
        """
        return self._app().enqueue_request(request_of(self.type, payload, options))

    def enqueue_many(self, payloads: Iterable[PayloadT | Mapping[str, object] | Request]) -> list[Receipt[ResultT_co]]:
        """
        Enqueue many jobs of this type: all records are made before any message is sent, ten messages a call.

        Args:
            payloads: Payloads, or what `request` returned where a job needs an id or options of its own.

        Returns:
            One receipt for each, in order.

        Raises:
            EnqueueError: Some were neither recorded nor sent; its text says how many.
        """
        requests = [one if isinstance(one, Request) else self.request(one) for one in listed("enqueue_many", payloads)]
        return self._app().enqueue_many(requests)

    enqueue_async = async_twin(enqueue)
    enqueue_many_async = async_twin(enqueue_many)


class Declaration(Protocol):
    """What `Jobs.job(...)` returns: takes the function, `async def` or `def`, and gives the `Job`."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[PayloadT, RestP], Coroutine[Any, Any, ResultT]], /
    ) -> Job[PayloadT, RestP, Coroutine[Any, Any, ResultT], ResultT]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[PayloadT, RestP], ResultT], /
    ) -> Job[PayloadT, RestP, ResultT, ResultT]: ...
