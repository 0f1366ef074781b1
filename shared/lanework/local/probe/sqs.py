"""Probes of SQS: one for each line of the table that begins with `sqs_`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from lanework.local.probe.lab import TAG, check, refused

if TYPE_CHECKING:
    from lanework.local.probe.lab import Lab

MEBIBYTE: Final = 1024 * 1024
INVALID: Final = "InvalidParameterValue"
_LONGEST_S: Final = 43_200


def make_queue(lab: Lab, *, name: str = "", **attributes: str) -> str:
    """Make a queue, and return its address."""
    sqs, name = lab.client("sqs"), name or lab.name()
    lab.delete_later(
        f"SQS queue {name}", lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    )
    return str(sqs.create_queue(QueueName=name, Attributes=attributes, tags={TAG: lab.prefix})["QueueUrl"])


def arn_of(lab: Lab, url: str) -> str:
    """Return a queue's ARN."""
    answer = lab.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def make_pair(lab: Lab, *, receives: int, **attributes: str) -> tuple[str, str]:
    """Make a queue and its dead-letter queue, and return their addresses."""
    dead = make_queue(lab)
    policy = json.dumps({"deadLetterTargetArn": arn_of(lab, dead), "maxReceiveCount": receives})
    return make_queue(lab, RedrivePolicy=policy, **attributes), dead


def receive(lab: Lab, url: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto has them
    """Wait for a message, and return it."""
    sqs = lab.client("sqs")

    def found() -> list[dict[str, Any]]:
        asked = {"WaitTimeSeconds": lab.pace.long_poll_s, **options}
        messages: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])
        return messages

    message: dict[str, Any] = lab.wait_for(found, what="the message didn't come")[0]
    return message


def _queue(lab: Lab) -> str:
    return str(lab.shared("queue", lambda: make_queue(lab)))


def _fifo(lab: Lab) -> str:
    return str(lab.shared("fifo", lambda: make_queue(lab, name=f"{lab.name()}.fifo", FifoQueue="true")))


def _send_refused(lab: Lab, *codes: str, **message: Any) -> str:  # noqa: ANN401 - as boto has them
    return refused(lambda: lab.client("sqs").send_message(QueueUrl=_queue(lab), **message), *codes)


def _batch_refused(lab: Lab, code: str, *entries: dict[str, Any]) -> str:
    batch = lab.client("sqs").send_message_batch
    return refused(lambda: batch(QueueUrl=_queue(lab), Entries=entries), f"AWS.SimpleQueueService.{code}", code)


def sqs_delay(lab: Lab) -> str:
    return _send_refused(lab, INVALID, MessageBody="late", DelaySeconds=901)


def sqs_delay_on_fifo(lab: Lab) -> str:
    message = {"MessageBody": "late", "DelaySeconds": 5, "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    return refused(lambda: lab.client("sqs").send_message(QueueUrl=_fifo(lab), **message), INVALID)


def sqs_fifo_group(lab: Lab) -> str:
    return refused(lambda: lab.client("sqs").send_message(QueueUrl=_fifo(lab), MessageBody="x"), "MissingParameter")


def sqs_characters(lab: Lab) -> str:
    return _send_refused(lab, "InvalidMessageContents", MessageBody="a\ufffeb")


def sqs_empty_body(lab: Lab) -> str:
    return _send_refused(lab, "MissingParameter", MessageBody="")


def sqs_largest_message(lab: Lab) -> str:
    lab.client("sqs").send_message(QueueUrl=_queue(lab), MessageBody="x" * MEBIBYTE)
    return "1,048,576 bytes sent"


def sqs_message_size(lab: Lab) -> str:
    return _send_refused(lab, INVALID, MessageBody="é" * (MEBIBYTE // 2 + 1))


def sqs_attributes_in_size(lab: Lab) -> str:
    attributes = {"note": {"DataType": "String", "StringValue": "y" * 100}}
    return _send_refused(lab, INVALID, MessageBody="x" * (MEBIBYTE - 50), MessageAttributes=attributes)


def sqs_attribute_count(lab: Lab) -> str:
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "1"} for number in range(11)}
    return _send_refused(lab, INVALID, MessageBody="x", MessageAttributes=attributes)


def sqs_empty_attribute(lab: Lab) -> str:
    attributes = {"note": {"DataType": "String", "StringValue": ""}}
    return _send_refused(lab, INVALID, MessageBody="x", MessageAttributes=attributes)


def sqs_group_id(lab: Lab) -> str:
    return _send_refused(lab, INVALID, MessageBody="x", MessageGroupId="g" * 129)


def sqs_batch_entries(lab: Lab) -> str:
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    return _batch_refused(lab, "TooManyEntriesInBatchRequest", *entries)


def sqs_empty_batch(lab: Lab) -> str:
    return _batch_refused(lab, "EmptyBatchRequest")


def sqs_batch_size(lab: Lab) -> str:
    entries = [{"Id": str(number), "MessageBody": "x" * (MEBIBYTE // 2 + 1)} for number in range(2)]
    return _batch_refused(lab, "BatchRequestTooLong", *entries)


def sqs_batch_ids_differ(lab: Lab) -> str:
    return _batch_refused(lab, "BatchEntryIdsNotDistinct", *[{"Id": "same", "MessageBody": "x"}] * 2)


def sqs_batch_entry_id(lab: Lab) -> str:
    return _batch_refused(lab, "InvalidBatchEntryId", {"Id": "not/allowed", "MessageBody": "x"})


def sqs_batch_partial_failure(lab: Lab) -> str:
    entries = [{"Id": "good", "MessageBody": "x"}, {"Id": "late", "MessageBody": "x", "DelaySeconds": 901}]
    answer = lab.client("sqs").send_message_batch(QueueUrl=_queue(lab), Entries=entries)
    failed = {one["Id"]: one["Code"] for one in answer.get("Failed", [])}
    check(failed.keys() == {"late"}, f"failed: {', '.join(failed) or 'none'}")
    return str(failed["late"])


def sqs_receive_count(lab: Lab) -> str:
    sqs = lab.client("sqs")
    return refused(lambda: sqs.receive_message(QueueUrl=_queue(lab), MaxNumberOfMessages=11), INVALID)


def sqs_long_poll(lab: Lab) -> str:
    sqs = lab.client("sqs")
    return refused(lambda: sqs.receive_message(QueueUrl=make_queue(lab), WaitTimeSeconds=21), INVALID)


def sqs_unknown_queue(lab: Lab) -> str:
    url = make_queue(lab)
    unknown = f"{url}-unknown"
    code = "AWS.SimpleQueueService.NonExistentQueue"
    return refused(lambda: lab.client("sqs").send_message(QueueUrl=unknown, MessageBody="x"), code)


def _received(lab: Lab, **attributes: str) -> tuple[str, str]:
    """Return the address of a queue, and the receipt handle of its one message."""
    url = make_queue(lab, **attributes)
    lab.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    return url, str(receive(lab, url, VisibilityTimeout=60)["ReceiptHandle"])


def _hide(lab: Lab, url: str, handle: str, seconds: int) -> None:
    lab.client("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=seconds)


def sqs_visibility(lab: Lab) -> str:
    url, handle = _received(lab)
    return refused(lambda: _hide(lab, url, handle, _LONGEST_S + 1), INVALID)


def sqs_visibility_in_total(lab: Lab) -> str:
    url, handle = _received(lab)
    time.sleep(1.1)
    return refused(lambda: _hide(lab, url, handle, _LONGEST_S), INVALID)


def sqs_handle(lab: Lab) -> str:
    url, _ = _received(lab)
    delete = lab.client("sqs").delete_message
    return refused(lambda: delete(QueueUrl=url, ReceiptHandle="nonsense"), "ReceiptHandleIsInvalid")


def sqs_handle_expires(lab: Lab) -> str:
    url = make_queue(lab)
    lab.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    first = receive(lab, url, VisibilityTimeout=1)["ReceiptHandle"]
    second = receive(lab, url, VisibilityTimeout=60)["ReceiptHandle"]
    check(first != second, "the same handle for both receives")
    return "each receive has a handle of its own"


def sqs_deleted_twice(lab: Lab) -> str:
    url, handle = _received(lab)
    for _ in range(2):
        lab.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=handle)
    return "accepted both times"


def sqs_max_receive_count(lab: Lab) -> str:
    url, dead = make_pair(lab, receives=1)
    lab.client("sqs").send_message(QueueUrl=url, MessageBody="again and again")
    receive(lab, url, VisibilityTimeout=0)

    def is_dead() -> bool:
        lab.client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)
        return bool(lab.client("sqs").receive_message(QueueUrl=dead, VisibilityTimeout=0).get("Messages"))

    lab.wait_for(is_dead, what="the message stayed")
    return "moved to the dead-letter queue"


def sqs_fair_group(lab: Lab) -> str:
    url = make_queue(lab)
    lab.client("sqs").send_message(QueueUrl=url, MessageBody="x", MessageGroupId="tenant")
    found = receive(lab, url, MessageSystemAttributeNames=["MessageGroupId"]).get("Attributes", {})
    check(found.get("MessageGroupId") == "tenant", "the group is lost")
    return "the group is kept"


def sqs_move_task(lab: Lab) -> str:
    url, dead = make_pair(lab, receives=1000)
    lab.client("sqs").send_message(QueueUrl=dead, MessageBody="ticket")
    lab.client("sqs").start_message_move_task(SourceArn=arn_of(lab, dead), DestinationArn=arn_of(lab, url))
    check(receive(lab, url)["Body"] == "ticket", "another message came")
    return "moved"
