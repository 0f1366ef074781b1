"""The clock function: the minute tick that an EventBridge schedule gives."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from lanework.engine.reconcile import Reconciler
from lanework.engine.sweep import Sweeper
from lanework.observe.logs import LogSink

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App

    Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_MARGIN: Final = timedelta(seconds=10)
"""What a tick keeps back of its invocation; the next tick goes on where it stopped."""


def clock(app: App) -> Handler:
    """Return the Lambda handler of the clock function: each call is one tick, and says what it did."""
    app.send_events_to(LogSink(Logger(location=None)))

    def handler(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        def has_time() -> bool:
            return timedelta(milliseconds=context.get_remaining_time_in_millis()) > _MARGIN

        try:
            reconciled = Reconciler(app.ports).tick(has_time=has_time)
            swept = Sweeper(app.ports).tick(has_time=has_time)
            return {"swept": asdict(swept), "reconciled": asdict(reconciled)}
        finally:
            app.ports.events.flush()

    return handler
