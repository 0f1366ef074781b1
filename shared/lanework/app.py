"""The application: the composition root that joins families of jobs, the engine, and where it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, cast

from lanework.engine.builtin_jobs.definitions import refuse_names_of_ours, system_jobs
from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.jobtypes.middleware import Carrying, enqueue_through
from lanework.engine.jobtypes.registry import Registry
from lanework.engine.jobtypes.request import EnqueueOptions, Request, request_of
from lanework.engine.webhooks.notify import WebhookNotifier
from lanework.errors import EnqueueError, LaneworkError, UndecodableError
from lanework.model.job.envelope import Envelope
from lanework.observe.counters import CounterSink
from lanework.observe.fanout import Beside, Fanout, HookSink, alone
from lanework.settings import Settings
from lanework.wiring import aws_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from pydantic import BaseModel

    from lanework.engine.builtin_jobs.hourly import HourlyJobs
    from lanework.engine.deadletters.service import DeadLetters
    from lanework.engine.execution.executor import Executor
    from lanework.engine.execution.guard import Guard
    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.family import Jobs
    from lanework.engine.jobtypes.middleware import Middleware, Proceed
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.maintenance.cleanup import Cleanups
    from lanework.engine.operations.cancel import Cancelling
    from lanework.engine.operations.signals import Signalling
    from lanework.engine.ports.bundle import EventSink, Ports
    from lanework.engine.queries.jobs import Inspector
    from lanework.engine.queries.search import Search
    from lanework.engine.schedules.service import Schedules
    from lanework.engine.schedules.trigger import ScheduleTrigger
    from lanework.engine.stats.alerting import AlertManager, Channel
    from lanework.engine.stats.overview import Standing
    from lanework.engine.stats.rollup import RollUp
    from lanework.engine.stats.statistics import Statistics, Window
    from lanework.engine.webhooks.redeliver import WebhookDeliveries
    from lanework.engine.workflows.service import Workflows
    from lanework.model.events import Event
    from lanework.model.lanes import Lane, LaneName
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.stats.alerts import Alerts
    from lanework.model.stats.costs import Costs


class App:
    """
    An application's jobs. Connects on first use, to what `LANEWORK_STACK` and the AWS variables name.

    Attributes:
        registry: Its job types.
    """

    def __init__(self, *families: Jobs, middleware: Sequence[Middleware] = ()) -> None:
        """
        Join families of jobs.

        Args:
            *families: The families.
            middleware: Code around every enqueue and every run, the first outermost.

        Raises:
            DeclarationError: Two job types have the same name, or one has a name or the queue of Lanework's own.
        """
        refuse_names_of_ours(job_type for family in families for job_type in family.types)
        together = (*families, system_jobs(lambda: self.ports))
        self.registry = Registry(job_type for family in together for job_type in family.types)
        self._middleware: tuple[Middleware, ...] = (Carrying(), *middleware)
        self._ports: Ports | None = None
        self._is_flushed = False
        self._hooks: list[Callable[[Event], object]] = []
        for family in together:
            family.join(self)

    def enqueue(
        self,
        job_type: str,
        payload: BaseModel | Mapping[str, object] | str,
        **options: Unpack[EnqueueOptions],
    ) -> Receipt[Any]:
        """
        Enqueue by name, for callers that don't hold the `Job`. Errors as in `Job.enqueue`.

        Args:
            job_type: Name of the job type.
            payload: An instance of its model, a mapping of its fields, or JSON text.
            **options: See `EnqueueOptions`.

        Raises:
            UnknownJobTypeError: No job type has the name; the message names the nearest.
        """
        return self.enqueue_request(self.request(job_type, payload, **options))

    def request(
        self,
        job_type: str,
        payload: BaseModel | Mapping[str, object] | str,
        **options: Unpack[EnqueueOptions],
    ) -> Request:
        """Return a request by name, for `enqueue_many` and workflows. Arguments and errors as in `enqueue`."""
        return request_of(self.registry.get(job_type), payload, options)

    def enqueue_request(self, request: Request) -> Receipt[Any]:
        """Enqueue what `Job.request` returned."""
        return self._enqueue([request], lambda requests: [self._enqueue_or_run(one) for one in requests])[0]

    def _enqueue_or_run(self, request: Request) -> Receipt[Any]:
        try:
            return self._enqueuer.enqueue(request)
        except EnqueueError as error:
            if not request.runs_inline:
                raise
            from lanework.engine.enqueue.inline_fallback import run_inline  # noqa: PLC0415 - not for producers that are well

            return run_inline(request, error, self.ports, self._middleware)

    def enqueue_many(self, requests: Iterable[Request]) -> list[Receipt[Any]]:
        """Enqueue what `Job.request` returned, of any types, in as few calls as AWS allows; receipts in order."""
        return self._enqueue(list(requests), self._enqueuer.enqueue_many)

    def _enqueue(self, requests: Sequence[Request], enqueue: Proceed) -> list[Receipt[Any]]:
        receipts = enqueue_through(self._middleware, requests, enqueue)
        if len(receipts) != len(requests):
            msg = f"middleware returned {len(receipts)} receipts for {len(requests)} jobs: one for each, or raise"
            raise LaneworkError(msg)
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

    @property
    def search(self) -> Search:
        """Finds jobs by lane, state, type and queue, and those that started late. It loads when it is asked for."""
        from lanework.engine.queries.search import Search  # noqa: PLC0415

        return Search(self.ports)

    @cached_property
    def statistics(self) -> Statistics:
        """Reads what jobs did lately, in numbers. A worker never does, so this loads when it is asked for."""
        from lanework.engine.stats.statistics import Statistics  # noqa: PLC0415

        return Statistics(self.ports)

    def standing(self) -> Standing:
        """Return how lanes and queues stand, and what jobs did lately: what a page or a screen shows at a glance."""
        from lanework.engine.stats.overview import standing  # noqa: PLC0415

        return standing(self.ports, queues=self.registry.queues)

    def costs(self, window: Window) -> Costs:
        """Return what the jobs of a window of `statistics` cost: an estimate."""
        from lanework.model.stats.costs import costs_of  # noqa: PLC0415
        from lanework.observe.prices import prices  # noqa: PLC0415

        return costs_of(window.numbers, prices(), over=window.now - window.begins)

    def alarmist(self, channels: Iterable[Channel] = (), *, job: str | None = None) -> AlertManager:
        """
        Return what raises and ends alerts.

        Args:
            channels: Where they go.
            job: Type of a job of this application that they go to, too.
        """
        from lanework.engine.stats.alerting import AlertManager, JobChannel  # noqa: PLC0415

        jobs = () if job is None else (JobChannel(job, self.registry, self.enqueue_request),)
        return AlertManager(self.ports, self.statistics, (*channels, *jobs))

    def alerts(self) -> Alerts:
        """Return the alerts that are active, and those that are over."""
        from lanework.model.stats.alerts import Alerts  # noqa: PLC0415

        return Alerts.at_text(self.ports.statistics.alerts())

    @cached_property
    def roll_up(self) -> RollUp:
        """Makes minutes, hours and totals of what was counted."""
        from lanework.engine.stats.rollup import RollUp  # noqa: PLC0415

        return RollUp(self.ports)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Looks at dead jobs, redrives and drops them."""
        from lanework.engine.deadletters.service import DeadLetters  # noqa: PLC0415

        if self._is_flushed:
            return DeadLetters(self.ports, self.registry, self.enqueue_request)
        # Elsewhere events aren't counted. What becomes of the dead is: alerts end by it.
        counting = Fanout(self.ports.events, CounterSink(self.ports.statistics, self.ports.clock))
        return DeadLetters(replace(self.ports, events=counting), self.registry, self.enqueue_request)

    @cached_property
    def cleaning(self) -> Cleanups:
        """Counts ended jobs that are to be retired, and retires them."""
        from lanework.engine.maintenance.cleanup import Cleanups  # noqa: PLC0415

        return Cleanups(self.ports, self.registry, self.enqueue_request)

    @cached_property
    def webhooks(self) -> WebhookDeliveries:
        """Sends webhooks once more."""
        from lanework.engine.webhooks.redeliver import WebhookDeliveries  # noqa: PLC0415

        return WebhookDeliveries(self.ports, self._notifier(self.ports))

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

    @cached_property
    def schedule_clock(self) -> ScheduleTrigger:
        """Fires schedules when it is time."""
        from lanework.engine.schedules.trigger import ScheduleTrigger  # noqa: PLC0415

        return ScheduleTrigger(self.ports, self.registry, self.enqueue_request)

    @cached_property
    def housekeeper(self) -> HourlyJobs:
        """Enqueues what is to be done once an hour."""
        from lanework.engine.builtin_jobs.hourly import HourlyJobs  # noqa: PLC0415

        return HourlyJobs(self.ports, self.registry, self.enqueue_request)

    def executor(
        self, guard: Guard, *, run_async: Callable[[Coroutine[Any, Any, object]], object] | None = None
    ) -> Executor:
        """
        Return what runs this application's jobs from messages.

        Args:
            guard: Orders the steps of each run.
            run_async: Runs a coroutine to its end, where async jobs share a loop; each in a loop of its own by default.
        """
        from lanework.engine.execution.executor import Executor  # noqa: PLC0415

        ports = self.ports
        if run_async is not None:
            ports = replace(ports, runtime=replace(ports.runtime, run_async=run_async))
        return Executor(
            registry=self.registry, ports=ports, guard=guard, pauses=self._pauses, middleware=self._middleware
        )

    @cached_property
    def _pauses(self) -> PauseWatch:
        """What is paused, read once for all executors of the process."""
        from lanework.engine.execution.pause_watch import PauseWatch  # noqa: PLC0415

        return PauseWatch(self.ports.flags, self.ports.clock)

    def runs_async(self, body: str) -> bool:
        """Tell whether a message carries an async job."""
        try:
            found = self.registry.find(Envelope.decode(body).type)
        except UndecodableError:
            return False
        return found is not None and found.is_async

    @property
    def ports(self) -> Ports:
        """Where the application runs; made from the environment on first use."""
        if self._ports is None:
            self.use(aws_ports(Settings.from_env()))
        return cast("Ports", self._ports)

    def use(self, ports: Ports) -> None:
        """Run the application elsewhere: in memory, or on the stack that a tool has chosen."""
        events = alone(ports.events)
        if self._hooks:
            events = Beside(events, [HookSink(self._hooks)])
        self._ports = replace(ports, notify=self._notifier(ports).notify, events=events)
        for name, made in vars(App).items():
            if isinstance(made, cached_property):
                self.__dict__.pop(name, None)

    def _notifier(self, ports: Ports) -> WebhookNotifier:
        return WebhookNotifier(ports, self.registry.get(WEBHOOK))

    def on_event(self, hook: Callable[[Event], object]) -> Callable[[Event], object]:
        """
        Call a function for every event about this application's jobs, in the process where it happens.

        It is called beside the job, so let it be quick; what it raises is logged. Say it where the application is made;
        as a decorator, too.
        """
        self._hooks.append(hook)
        if self._ports is not None:
            self.use(self._ports)
        return hook

    def send_events_to(self, sink: EventSink) -> None:
        """Send events to this sink from now on."""
        self.use(replace(self.ports, events=sink))

    def observe(self, *sinks: EventSink) -> None:
        """Send events to these sinks from now on, and count what they tell of; the caller flushes them."""
        self._is_flushed = True
        self.send_events_to(Fanout(*sinks, CounterSink(self.ports.statistics, self.ports.clock)))

    def limit_code_by(self, limit: Callable[[timedelta], AbstractContextManager[None]]) -> None:
        """Let this stop synchronous jobs whose time is over, from now on."""
        self.use(replace(self.ports, runtime=replace(self.ports.runtime, limit=limit)))

    def result(self, job_id: str, *, timeout: timedelta) -> object:
        """
        Wait until a job has ended and return its result, as the job's function would have.

        Args:
            job_id: Which job.
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
            job_id: Which job; it must not have ended.
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
        Let a job that waits start at another time, sooner or later.

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

        start = start_of(run_at, delay, now=self.ports.clock())
        try:
            return reschedule(job_id, at=start, ports=self.ports)
        finally:
            self._flush()

    def pause(
        self, *, lane: LaneName | Lane | None = None, queue: str | None = None, job_type: str | None = None
    ) -> str:
        """
        Pause a lane, a queue or a job type: within a few seconds none of its jobs starts, until it is resumed.

        Returns:
            The pause's name, such as `queue:email`.

        Raises:
            InvalidOptionError: Not exactly one is named.
            UnknownNameError: There is no such lane, queue or type.
        """
        from lanework.engine.operations.pauses import flag_of  # noqa: PLC0415

        name = flag_of(lane=lane, queue=queue, job_type=job_type, registry=self.registry)
        self.ports.flags.pause(name)
        return name

    def resume(
        self, *, lane: LaneName | Lane | None = None, queue: str | None = None, job_type: str | None = None
    ) -> int:
        """
        Take a pause away; what it held is sent by the next minute's tick.

        Returns:
            How many jobs it held.

        Raises:
            InvalidOptionError, UnknownNameError: As in `pause`.
        """
        from lanework.engine.operations.pauses import flag_of, resume  # noqa: PLC0415

        return resume(flag_of(lane=lane, queue=queue, job_type=job_type, registry=self.registry), self.ports)

    @cached_property
    def _enqueuer(self) -> Enqueuer:
        return Enqueuer(self.ports)
