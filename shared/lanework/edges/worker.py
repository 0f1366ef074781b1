"""The worker function of a lane: an SQS batch in, the messages to keep out."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from lanework.aws.idempotency import through_powertools
from lanework.edges import all_is_loaded, connected
from lanework.edges.alarm import alarm
from lanework.engine.messaging.delivery import Delivery, Nack
from lanework.engine.ports.code_runner import is_from_outside
from lanework.errors import LaneworkError
from lanework.model.events import Action, Event
from lanework.model.lanes import lane_of
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import MetricSettings
from lanework.wiring import metric_sinks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App
    from lanework.edges.batch_gate import BatchGate
    from lanework.edges.shared_loop import SharedLoop
    from lanework.engine.execution.attempt import StepDriver
    from lanework.engine.execution.executor import Executor
    from lanework.model.lanes import Lane

    Records = list[dict[str, Any]]
    RunAsync = Callable[[Coroutine[Any, Any, object]], object]
    Handler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]


class NackError(Exception):
    """Tells Powertools' batch processor that a message isn't done with."""


def worker(app: App) -> Handler:
    """
    Return the Lambda handler of a lane's worker function.

    Jobs of a batch function run in one call, or several if its size asks for that; then async jobs run side by side in
    one event loop, and then the others in sequence, each claimed at its turn. The handler reports what is to be kept
    (`ReportBatchItemFailures`) and never fails the whole batch: a raised error makes the mapping back off. The event
    `{"keep_warm": true}` is answered at once, and nothing is said of it.
    """
    app.runtime.observe(LogSink(json_logger()), *metric_sinks(MetricSettings.from_env()))
    app.runtime.limit_code_by(alarm)
    if connected(app):
        app.runtime.get_ready_to_run()
    all_is_loaded()

    def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        if "keep_warm" in event:
            return {"batchItemFailures": []}
        begun = time.monotonic()
        batch = _Batch(app, context)
        in_calls, together, in_turn = _by_kind(app, event["Records"])
        kept: list[Any] = []
        try:
            for records in in_calls:
                kept += batch.call(records)
            if together:
                kept += batch.run(_SideBySide(), together, run_async=_loop().run)
            if in_turn:
                kept += batch.run(BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False), in_turn)
        finally:
            batch.say_that_it_is_over(event["Records"], timedelta(seconds=time.monotonic() - begun))
            app.ports.events.flush()
        return {"batchItemFailures": kept}

    return handler


def _by_kind(app: App, records: Records) -> tuple[Sequence[Records], Records, Records]:
    """Return messages by how their jobs run: each call of a batch function, async jobs, all others."""
    calls: dict[str, Records] = defaultdict(list)
    full: list[Records] = []
    together: Records = []
    in_turn: Records = []
    for record in records:
        found = app.runtime.type_of(record["body"])
        if found is None or found.batch is None:
            (in_turn if found is None or not found.is_async else together).append(record)
            continue
        calls[found.name].append(record)
        if len(calls[found.name]) == found.batch.size:
            full.append(calls.pop(found.name))
    return [*full, *calls.values()], together, in_turn


@dataclass(slots=True)
class _Batch:
    """One invocation's messages."""

    app: App
    context: LambdaContext
    has_begun: bool = False

    def run(
        self,
        processor: BatchProcessor,
        records: Records,
        *,
        run_async: RunAsync | None = None,
        drive: StepDriver | None = None,
    ) -> list[Any]:
        """Run the jobs of messages, as the processor does; return what is to come back."""
        executor = self.app.runtime.executor(drive or through_powertools(self.context), run_async=run_async)
        is_in_turn = run_async is None
        later = records if self.has_begun else records[1:] if is_in_turn else ()
        self.has_begun = True
        answer = process_partial_response(
            event={"Records": records},
            record_handler=partial(self._handle, executor, waits_behind={one["messageId"] for one in later}),
            processor=processor,
            context=self.context,
        )
        return answer["batchItemFailures"]

    def call(self, records: Records) -> list[Any]:
        """Run the jobs of messages in one call of their batch function; return what is to come back."""
        from lanework.edges.batch_gate import BatchGate  # noqa: PLC0415 - few job types have such a function

        gate = BatchGate(len(records))
        drive = through_powertools(self.context, wait=gate.wait)
        return self.run(_InOneCall(gate), records, run_async=_run_async, drive=drive)

    def say_that_it_is_over(self, records: Records, took: timedelta) -> None:
        ports, memory_mb = self.app.ports, int(self.context.memory_limit_in_mb)
        for lane in {lane_of(record["eventSourceARN"].rpartition("-")[2]) for record in records}:
            ports.events.emit(
                Event(action=Action.WORKER_INVOKED, at=ports.clock(), lane=lane, ran_for=took, memory_mb=memory_mb)
            )

    def _handle(self, executor: Executor, record: SQSRecord, *, waits_behind: Collection[str]) -> None:
        lane = lane_of(record.event_source_arn.rpartition("-")[2])  # the queue is `<stack>-<lane>`
        attributes = record.raw_event["attributes"]
        sent_ms = attributes.get("SentTimestamp")
        time_left = timedelta(milliseconds=self.context.get_remaining_time_in_millis())
        delivery = Delivery(
            body=record.body,
            lane=lane,
            time_left=time_left,
            message_id=record.message_id,
            is_first=record.message_id not in waits_behind,
            sent_at=None if sent_ms is None else datetime.fromtimestamp(int(sent_ms) / 1000, UTC),
            receives=int(attributes.get("ApproximateReceiveCount", 1)),
        )
        try:
            report = executor.execute(delivery)
        except LaneworkError as error:
            self._say(Action.RUN_ACCESS_DENIED, lane, str(error))
            raise
        except BaseException as error:
            if is_from_outside(error):
                raise
            from lanework.model.job.error_text import place_of  # noqa: PLC0415 - for what goes wrong

            self._say(Action.WORKER_FAULT, lane, place_of(error))
            raise NackError(record.message_id) from error
        if isinstance(report, Nack):
            if report.after is not None:
                self.app.ports.lanes.change_visibility(lane, record.receipt_handle, report.after)
            raise NackError(record.message_id)

    def _say(self, action: Action, lane: Lane, reason: str) -> None:
        """Say what Powertools would report as a failed message only: a table or permission that is missing, say."""
        ports = self.app.ports
        ports.events.emit(Event(action=action, at=ports.clock(), lane=lane, reason=reason))


class _SideBySide(BatchProcessor):
    """Handles the messages of a batch at the same time, a thread for each."""

    def __init__(self) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)

    def process(self) -> list[tuple[Any, ...]]:
        with ThreadPoolExecutor(len(self.records)) as threads:
            return list(threads.map(self._process_record, self.records))


class _InOneCall(BatchProcessor):
    """Handles the messages of a call, each in a thread; their code runs in this one, where alarms ring."""

    def __init__(self, gate: BatchGate) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._gate = gate

    def process(self) -> list[tuple[Any, ...]]:
        """Handle them, and return what became of each."""
        with ThreadPoolExecutor(len(self.records)) as threads:
            handled = [threads.submit(self._process_record, one) for one in self.records]
            for one in handled:
                one.add_done_callback(self._gate.ended)
            self._gate.call()
            return [one.result() for one in handled]


def _run_async(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine in the loop of all, which is made where there is one to run."""
    return _loop().run(coroutine)


_loops: Final[list[SharedLoop]] = []


def _loop() -> SharedLoop:
    """Return the event loop of this environment's async jobs: one for all invocations, as long as it lasts."""
    from lanework.edges.shared_loop import SharedLoop  # noqa: PLC0415 - where there are async jobs

    if not (_loops and _loops[-1].is_running):
        _loops[:] = [SharedLoop()]
    return _loops[-1]
