"""The clock function: EventBridge calls it each minute, and for each schedule whose time is come."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from lanework.edges import all_is_loaded, connected
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.message_events import report_fault
from lanework.errors import LaneworkError
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import AlertSettings
from lanework.wiring import alert_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lanes import Lane, LaneDepth

    Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_MARGIN: Final = timedelta(seconds=10)
"""What a tick keeps back of its invocation; the next tick goes on where it stopped."""

_LEFT_TO_OTHERS: Final = timedelta(seconds=30)
"""What schedules leave of a tick to the sweep and the reconciler, however much there is to catch up with."""

_LEFT_TO_SWEEP: Final = timedelta(seconds=20)
"""What the reconciler leaves, however many dead letters there are to look through."""


def clock(app: App) -> Handler:
    """
    Return the Lambda handler of the clock function: each call says what it did.

    The event `{"schedule": name, "at": time}` fires one schedule; any other is the minute's tick.
    """
    app.runtime.observe(LogSink(json_logger()))
    connected(app)
    all_is_loaded()
    tick = _Tick(app, AlertSettings.from_env())

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        def has_time(margin: timedelta = _MARGIN) -> bool:
            return timedelta(milliseconds=context.get_remaining_time_in_millis()) > margin

        name = event.get("schedule")
        try:
            if isinstance(name, str):
                fired = app.runtime.schedule_trigger.fire(name, str(event.get("at")), has_time=has_time)
                return {"fired": asdict(fired)}
            return tick.do(has_time)
        finally:
            app.ports.events.flush()

    return handler


class _Tick:
    """What is done each minute, in its order."""

    def __init__(self, app: App, alerts: AlertSettings) -> None:
        self._app = app
        self._alerts = alerts
        self._channels = alert_channels(alerts)

    def do(self, has_time: Callable[..., bool]) -> dict[str, Any]:
        """Do it; `has_time` tells whether more than a margin is left of the invocation, 10 seconds by default."""
        app, counted = self._app, cache(self._app.inspector.counts)
        leaving_some = partial(has_time, _LEFT_TO_SWEEP)
        trigger = app.runtime.schedule_trigger
        return _all_of(
            app.ports,
            lambda: {"fired": asdict(trigger.tick(has_time=partial(has_time, _LEFT_TO_OTHERS)))},
            lambda: {"reconciled": self._reconcile(leaving_some)},
            lambda: {"unsent": self._send_unsent(counted(), leaving_some)},
            lambda: {"swept": asdict(Sweeper(app.ports).tick(has_time=has_time))},
            lambda: {"enqueued": app.runtime.hourly_jobs.tick() if has_time() else ()},
            lambda: self._look_at_lanes(counted(), has_time),
        )

    def _reconcile(self, has_time: Callable[[], bool]) -> dict[str, Any]:
        done = Reconciler(self._app.ports).tick(has_time=has_time)
        if done.refused:
            raise done.refused[0]
        return asdict(done)

    def _send_unsent(self, counts: Mapping[Lane, LaneDepth], has_time: Callable[[], bool]) -> dict[str, Any]:
        from lanework.engine.maintenance.unsent_jobs import UnsentJobs  # noqa: PLC0415 - for ticks; a schedule's prod needs none of it

        return asdict(UnsentJobs(self._app.ports, home=self._home).tick(counts, has_time=has_time))

    def _home(self, job_type: str) -> Lane | None:
        found = self._app.registry.find(job_type)
        return None if found is None else resolve_policy(found.options).lane

    def _look_at_lanes(self, counts: Mapping[Lane, LaneDepth], has_time: Callable[[], bool]) -> dict[str, Any]:
        runtime = self._app.runtime
        runtime.roll_up.note(counts)
        rolled_up = runtime.roll_up.tick(has_time=has_time)
        alerts_now = runtime.alert_manager(self._channels, job=self._alerts.job).tick(counts)
        return {"rolled_up": asdict(rolled_up), "alerts": len(alerts_now.active)}


def _all_of(ports: Ports, *parts: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """
    Do a tick's parts. One that fails, in whatever way, keeps none of the others from their work.

    Raises:
        Exception: The first part's that failed, once all were tried: the invocation counts as failed.
    """
    done: dict[str, Any] = {}
    failed: list[Exception] = []
    for part in parts:
        try:
            done |= part()
        except Exception as error:  # noqa: BLE001 - the other parts do their work first
            failed.append(error)
            if not isinstance(error, LaneworkError):
                report_fault("a part of the tick failed", error, ports)
    if failed:
        raise failed[0]
    return done
