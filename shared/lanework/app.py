"""The application: the composition root that joins families of jobs, the engine, and where it runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from lanework.async_calls import async_twin
from lanework.engine.builtin_jobs.definitions import refuse_names_of_ours, system_jobs
from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.jobtypes.middleware import enqueue_through
from lanework.engine.jobtypes.registry import Registry
from lanework.engine.jobtypes.request import Request, only_requests, request_of
from lanework.engine.webhooks.notify import WebhookNotifier
from lanework.errors import UnknownJobTypeError
from lanework.forks import no_fork_meanwhile
from lanework.observe.counters import CounterSink
from lanework.observe.fanout import Beside, Fanout, HookSink, alone
from lanework.operations import JobOperations, ResultsToCome
from lanework.settings import Settings
from lanework.wiring import aws_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pydantic import BaseModel

    from lanework.engine.deadletters.service import DeadLetters
    from lanework.engine.jobtypes.middleware import Middleware, Proceed
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.receipt import ReadsResults, Receipt
    from lanework.engine.jobtypes.registry import Family
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.queries.jobs import Inspector
    from lanework.engine.schedules.service import Schedules
    from lanework.engine.workflows.service import Workflows
    from lanework.model.events import Event
    from lanework.runtime import Runtime


class App(JobOperations):
    """
    An application's jobs. Connects on first use.

    It connects to the stack that `LANEWORK_STACK` and the AWS variables name; if none is named, to the embedded stack
    that runs in the working directory's project.

    Attributes:
        registry: Its job types.
        subscriptions: Events from outside that are jobs of it.
    """

    def __init__(self, *families: Family, middleware: Sequence[Middleware] = ()) -> None:
        """
        Join families of jobs.

        Args:
            *families: What `Jobs(…)` made, or `load_schema` of `lanework.schema`.
            middleware: Code around every enqueue and every run, the first outermost.

        Raises:
            DeclarationError: Two job types have the same name, or one has a name or the queue of Lanework's own; or two
                sources of events overlap.
        """
        refuse_names_of_ours(job_type for family in families for job_type in family.types)
        together = (*families, system_jobs(lambda: self.ports))
        self.registry = self._declared = Registry(job_type for family in together for job_type in family.types)
        self.subscriptions = tuple(one for family in families for one in family.subscriptions)
        if self.subscriptions:
            from lanework.engine.jobtypes.subscription import check_apart  # noqa: PLC0415 - few have any

            check_apart(self.subscriptions)
        self._middleware: tuple[Middleware, ...] = (*middleware,)
        self._ports: Ports | None = None
        self._is_flushed = False
        self._hooks: list[Callable[[Event], object]] = []
        for family in together:
            family.join(self)

    @classmethod
    def discover(cls, package: str, *, middleware: Sequence[Middleware] = ()) -> Self:
        """
        Join the families of a package: each module below it is imported, in the order of their names.

        Args:
            package: Its name, such as `shop.jobs`. Each function loads all of it: take one that holds jobs alone.
            middleware: As in `App(…)`.

        Raises:
            ImportFailedError: A module can't be imported.
            DeclarationError: There is no family; or as for `App(…)`.
        """
        from lanework.engine.jobtypes.discover import discover_families  # noqa: PLC0415 - most name their families

        return cls(*discover_families(package), middleware=middleware)

    def enqueue(
        self,
        job_type: str,
        payload: BaseModel | Mapping[str, object] | str,
        *,
        declared: bool = True,
        **options: Unpack[EnqueueOptions],
    ) -> Receipt[Any]:
        """
        Enqueue by name, for callers that don't hold the `Job`. Errors as in `Job.enqueue`.

        Args:
            payload: An instance of its model, a mapping of its fields, or JSON text.
            declared: False sends also what this application doesn't declare, as a message that the worker which has the
                code checks, records and runs as its type says there. Nobody here knows whether the name and the payload
                are right, nor whether the id is a duplicate; what is wrong goes to the lane's dead-letter queue.
            **options: See `EnqueueOptions`. Of an undeclared type `lane`, by default medium, is that of the queue that
                the message takes, and `delay`, `run_at`, `job_id`, `tenant` and `correlation_id` may be said.

        Raises:
            UnknownJobTypeError: No job type has the name; the message names the nearest.
        """
        if declared or self.registry.find(job_type) is not None:
            return self.enqueue_request(self.request(job_type, payload, **options))
        from lanework.engine.enqueue.by_name import request_by_name, send_by_name  # noqa: PLC0415 - few are undeclared

        request = request_by_name(job_type, payload, options, self.ports)
        return self._enqueue([request], partial(send_by_name, ports=self.ports))[0]

    def request(
        self, job_type: str, payload: BaseModel | Mapping[str, object] | str, **options: Unpack[EnqueueOptions]
    ) -> Request:
        """Return a request by name, for `enqueue_many` and workflows. Arguments and errors as in `enqueue`."""
        try:
            found = self.registry.get(job_type)
        except UnknownJobTypeError as error:
            error.add_note(
                "Is it declared by another application? See docs/schemas.md: load_schema, or declared=False."
            )
            raise
        return request_of(found, payload, options)

    def enqueue_request(self, request: Request) -> Receipt[Any]:
        """Enqueue what `Job.request` returned."""
        enqueue = partial(self._enqueuer.enqueue_or_run, middleware=self._middleware, answers={})
        return self._enqueue([request], enqueue)[0]

    def enqueue_many(self, requests: Iterable[Request]) -> list[Receipt[Any]]:
        """Enqueue what `Job.request` returned, of any types, in as few calls as AWS allows; receipts in order."""
        return self._enqueue(only_requests(list(requests)), self._enqueuer.enqueue_many)

    def enqueue_with(self, request: Request, *, items: Iterable[Mapping[str, Any]]) -> Receipt[Any]:
        """
        Enqueue a job and write items of your own DynamoDB tables in one transaction: all of it, or nothing.

        The record and the items are one TransactWriteItems; then the message is sent. If it is not, because the process
        ended in between, the clock function sends it within minutes.

        Args:
            request: What `Job.request` returned. With a `job_id` the call can be repeated: once it has succeeded, a
                repetition with the same payload and items returns a receipt that says `duplicate`.
            items: Entries as TransactWriteItems takes them (`Put`, `Update`, `Delete`, `ConditionCheck`), with plain
                Python values as boto3's table resource has them, or with typed ones as its client has them. At most 100
                and 4 MB together with the job's own: its record; its payload, if over 1 KB; one for each quota and
                one for `unique_for`. The tables are in the stack's region and account.

        Raises:
            ItemConditionError: The condition of an item didn't hold; it says which. Nothing was written.
            ItemsNotWrittenError: A job has the id, or the key of unique work, and came with something else. Nothing
                was written.
            QuotaExceededError, JobIdTakenError: As in `enqueue`. Nothing was written.
            InvalidOptionError, TooLargeError: An entry can't be used, or they are too many. Nothing was written.
            EnqueueError: DynamoDB didn't answer. Repeat the call, with the `job_id` that the error has.
        """
        from lanework.aws.transaction_items import transaction_items  # noqa: PLC0415 - few enqueues bring items

        checked = transaction_items(items)
        only_requests([request])
        # Under one id, however often middleware proceeds.
        request = request if request.job_id is not None else replace(request, job_id=self.ports.new_id())
        return self._enqueue([request], partial(self._enqueuer.enqueue_many, items=checked))[0]

    enqueue_async = async_twin(enqueue)
    enqueue_request_async = async_twin(enqueue_request)
    enqueue_many_async = async_twin(enqueue_many)
    enqueue_with_async = async_twin(enqueue_with)

    def _enqueue(self, requests: Sequence[Request], enqueue: Proceed) -> list[Receipt[Any]]:
        receipts = enqueue_through(self._middleware, requests, enqueue)
        self._flush()
        return [
            receipt if receipt.ran_inline else replace(receipt, reader=_reader(self, receipt)) for receipt in receipts
        ]

    def _flush(self) -> None:
        """Let events go out where nothing else does so: in a producer's process."""
        if not self._is_flushed:
            self.ports.events.flush()

    @cached_property
    def inspector(self) -> Inspector:
        """Reads jobs and lanes."""
        from lanework.engine.queries.jobs import Inspector  # noqa: PLC0415

        return Inspector(self.ports)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Looks at dead jobs, redrives and drops them."""
        from lanework.engine.deadletters.service import DeadLetters  # noqa: PLC0415

        ports = self.ports
        if not self._is_flushed:  # where events aren't counted, what becomes of the dead is: alerts end by it
            ports = replace(ports, events=Fanout(ports.events, CounterSink(ports.statistics, ports.clock)))
        queues = {one.source.queue for one in self.subscriptions}
        return DeadLetters(ports, self.registry, self.enqueue_request, event_queues=sorted(queues))

    @cached_property
    def workflows(self) -> Workflows:
        """Enqueues chains, groups and batches; looks at them, adds to them, cancels and retries them."""
        from lanework.engine.workflows.service import Workflows  # noqa: PLC0415

        return Workflows(self.ports, self.registry, self.enqueue_many)

    @cached_property
    def schedules(self) -> Schedules:
        """Adds, lists, pauses and removes schedules."""
        from lanework.engine.schedules.service import Schedules  # noqa: PLC0415

        return Schedules(self.ports, self.registry, self.enqueue_request)

    @property
    def ports(self) -> Ports:
        """Where the application runs; made from the environment on first use."""
        if self._ports is None:
            with no_fork_meanwhile():
                if self._ports is None:
                    self.use(aws_ports(Settings.from_env(), emit=lambda event: self.ports.events.emit(event)))  # noqa: PLW0108 - events may go elsewhere by then
        return cast("Ports", self._ports)

    def connect(self) -> None:
        """
        Read the environment and make AWS clients now, as a server starts, and not in its first request.

        Calls no service; where a container or an instance has the credentials, they are asked for.

        Raises:
            ConfigError: The environment lacks something; the message names it.
        """
        self.ports.connect()

    connect_async = async_twin(connect)

    @cached_property
    def runtime(self) -> Runtime:
        """What Lanework's own edges, commands and pages need of an application. Nothing that enqueues needs it."""
        from lanework.runtime import Runtime  # noqa: PLC0415

        return Runtime(self, middleware=self._middleware)

    def use(self, ports: Ports, *, is_flushed: bool = False) -> None:
        """
        Run the application elsewhere: in memory, or on the stack that a tool has chosen.

        Args:
            is_flushed: From now on the caller flushes events, and counts them.

        Raises:
            LaneLeftOutError: A job type is in a lane that is not there.
        """
        self.registry = self._declared.in_lanes(ports.stack_lanes)
        self._is_flushed = self._is_flushed or is_flushed
        events = alone(ports.events)
        if self._hooks:
            events = Beside(events, [HookSink(self._hooks)])
        notifier = WebhookNotifier(ports, self.registry.get(WEBHOOK))
        self._ports = replace(ports, notify=notifier.notify, events=events)
        for name, made in vars(App).items():
            if isinstance(made, cached_property):
                self.__dict__.pop(name, None)

    def on_event(self, hook: Callable[[Event], object]) -> Callable[[Event], object]:
        """Call a hook for every event, in its process and beside the job: keep it quick. What it raises is logged."""
        self._hooks.append(hook)
        if self._ports is not None:
            self.use(self._ports)
        return hook

    @cached_property
    def _enqueuer(self) -> Enqueuer:
        return Enqueuer(self.ports)


def _reader(app: App, receipt: Receipt[Any]) -> ReadsResults:
    """Return what reads a receipt's result: that of a job that was sent without a record waits for the record, too."""
    return app if receipt.duplicate is not None else ResultsToCome(app)
