"""What Lanework's own edges, commands and pages need of an application, beyond what users call on `App`."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.errors import UndecodableError
from lanework.model.job.envelope import Envelope
from lanework.observe.counters import CounterSink
from lanework.observe.fanout import Fanout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from lanework.app import App
    from lanework.engine.builtin_jobs.hourly import HourlyJobs
    from lanework.engine.execution.attempt import StepDriver
    from lanework.engine.execution.executor import Executor
    from lanework.engine.execution.pause_watch import PauseWatch
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware, Proceed
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.maintenance.cleanup import Cleanups
    from lanework.engine.ports.bundle import EventSink
    from lanework.engine.queries.search import Search
    from lanework.engine.schedules.trigger import ScheduleTrigger
    from lanework.engine.stats.alerting import AlertManager, Channel
    from lanework.engine.stats.overview import StackOverview
    from lanework.engine.stats.rollup import RollUp
    from lanework.engine.stats.statistics import Statistics, Window
    from lanework.engine.webhooks.notify import WebhookNotifier
    from lanework.model.costs.costs import Costs
    from lanework.model.stats.alerts import Alerts


class Runtime:
    """Runs an application's jobs, does what the clock does, answers operators. Each part loads when it is used."""

    def __init__(self, app: App, *, middleware: Sequence[Middleware]) -> None:
        """Take the application; it makes a new runtime when it is to run elsewhere (`App.use`)."""
        self._app = app
        self._middleware = middleware

    # --- running jobs

    def get_ready_to_run(self) -> None:
        """Load what runs jobs, and read what is paused, so that the first job needn't wait for it."""
        import lanework.engine.execution.executor  # noqa: F401, PLC0415

        self.pauses.look()  # it opens the connection that the jobs' writes take, too

    def executor(
        self, drive: StepDriver, *, run_async: Callable[[Coroutine[Any, Any, object]], object] | None = None
    ) -> Executor:
        """
        Return what runs this application's jobs from messages.

        Args:
            drive: Calls the steps of each attempt.
            run_async: Runs a coroutine to its end, where async jobs share a loop; each in a loop of its own by default.
        """
        from lanework.engine.execution.executor import Executor  # noqa: PLC0415

        app, ports = self._app, self._app.ports
        if run_async is not None:
            ports = replace(ports, code_runner=replace(ports.code_runner, run_async=run_async))
        return Executor(
            registry=app.registry, ports=ports, drive=drive, pauses=self.pauses, middleware=self._middleware
        )

    @cached_property
    def pauses(self) -> PauseWatch:
        """What is paused, read once for all executors of the process."""
        from lanework.engine.execution.pause_watch import PauseWatch  # noqa: PLC0415

        return PauseWatch(self._app.ports.flags, self._app.ports.clock)

    def type_of(self, body: str) -> JobType | None:
        """Return the type of the job that a message carries; None if it is unknown here, or no message of ours."""
        try:
            return self._app.registry.find(Envelope.decode(body).type)
        except UndecodableError:
            return None

    def limit_code_by(self, limit: Callable[[timedelta], AbstractContextManager[None]]) -> None:
        """Let this stop synchronous jobs whose time is over, from now on."""
        ports = self._app.ports
        self._app.use(replace(ports, code_runner=replace(ports.code_runner, limit=limit)))

    def observe(self, *sinks: EventSink) -> None:
        """Send events to these sinks from now on, and count what they tell of; the caller flushes them."""
        ports = self._app.ports
        events = Fanout(*sinks, CounterSink(ports.statistics, ports.clock))
        self._app.use(replace(ports, events=events), is_flushed=True)

    # --- jobs that are written elsewhere before they are enqueued

    def write_through(self, requests: Sequence[Request], write: Proceed) -> list[Receipt[Any]]:
        """Write requests as an enqueue enqueues them: through the middleware, with the headers of the job that asks."""
        from lanework.engine.jobtypes.middleware import enqueue_through  # noqa: PLC0415

        return enqueue_through(self._middleware, requests, write)

    def send_written(self, requests: Sequence[Request]) -> list[Receipt[Any]]:
        """Enqueue requests that went through the middleware when they were written. Errors as in `enqueue_many`."""
        from lanework.engine.enqueue.enqueuer import Enqueuer  # noqa: PLC0415

        ports = self._app.ports
        receipts = Enqueuer(ports).enqueue_many(requests)
        ports.events.flush()
        return receipts

    # --- what the clock does

    @cached_property
    def schedule_trigger(self) -> ScheduleTrigger:
        """Fires schedules when it is time."""
        from lanework.engine.schedules.trigger import ScheduleTrigger  # noqa: PLC0415

        return ScheduleTrigger(self._app.ports, self._app.registry, self._app.enqueue_request)

    @cached_property
    def hourly_jobs(self) -> HourlyJobs:
        """Enqueues what is to be done once an hour."""
        from lanework.engine.builtin_jobs.hourly import HourlyJobs  # noqa: PLC0415

        return HourlyJobs(self._app.ports, self._app.registry, self._app.enqueue_request)

    @cached_property
    def roll_up(self) -> RollUp:
        """Makes minutes, hours and totals of what was counted."""
        from lanework.engine.stats.rollup import RollUp  # noqa: PLC0415

        return RollUp(self._app.ports)

    def alert_manager(self, channels: Iterable[Channel] = (), *, job: str | None = None) -> AlertManager:
        """
        Return what raises and ends alerts.

        Args:
            channels: Where they go.
            job: Type of a job of this application that they go to, too.
        """
        from lanework.engine.stats.alerting import AlertManager, JobChannel  # noqa: PLC0415

        app = self._app
        jobs = () if job is None else (JobChannel(job, app.registry, app.enqueue_request),)
        return AlertManager(app.ports, self.statistics, (*channels, *jobs))

    # --- what operators ask

    @cached_property
    def statistics(self) -> Statistics:
        """Reads what jobs did lately, in numbers."""
        from lanework.engine.stats.statistics import Statistics  # noqa: PLC0415

        return Statistics(self._app.ports)

    def overview(self) -> StackOverview:
        """Return how lanes and queues stand, and what jobs did lately: what a page or a screen shows at a glance."""
        from lanework.engine.stats.overview import stack_overview  # noqa: PLC0415

        return stack_overview(self._app.ports, queues=self._app.registry.queues)

    @property
    def search(self) -> Search:
        """Finds jobs by lane, state, type and queue, and those that started late."""
        from lanework.engine.queries.search import Search  # noqa: PLC0415

        return Search(self._app.ports)

    def costs(self, window: Window) -> Costs:
        """Return what the jobs of a window of `statistics` cost: an estimate."""
        from lanework.model.costs.costs import costs_of  # noqa: PLC0415
        from lanework.observe.prices import prices  # noqa: PLC0415

        lanes, over = len(self._app.ports.stack_lanes), window.now - window.begins
        at_start = {one.name for one in self._app.registry.types if one.is_recorded_at_start}
        return costs_of(window.numbers, prices(), lanes=lanes, over=over, recorded_at_start=at_start)

    def alerts(self) -> Alerts:
        """Return the alerts that are active, and those that are over."""
        from lanework.model.stats.alerts import Alerts  # noqa: PLC0415

        return Alerts.at_text(self._app.ports.statistics.alerts())

    @property
    def cleanups(self) -> Cleanups:
        """Counts ended jobs that are to be retired, and retires them."""
        from lanework.engine.maintenance.cleanup import Cleanups  # noqa: PLC0415

        return Cleanups(self._app.ports, self._app.registry, self._app.enqueue_request)

    @property
    def webhooks(self) -> WebhookNotifier:
        """Sends webhooks once more."""
        from lanework.engine.webhooks.notify import WebhookNotifier  # noqa: PLC0415

        return WebhookNotifier(self._app.ports, self._app.registry.get(WEBHOOK))
