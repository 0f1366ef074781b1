"""The worker function of a lane: an SQS batch in, the messages to keep out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from lanework.aws.idempotency import powertools_guard
from lanework.engine.delivery import Delivery, Keep
from lanework.model.lanes import lane_of
from lanework.observe.logs import LogSink

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App
    from lanework.model.lanes import Lane

    Handler = Callable[[dict[str, object], LambdaContext], PartialItemFailureResponse]


class KeptError(Exception):
    """Tells Powertools' batch processor that a message isn't done with."""


def worker(app: App) -> Handler:
    """
    Return the Lambda handler of a lane's worker function.

    Jobs of a batch run in sequence, each claimed at its turn. The handler reports what is to be kept
    (`ReportBatchItemFailures`) and never fails the whole batch: a raised error makes the mapping back off.
    """
    app.send_events_to(LogSink(Logger(location=None)))
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
        executor = app.executor(powertools_guard(context))

        def handle(record: SQSRecord) -> None:
            lane = _lane_of(record)
            time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
            report = executor.execute(Delivery(body=record.body, lane=lane, time_left=time_left))
            if isinstance(report, Keep):
                if report.after is not None:
                    app.ports.lanes.change_visibility(lane, record.receipt_handle, report.after)
                raise KeptError(record.message_id)

        try:
            return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
        finally:
            app.ports.events.flush()

    return handler


def _lane_of(record: SQSRecord) -> Lane:
    """Read the lane off the queue's name, `<stack>-<lane>`."""
    return lane_of(record.event_source_arn.rpartition("-")[2])
