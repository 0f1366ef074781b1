"""
The function behind the queues of events: each event in them is enqueued as one job, under an id made of its identity.

A message is deleted once its jobs are recorded, or once a copy is in the queue's dead-letter queue with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanework.aws_events.received import events_of
from lanework.edges import all_is_loaded, connected
from lanework.engine.enqueue.open_message import REFUSALS
from lanework.engine.jobtypes.request import request_of
from lanework.engine.messaging.message_events import report_fault
from lanework.errors import EnqueueError, LaneworkError, UndecodableError, UnsendableError
from lanework.model.events import Action
from lanework.model.events import Event as LogEvent
from lanework.model.lifecycle.states import Cause
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import MetricSettings, Settings
from lanework.wiring import metric_sinks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App
    from lanework.aws_events.received import Event
    from lanework.engine.jobtypes.request import Request

    Handler = Callable[[Mapping[str, Any], LambdaContext], dict[str, list[dict[str, str]]]]


def event_handler(app: App) -> Handler:
    """Return the Lambda handler of the queues of events; it reports the messages that are to come back."""
    app.runtime.observe(LogSink(json_logger()), *metric_sinks(MetricSettings.from_env()))
    connected(app)
    all_is_loaded()
    receiver = EventReceiver(app, stack=Settings.from_env().stack)

    def handler(event: Mapping[str, Any], _: LambdaContext) -> dict[str, list[dict[str, str]]]:
        try:
            kept = [record["messageId"] for record in event["Records"] if not receiver.receive(record)]
        finally:
            app.ports.events.flush()
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in kept]}

    return handler


class EventReceiver:
    """Enqueues the jobs of events."""

    def __init__(self, app: App, *, stack: str) -> None:
        """Take the application, whose families say which events are jobs, and the stack."""
        self._app = app
        self._stack = stack

    def receive(self, record: Mapping[str, Any]) -> bool:
        """Enqueue the jobs of a message, as Lambda hands it over; tell whether it is done with."""
        queue = record["eventSourceARN"].rpartition(":")[2].removeprefix(f"{self._stack}-")
        try:
            requests = [self._request(event) for event in events_of(record, queue=queue)]
            if requests:
                self._app.enqueue_many(requests)
        except (UndecodableError, *REFUSALS) as refusal:
            return self._refuse(queue, record["body"], str(refusal))
        except LaneworkError as error:
            if isinstance(error, EnqueueError) and error.is_final:
                return self._refuse(queue, record["body"], str(error))
            self._note(Action.MESSAGE_NOT_HANDLED, f"queue {queue}: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - such as middleware's: the other messages are handled
            report_fault(f"a message of queue {queue} was left alone", error, self._app.ports)
            return False
        return True

    def _request(self, event: Event) -> Request:
        subscription = next((one for one in self._app.subscriptions if one.source.takes(event)), None)
        if subscription is None:
            msg = f"no source of this application means {event}: declare it with on(…), then `lanework dlq resend`"
            raise UndecodableError(msg)
        job_type = subscription.job_type
        make = subscription.payload
        payload = event.payload_for(job_type.model) if make is None else _made(make, event, job_type.name)
        return request_of(job_type, payload, {} if job_type.debounce is not None else {"job_id": event.id})

    def _refuse(self, queue: str, body: str, reason: str) -> bool:
        """Keep a copy in the queue's dead-letter queue; tell whether it is there (rule 4)."""
        from lanework.engine.dlq_messages.tickets import send_to_dlq  # noqa: PLC0415 - for what is refused

        try:
            send_to_dlq(self._app.ports.lanes, queue, body, cause=Cause.INVALID, error=reason)
        except (LaneworkError, UnsendableError) as error:
            self._note(Action.MESSAGE_NOT_HANDLED, f"queue {queue}: {reason}; and no copy of it was kept: {error}")
            return False
        self._note(Action.MESSAGE_UNDECODABLE, f"queue {queue}: {reason}")
        return True

    def _note(self, action: Action, reason: str) -> None:
        self._app.ports.events.emit(LogEvent(action=action, at=self._app.ports.clock(), reason=reason))


def _made(make: Callable[[Event], Any], event: Event, name: str) -> Any:  # noqa: ANN401 - of the user's code
    try:
        return make(event)
    except Exception as error:
        msg = f"payload= of {name} raised {type(error).__name__} for {event}"
        raise UndecodableError(msg) from error
