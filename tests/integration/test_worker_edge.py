"""The worker edge on real batch events: Powertools' batch processor and idempotency over the ledger on DynamoDB."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import EndpointConnectionError

from lanework import Cause, State
from lanework.edges.worker import worker
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.observe.logs import LogSink
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.fakes import break_ports, mend_ports
from tests.support.stacks import REGION
from tests.support.worker_edge import Edge, LambdaContext, Number


def test_a_job_costs_one_write_at_enqueue_and_two_while_it_runs_and_its_batch_one_for_its_numbers(edge: Edge) -> None:
    edge.square.enqueue(Number(n=7), job_id="job-1")
    assert edge.calls == {"PutItem": 1, "SendMessage": 1}
    edge.calls.clear()

    assert edge.deliver() == []

    assert edge.calls == {"UpdateItem": 3, "GetItem": 1}, "and what is paused is read every few seconds"
    job = edge.app.get("job-1")
    assert (job.state, job.result, job.attempts) == (State.COMPLETED, "49", 1)


def test_ten_jobs_in_a_batch_cost_two_writes_each_and_a_tenth_of_what_the_batch_costs(edge: Edge) -> None:
    edge.square.enqueue_many([Number(n=n) for n in range(10)])
    messages = edge.receive(Lane.HIGH)
    assert len(messages) == 10
    edge.calls.clear()

    edge.handler(edge.event(Lane.HIGH, messages), LambdaContext())

    assert edge.calls == {"UpdateItem": 2 * 10 + 1, "GetItem": 1}, "with its receive and its delete 2.4 a job"


def test_ten_jobs_in_one_call_of_a_batch_function_cost_what_ten_jobs_cost_and_the_failed_one_comes_back(
    edge: Edge,
) -> None:
    for n in range(-1, 9):
        edge.app.enqueue("number.squares", {"n": n}, job_id=f"job{n}")
    messages = edge.receive(Lane.HIGH)
    assert len(messages) == 10
    edge.calls.clear()

    answer = edge.handler(edge.event(Lane.HIGH, messages), LambdaContext())

    del edge.calls["BatchExecuteStatement"]  # which moto can't do: each write is then made singly
    assert edge.calls == {"UpdateItem": 2 * 10 + 1, "GetItem": 1, "ChangeMessageVisibility": 1}
    (failed,) = [one["MessageId"] for one in messages if '"id":"job-1"' in one["Body"].replace(" ", "")]
    assert answer["batchItemFailures"] == [{"itemIdentifier": failed}]
    assert (edge.app.get("job-1").state, edge.app.get("job8").result) == (State.RETRYING, "64")


def test_a_batch_reports_only_what_is_to_be_kept(edge: Edge) -> None:
    edge.square.enqueue_many([edge.square.request(Number(n=n), job_id=f"job{n}") for n in (1, -1, 2)])
    edge.sqs.send_message(QueueUrl=edge.url(Lane.HIGH), MessageBody="not a job")

    edge.calls.clear()

    kept = edge.deliver()

    assert len(kept) == 1
    assert edge.calls["UpdateItem"] == 2 * 3 + 1, "one for the numbers of them all"
    assert [edge.app.get(f"job{n}").state for n in (1, -1, 2)] == [State.COMPLETED, State.RETRYING, State.COMPLETED]
    assert edge.app.get("job-1").error == "ValueError: -1 is negative, and a secret@example.com"
    (end_with_ticket,) = edge.receive(Lane.HIGH, "-dlq")
    assert end_with_ticket["Body"] == "not a job"
    assert end_with_ticket["MessageAttributes"]["cause"]["StringValue"] == Cause.INVALID


def test_a_message_stays_until_the_end_of_its_job_was_told_and_the_job_runs_once(edge: Edge) -> None:
    edge.square.enqueue(Number(n=7), job_id="job-1", webhook="https://hooks.example.com/")
    messages = edge.receive(Lane.HIGH)
    ledger, lanes = break_ports(edge.app)

    def deliver() -> list[str]:
        answer = edge.handler(edge.event(Lane.HIGH, messages), LambdaContext())
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    ledger.broken.add("put")
    lanes.broken.add("send")
    assert deliver() == [messages[0]["MessageId"]]
    assert (edge.app.get("job-1").state, edge.ran) == (State.COMPLETED, [7])
    mend_ports(edge.app)
    assert deliver() == []
    assert deliver() == []

    assert len({Envelope.decode(one["Body"]).id for one in edge.receive(Lane.LOW)}) == 1
    assert edge.ran == [7]


def test_a_kept_message_comes_back_after_its_wait(edge: Edge) -> None:
    edge.square.enqueue(Number(n=-1), job_id="job-1")
    edge.calls.clear()

    assert len(edge.deliver()) == 1

    assert edge.calls == {"UpdateItem": 3, "ChangeMessageVisibility": 1, "GetItem": 1}
    assert edge.receive(Lane.HIGH) == []


def test_a_dead_job_leaves_its_ticket_in_the_dead_letter_queue_with_its_cause(edge: Edge) -> None:
    edge.square.enqueue(Number(n=-1), job_id="job-1", attempts=1)

    assert edge.deliver() == []

    (ticket,) = edge.receive(Lane.HIGH, "-dlq")
    assert (Envelope.decode(ticket["Body"]).life, Envelope.decode(ticket["Body"]).ticket) == (2, True)
    assert ticket["MessageAttributes"]["cause"]["StringValue"] == Cause.EXHAUSTED
    assert edge.app.get("job-1").cause is Cause.EXHAUSTED


def test_two_copies_of_a_message_in_one_batch_run_the_job_once(edge: Edge) -> None:
    edge.square.enqueue(Number(n=3), job_id="job-1")
    (message,) = edge.receive(Lane.HIGH)
    event = edge.event(Lane.HIGH, [message, message | {"MessageId": "copy"}])

    answer = edge.handler(event, LambdaContext())

    assert (answer, edge.ran) == ({"batchItemFailures": []}, [3])


def test_a_job_that_runs_elsewhere_is_kept_until_its_lease_ends(edge: Edge) -> None:
    edge.square.enqueue(Number(n=50), job_id="job-1")
    (message,) = edge.receive(Lane.HIGH)
    event = edge.event(Lane.HIGH, [message])
    inner: list[object] = []
    elsewhere = worker(edge.app)
    ledger = edge.app.ports.ledger
    change = ledger.change

    def meanwhile(job_id: str, wanted: object) -> object:
        answer = change(job_id, wanted)  # type: ignore[arg-type]
        if wanted.name == "progress" and not inner:  # type: ignore[attr-defined]
            inner.append(elsewhere(event, LambdaContext()))  # type: ignore[arg-type]
        return answer

    ledger.change = meanwhile  # type: ignore[method-assign,assignment]
    assert edge.handler(event, LambdaContext()) == {"batchItemFailures": []}

    assert inner == [{"batchItemFailures": [{"itemIdentifier": message["MessageId"]}]}]
    assert edge.ran == [50]
    assert edge.app.get("job-1").progress == 50


def test_a_batch_whose_every_message_fails_is_answered_not_raised(edge: Edge) -> None:
    edge.square.enqueue_many([Number(n=-1), Number(n=-2)])

    assert len(edge.deliver()) == 2


def test_a_message_comes_back_where_the_ledger_does_not_answer(edge: Edge) -> None:
    edge.square.enqueue(Number(n=3), job_id="job-1")
    (message,) = edge.receive(Lane.HIGH)
    edge.clients.dynamodb.meta.events.register("before-sign.dynamodb", _unreachable)

    answer = edge.handler(edge.event(Lane.HIGH, [message]), LambdaContext())

    edge.clients.dynamodb.meta.events.unregister("before-sign.dynamodb", _unreachable)
    assert answer == {"batchItemFailures": [{"itemIdentifier": message["MessageId"]}]}
    assert (edge.ran, edge.app.get("job-1").attempts) == ([], 0)


def test_log_lines_are_structured_and_quote_no_payload(edge: Edge) -> None:
    written = StringIO()
    edge.app.use(
        replace(edge.app.ports, events=LogSink(Logger(service="test", level="DEBUG", location=None, stream=written)))
    )
    edge.square.enqueue(Number(n=-1), job_id="job-1")
    edge.deliver()

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    invoked = lines.pop()
    assert ["job.enqueued", "job.started", "job.retrying"] == [line["action"] for line in lines]
    assert (invoked["action"], invoked["level"]) == ("worker.invoked", "DEBUG")
    assert [("job-1", "number.square", "high", "numbers")] * 3 == [
        (line["job_id"], line["job_type"], line["lane"], line["queue"]) for line in lines
    ]
    assert (lines[2]["error_type"], lines[2]["attempt"]) == ("ValueError", 1)
    assert "secret" not in str(lines)


def test_a_table_that_is_not_there_is_said_and_the_message_is_kept(edge: Edge) -> None:
    edge.square.enqueue(Number(n=3), job_id="job-1")
    (message,) = edge.receive(Lane.HIGH)
    written = StringIO()
    edge.app.use(aws_ports(Settings(stack="elsewhere", region=REGION, endpoint=edge.sqs.meta.endpoint_url)))
    edge.app.use(replace(edge.app.ports, events=LogSink(Logger(service="elsewhere", location=None, stream=written))))

    answer = edge.handler(edge.event(Lane.HIGH, [message]), LambdaContext())

    assert len(answer["batchItemFailures"]) == 1
    (line,) = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (line["action"], line["level"]) == ("run.access_denied", "ERROR")
    assert "it doesn't exist; is LANEWORK_STACK right" in line["reason"]


def test_a_bulk_whose_ledger_vanishes_in_the_middle_is_sent_all_the_same(edge: Edge) -> None:
    puts: list[object] = []

    def vanish(**_: object) -> None:
        puts.append(1)
        if len(puts) > 30:
            _unreachable()

    edge.clients.dynamodb.meta.events.register("before-sign.dynamodb.PutItem", vanish)
    edge.square.enqueue_many([edge.square.request(Number(n=n), job_id=f"job-{n}") for n in range(60)])
    edge.clients.dynamodb.meta.events.unregister("before-sign.dynamodb.PutItem", vanish)

    assert edge.app.inspector.counts()[Lane.HIGH].waiting == 60
    for _ in range(8):
        edge.deliver()
    assert sorted(edge.ran) == list(range(60))


def test_switching_idempotency_off_runs_nothing_rather_than_everything_twice(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_IDEMPOTENCY_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    edge.square.enqueue(Number(n=3), job_id="job-1")

    with pytest.warns(UserWarning, match="Disabling idempotency"):
        assert len(edge.deliver()) == 1

    assert edge.ran == []
    assert edge.app.get("job-1").attempts == 0


def test_three_hundred_jobs_take_thirty_calls_to_send(edge: Edge) -> None:
    requests = [edge.square.request(Number(n=n), job_id=f"job-{n % 299}") for n in range(300)]

    receipts = edge.square.enqueue_many(requests)

    assert [299] == [index for index, receipt in enumerate(receipts) if receipt.duplicate]
    assert edge.calls["SendMessageBatch"] == 30
    assert edge.app.inspector.counts()[Lane.HIGH].waiting == 299


def _unreachable(**_: object) -> None:
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
