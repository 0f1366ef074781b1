"""What a process of `lanework worker` does that runs jobs: it imports the project's application, and empties lanes."""

from __future__ import annotations

from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Final

from lanework.edges.process.child import run_child
from lanework.edges.process.interpreter import FAULT, end
from lanework.local.application import load_app
from lanework.local.project import find_project
from lanework.model.events import Action, Event
from lanework.model.job.error_text import place_of
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import MetricSettings, Settings
from lanework.wiring import aws_inbox, aws_ports, metric_sinks, utc_now

if TYPE_CHECKING:
    from lanework.app import App
    from lanework.edges.process.config import Plan
    from lanework.engine.ports.consumer import MessageConsumer

_LEFT_OVER_S: Final = 10.0
"""How long a process whose jobs have ended waits for the threads that they have left behind."""


def work(pipe: int, memory: int, plan: Plan) -> None:
    """Do the work of a process that the parent has started, with these open files; its environment names the stack."""
    try:
        has_ended = run_child(pipe, memory, _prepare, plan)
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process can't go on
        fault = Event(action=Action.WORKER_FAULT, at=utc_now(), reason=place_of(error))
        LogSink(json_logger()).emit(fault)
        end(FAULT)
    if not has_ended:
        end(0)  # what still runs was given back, and can't be waited for
    last = Timer(_LEFT_OVER_S, end, (0,))  # threads that a job has left behind would be waited for without end
    last.daemon = True
    last.start()


def _prepare() -> tuple[App, MessageConsumer]:
    settings = Settings.from_env()
    app = load_app(find_project(Path.cwd()))
    app.use(aws_ports(settings))
    app.runtime.observe(LogSink(json_logger()), *metric_sinks(MetricSettings.from_env()))
    return app, aws_inbox(settings, emit=app.ports.events.emit)
