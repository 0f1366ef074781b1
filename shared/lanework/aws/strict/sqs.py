"""What SQS refuses (SQS API reference, SendMessage and ChangeMessageVisibility; SQS quotas, "Messages")."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.strict.refusal import BatchRule, Refusal
from lanework.engine.ports.messages import LARGEST_MESSAGE, LONGEST_SQS_DELAY
from lanework.model.job.sqs_text import refused_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lanework.aws.strict.refusal import Answer, Parameters, Rule

LONGEST_VISIBILITY_S: Final = 43_200
_INVALID: Final = "InvalidParameterValue"
_CODES: Final = "AWS.SimpleQueueService."
_ENTRIES: Final = 10
_ATTRIBUTES: Final = 10
_LONGEST_POLL_S: Final = 20
_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_GROUP: Final = re.compile(r"[\x21-\x7e]{1,128}")
_MOST_RECEIPTS: Final = 10_000
_HANDLE: Final = "lanework.receipt"


def _invalid(parameter: str, value: object, reason: str) -> Refusal:
    return Refusal(_INVALID, f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def _message(one: Parameters, call: Parameters) -> Refusal | None:
    """Judge a message, which is a call or an entry of one."""
    return _delay(one, call) or _group(one, call) or _body(one) or _attributes(one) or _size(one)


def _delay(one: Parameters, call: Parameters) -> Refusal | None:
    delay, most = one.get("DelaySeconds", 0), int(LONGEST_SQS_DELAY.total_seconds())
    if not isinstance(delay, int) or delay == 0:
        return None
    if _is_fifo(call):
        return _invalid("DelaySeconds", delay, "The request include parameter that is not valid for this queue type.")
    if not 0 <= delay <= most:
        return _invalid("DelaySeconds", delay, f"DelaySeconds must be >= 0 and <= {most}.")
    return None


def _group(one: Parameters, call: Parameters) -> Refusal | None:
    group = one.get("MessageGroupId")
    if group is None:
        missing = "The request must contain the parameter MessageGroupId."
        return Refusal("MissingParameter", missing) if _is_fifo(call) else None
    if _GROUP.fullmatch(str(group)) is None:
        reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        return _invalid("MessageGroupId", group, reason)
    return None


def _is_fifo(call: Parameters) -> bool:
    return str(call.get("QueueUrl", "")).endswith(".fifo")


def _body(one: Parameters) -> Refusal | None:
    body = str(one.get("MessageBody", ""))
    if not body:
        return Refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    refused = None if body.isascii() and body.isprintable() else refused_in(body)
    if refused is not None:
        allowed = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        character = f"#x{int(refused.removeprefix('U+'), 16):X}"
        problem = f"Invalid binary character '{character}' was found in the message body"
        return Refusal("InvalidMessageContents", f"{problem}, the set of allowed characters is {allowed}")
    return None


def _attributes(one: Parameters) -> Refusal | None:
    attributes: Mapping[str, Any] = one.get("MessageAttributes") or {}
    if len(attributes) > _ATTRIBUTES:
        problem = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{_ATTRIBUTES}]."
        return Refusal(_INVALID, problem)
    for name, value in attributes.items():
        if value.get("StringValue") == "" or value.get("BinaryValue") == b"":
            kind = value.get("DataType")
            problem = f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
            return Refusal(_INVALID, problem)
    return None


def _size(one: Parameters) -> Refusal | None:
    if _size_of(one) > LARGEST_MESSAGE:
        problem = f"One or more parameters are invalid. Reason: Message must be shorter than {LARGEST_MESSAGE} bytes."
        return Refusal(_INVALID, problem)
    return None


def _size_of(one: Parameters) -> int:
    parts: list[str | bytes] = [str(one.get("MessageBody", ""))]
    for name, value in (one.get("MessageAttributes") or {}).items():
        parts += [name, value.get("DataType", ""), value.get("StringValue", ""), value.get("BinaryValue", b"")]
    return sum(len(part) if isinstance(part, bytes) else len(part.encode(errors="replace")) for part in parts)


def _batch(size_of: Callable[[Parameters], int]) -> Rule:
    """Return the rule of a batch, given what counts as an entry's size."""

    def judge(call: Parameters) -> Refusal | None:
        entries = call.get("Entries") or []
        ids = [str(one.get("Id", "")) for one in entries]
        if not entries:
            return Refusal(f"{_CODES}EmptyBatchRequest", "There should be at least one entry in the request.")
        if len(entries) > _ENTRIES:
            problem = f"Maximum number of entries per request are {_ENTRIES}. You have sent {len(entries)}."
            return Refusal(f"{_CODES}TooManyEntriesInBatchRequest", problem)
        if any(_ENTRY_ID.fullmatch(one) is None for one in ids):
            problem = "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            return Refusal(f"{_CODES}InvalidBatchEntryId", f"{problem} It can be at most 80 letters long.")
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            return Refusal(f"{_CODES}BatchEntryIdsNotDistinct", f"Id {twice} repeated.")
        size = sum(map(size_of, entries))
        if size > LARGEST_MESSAGE:
            problem = f"Batch requests cannot be longer than {LARGEST_MESSAGE} bytes. You have sent {size} bytes."
            return Refusal(f"{_CODES}BatchRequestTooLong", problem)
        return None

    return judge


def _visibility(one: Parameters, _: Parameters | None = None) -> Refusal | None:
    seconds = one.get("VisibilityTimeout", 0)
    if isinstance(seconds, int) and not 0 <= seconds <= LONGEST_VISIBILITY_S:
        reason = f"VisibilityTimeout must be an integer between 0 and {LONGEST_VISIBILITY_S}"
        return _invalid("VisibilityTimeout", seconds, reason)
    return None


def _receive(call: Parameters) -> Refusal | None:
    count, wait_s = call.get("MaxNumberOfMessages", 1), call.get("WaitTimeSeconds", 0)
    if isinstance(count, int) and not 1 <= count <= _ENTRIES:
        return _invalid("MaxNumberOfMessages", count, f"Must be between 1 and {_ENTRIES}, if provided.")
    if isinstance(wait_s, int) and not 0 <= wait_s <= _LONGEST_POLL_S:
        return _invalid("WaitTimeSeconds", wait_s, f"Must be >= 0 and <= {_LONGEST_POLL_S}, if provided.")
    return _visibility(call)


def _add_failed(parsed: Parameters, failed: dict[int, Refusal], entries: list[Parameters]) -> None:
    parsed.setdefault("Successful", [])
    parsed.setdefault("Failed", []).extend(
        {"Id": entries[place]["Id"], "SenderFault": True, "Code": one.code, "Message": one.message}
        for place, one in failed.items()
    )


class Receipts:
    """
    When messages were received, by the receipt handle.

    A message may be hidden for 12 hours in all, counted from then (SQS developer guide, "Visibility timeout").
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; `clock` gives seconds."""
        self._clock = clock
        self._received: dict[str, float] = {}

    def note(self, parsed: Parameters, **_: object) -> None:
        """Note what was received, and forget the oldest."""
        now = self._clock()
        for one in parsed.get("Messages", []):
            self._received[one["ReceiptHandle"]] = now
        while len(self._received) > _MOST_RECEIPTS:
            self._received.pop(next(iter(self._received)), None)

    def keep(self, params: Parameters, context: Parameters, **_: object) -> None:
        """Keep a call's parameters for `judge`."""
        context[_HANDLE] = params

    def judge(self, context: Parameters, **_: object) -> Answer | None:
        """Refuse to hide a message for longer than is left."""
        call = context[_HANDLE]
        received, seconds = self._received.get(str(call.get("ReceiptHandle"))), call.get("VisibilityTimeout")
        if received is None or not isinstance(seconds, int):
            return None
        if seconds + int(self._clock() - received) <= LONGEST_VISIBILITY_S:
            return None
        reason = f"Total VisibilityTimeout for the message is beyond the limit [{LONGEST_VISIBILITY_S} seconds]"
        return _invalid("VisibilityTimeout", seconds, reason).answer()


def _no_size(_: Parameters) -> int:
    return 0


RULES: Final[dict[str, Rule]] = {
    "sqs.SendMessage": lambda call: _message(call, call),
    "sqs.ChangeMessageVisibility": _visibility,
    "sqs.ReceiveMessage": _receive,
}

BATCH_RULES: Final = {
    "sqs.SendMessageBatch": BatchRule(whole=_batch(_size_of), entry=_message, add=_add_failed),
    "sqs.ChangeMessageVisibilityBatch": BatchRule(whole=_batch(_no_size), entry=_visibility, add=_add_failed),
}
