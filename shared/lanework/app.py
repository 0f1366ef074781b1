"""The application: the composition root that joins families of jobs, the engine, and where it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from lanework.engine.builtin_jobs.definitions import refuse_names_of_ours, system_jobs
from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.jobtypes.middleware import enqueue_through
from lanework.engine.jobtypes.registry import Registry
from lanework.engine.jobtypes.request import Request, only_requests, request_of
from lanework.engine.webhooks.notify import WebhookNotifier
from lanework.observe.counters import CounterSink
from lanework.observe.fanout import Beside, Fanout, HookSink, alone
from lanework.settings import Settings
from lanework.wiring import aws_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from pydantic import BaseModel

    from lanework.engine.deadletters.service import DeadLetters
    from lanework.engine.jobtypes.family import Jobs
    from lanework.engine.jobtypes.middleware import Middleware, Proceed
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.operations.cancel import Cancelling
    from lanework.engine.operations.pauses import PauseTarget
    from lanework.engine.operations.signals import Signalling
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.queries.jobs import Inspector
    from lanework.engine.schedules.service import Schedules
    from lanework.engine.workflows.service import Workflows
    from lanework.model.events import Event
    from lanework.model.lifecycle.states import JobRecord
    from lanework.runtime import Runtime


class App:
    """
    An application's jobs. Connects on first use.

    It connects to the stack that `LANEWORK_STACK` and the AWS variables name; if none is named, to the embedded stack
    that runs in the working directory's project.

    Attributes:
        registry: Its job types.
    """

    def __init__(self, *families: Jobs, middleware: Sequence[Middleware] = ()) -> None:
        """
        Join families of jobs.

        Args:
            middleware: Code around every enqueue and every run, the first outermost.

        Raises:
            DeclarationError: Two job types have the same name, or one has a name or the queue of Lanework's own.
        """
        refuse_names_of_ours(job_type for family in families for job_type in family.types)
        together = (*families, system_jobs(lambda: self.ports))
        self.registry = self._declared = Registry(job_type for family in together for job_type in family.types)
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
        self, job_type: str, payload: BaseModel | Mapping[str, object] | str, **options: Unpack[EnqueueOptions]
    ) -> Receipt[Any]:
        """
        Enqueue by name, for callers that don't hold the `Job`. Errors as in `Job.enqueue`.

        Args:
            payload: An instance of its model, a mapping of its fields, or JSON text.
            **options: See `EnqueueOptions`.

        Raises:
            UnknownJobTypeError: No job type has the name; the message names the nearest.
        """
        return self.enqueue_request(self.request(job_type, payload, **options))

    def request(
        self, job_type: str, payload: BaseModel | Mapping[str, object] | str, **options: Unpack[EnqueueOptions]
    ) -> Request:
        """Return a request by name, for `enqueue_many` and workflows. Arguments and errors as in `enqueue`."""
        return request_of(self.registry.get(job_type), payload, options)

    def enqueue_request(self, request: Request) -> Receipt[Any]:
        """Enqueue what `Job.request` returned."""
        enqueue = partial(self._enqueuer.enqueue_or_run, middleware=self._middleware, answers={})
        return self._enqueue([request], enqueue)[0]

    def enqueue_many(self, requests: Iterable[Request]) -> list[Receipt[Any]]:
        """Enqueue what `Job.request` returned, of any types, in as few calls as AWS allows; receipts in order."""
        return self._enqueue(only_requests(list(requests)), self._enqueuer.enqueue_many)

    def _enqueue(self, requests: Sequence[Request], enqueue: Proceed) -> list[Receipt[Any]]:
        receipts = enqueue_through(self._middleware, requests, enqueue)
        self._flush()
        return [receipt if receipt.ran_inline else replace(receipt, reader=self) for receipt in receipts]

    def _flush(self) -> None:
        """Let events go out where nothing else does so: in a producer's process."""
        if not self._is_flushed:
            self.ports.events.flush()

    def get(self, job_id: str) -> JobRecord:
        """
        Return where a job stands.

        Raises:
            JobNotFoundError: There is none, or its record was retired.
        """
        return self.inspector.get(job_id)

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
        return DeadLetters(ports, self.registry, self.enqueue_request)

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
            self.use(aws_ports(Settings.from_env(), emit=lambda event: self.ports.events.emit(event)))  # noqa: PLW0108 - events may go elsewhere by then
        return cast("Ports", self._ports)

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

    def result(self, job_id: str, *, timeout: timedelta) -> object:
        """
        Wait until a job has ended and return its result, as the job's function would have.

        Args:
            timeout: How long to wait at most.

        Raises:
            JobNotFoundError: There is none.
            JobFailedError: It died, was cancelled, or its result could not be kept.
            ResultTimeoutError: It had not ended by then.
        """
        from lanework.engine.operations.results import await_result  # noqa: PLC0415

        return await_result(job_id, self.ports, self.registry, timeout=timeout, pause=time.sleep)

    def cancel(self, job_id: str) -> Cancelling:
        """
        Cancel a job: one that waits ends at once, a running one is asked to stop (`run.cancelled`).

        Raises:
            JobNotFoundError: There is none.
        """
        from lanework.engine.operations.cancel import cancel  # noqa: PLC0415

        return cancel(job_id, self.ports)

    def signal(self, job_id: str, name: str, payload: object = None) -> Signalling:
        """
        Send a job a signal: `run.wait_for(name)` returns its payload, now or when the job comes to wait for it.

        Args:
            name: The signal's name; the first one of a name counts.
            payload: Anything that is JSON, at most 64 KB.

        Raises:
            JobNotFoundError, JobEndedError: There is no such job, or it has ended.
            SignalTooLateError: It has waited for the signal as long as it would.
            InvalidOptionError, TooLargeError: The name or the payload can't be used.
        """
        from lanework.engine.operations.signals import signal  # noqa: PLC0415

        try:
            return signal(job_id, name, payload, self.ports)
        finally:
            self._flush()

    def reschedule(self, job_id: str, *, run_at: datetime | None = None, delay: timedelta = timedelta(0)) -> JobRecord:
        """
        Change when a waiting job starts, to sooner or later.

        Args:
            job_id: Which job: delayed, snoozed, or between two attempts.
            run_at: Its new start; aware. A time in the past is now.
            delay: Its new start from now, instead; without either it starts now.

        Raises:
            JobNotFoundError: There is none.
            JobNotWaitingError: It runs or has ended.
            InvalidOptionError: The time can't be used.
        """
        from lanework.engine.operations.reschedule import reschedule, start_of  # noqa: PLC0415

        try:
            return reschedule(job_id, at=start_of(run_at, delay, now=self.ports.clock()), ports=self.ports)
        finally:
            self._flush()

    def pause(self, **which: Unpack[PauseTarget]) -> str:
        """
        Pause a lane, a queue or a job type: within a few seconds none of its jobs starts, until it is resumed.

        Args:
            **which: One of `lane`, `queue` and `job_type`.

        Returns:
            The pause's name, such as `queue:email`.

        Raises:
            InvalidOptionError: Not exactly one is named.
            UnknownNameError: There is no such lane, queue or type.
        """
        from lanework.engine.operations.pauses import flag_of  # noqa: PLC0415

        name = flag_of(**which, registry=self.registry)
        self.ports.flags.pause(name)
        return name

    def resume(self, **which: Unpack[PauseTarget]) -> int:
        """
        Resume a lane, a queue or a job type; jobs that it held are sent within a minute.

        Returns:
            How many jobs it held.

        Raises:
            InvalidOptionError, UnknownNameError: As in `pause`.
        """
        from lanework.engine.operations.pauses import flag_of, resume  # noqa: PLC0415

        return resume(flag_of(**which, registry=self.registry), self.ports)

    @cached_property
    def _enqueuer(self) -> Enqueuer:
        return Enqueuer(self.ports)
