"""What a job can be enqueued for: objects in S3, messages of SNS, events of EventBridge, messages of others in SQS."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lanework.aws_events.patterns import checked_pattern, matches, overlap
from lanework.errors import InvalidOptionError, is_a, shown
from lanework.model.lanes import ALL_LANES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.aws_events.received import Event

EVENTS: Final = "aws-events"
"""Which queue S3, SNS and EventBridge send to: `<stack>-aws-events`."""

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TOPIC: Final = re.compile(r"(arn:[\w-]+:sns:[\w-]+:\d{12}:)?[A-Za-z0-9_-]{1,256}")
_QUEUE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_S3: Final = "aws.s3"


@dataclass(frozen=True, slots=True)
class S3Created:
    """
    An object was made in a bucket: put, copied, or completed in parts.

    The bucket must send its events to EventBridge: `EventBridgeConfiguration: {}` in its notification configuration.

    Attributes:
        bucket: The bucket's name.
        prefix: How the key begins.
        suffix: How the key ends, such as `.csv`.
    """

    bucket: str
    prefix: str = field(default="", kw_only=True)
    suffix: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not (is_a(self.bucket, str) and _BUCKET.fullmatch(self.bucket)):
            msg = f"S3Created takes a bucket's name, 3 to 63 of a-z, 0-9, . and -, got {shown(self.bucket)}"
            raise InvalidOptionError(msg)
        for name, value in (("prefix", self.prefix), ("suffix", self.suffix)):
            if not is_a(value, str):
                msg = f"{name} of S3Created must be text, got {shown(value)}"
                raise InvalidOptionError(msg)

    @property
    def pattern(self) -> dict[str, Any]:
        """The pattern of its rule; a list in a pattern means any of it, so prefix and suffix make one wildcard."""
        pattern: dict[str, Any] = {
            "source": [_S3],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [self.bucket]}},
        }
        if self.prefix and self.suffix:
            key: dict[str, str] = {"wildcard": f"{_escaped(self.prefix)}*{_escaped(self.suffix)}"}
        else:
            key = {"prefix": self.prefix} if self.prefix else {"suffix": self.suffix}
        if self.prefix or self.suffix:
            pattern["detail"]["object"] = {"key": [key]}
        return pattern

    @property
    def queue(self) -> str:
        """The queue that they come through."""
        return EVENTS

    def overlaps(self, other: object) -> bool:
        """Tell whether one object may be meant by both."""
        if not isinstance(other, S3Created):
            return isinstance(other, EventPattern) and overlap(self.pattern, other.pattern)
        return (
            self.bucket == other.bucket
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )

    def takes(self, event: Event) -> bool:
        """Tell whether an event is one of these."""
        made = event.s3
        return (
            made is not None
            and made.bucket == self.bucket
            and made.key.startswith(self.prefix)
            and made.key.endswith(self.suffix)
        )

    def __str__(self) -> str:
        more = "".join(f", {name}={value!r}" for name, value in self._said if value)
        return f"S3Created({self.bucket!r}{more})"

    @property
    def _said(self) -> tuple[tuple[str, str], ...]:
        return (("prefix", self.prefix), ("suffix", self.suffix))


@dataclass(frozen=True, slots=True)
class SnsTopic:
    """
    A message of an SNS topic.

    Attributes:
        topic: Its name, for one of this account and region; or its ARN.
    """

    topic: str

    def __post_init__(self) -> None:
        if not (is_a(self.topic, str) and _TOPIC.fullmatch(self.topic)):
            msg = f"SnsTopic takes a topic's name or ARN, and no FIFO topic, got {shown(self.topic)}"
            raise InvalidOptionError(msg)

    @property
    def queue(self) -> str:
        """The queue that they come through."""
        return EVENTS

    def overlaps(self, other: object) -> bool:
        """Tell whether one message may be meant by both."""
        if not isinstance(other, SnsTopic):
            return False
        is_certain = self._is_arn and other._is_arn  # noqa: SLF001 - of its own kind
        return self.topic == other.topic if is_certain else self._name == other._name  # noqa: SLF001 - as above

    def takes(self, event: Event) -> bool:
        """Tell whether an event is one of these."""
        arn = event.topic
        return arn is not None and (arn == self.topic if self._is_arn else arn.rpartition(":")[2] == self.topic)

    @property
    def _is_arn(self) -> bool:
        return self.topic.startswith("arn:")

    @property
    def _name(self) -> str:
        return self.topic.rpartition(":")[2]

    def __str__(self) -> str:
        return f"SnsTopic({self.topic!r})"


@dataclass(frozen=True, slots=True)
class EventPattern:
    """
    Events on an EventBridge bus that match a pattern.

    Attributes:
        pattern: As EventBridge has it: `{"source": ["shop.orders"], "detail": {"total": [{"numeric": [">", 100]}]}}`.
        bus: The bus's name.
    """

    pattern: Mapping[str, Any]
    bus: str = field(default="default", kw_only=True)

    def __post_init__(self) -> None:
        checked_pattern(self.pattern)
        if not (is_a(self.bus, str) and re.fullmatch(r"[\w./-]{1,256}", self.bus)):
            msg = f"bus must be the name of an EventBridge bus, got {shown(self.bus)}"
            raise InvalidOptionError(msg)

    @property
    def queue(self) -> str:
        """The queue that they come through."""
        return EVENTS

    def overlaps(self, other: object) -> bool:
        """Tell whether one event may be meant by both, on whatever bus: an event doesn't say its own."""
        return isinstance(other, EventPattern | S3Created) and overlap(self.pattern, other.pattern)

    def takes(self, event: Event) -> bool:
        """Tell whether an event is one of these."""
        return event.is_of_bus and matches(self.pattern, event.raw)

    def __str__(self) -> str:
        return f"EventPattern({dict(self.pattern)})"


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """
    A queue `<stack>-<name>` that others fill; the template has it, its dead-letter queue and its mapping.

    Attributes:
        name: One word of lower-case letters, digits and -, not ending in a lane's name.
    """

    name: str

    def __post_init__(self) -> None:
        is_word = is_a(self.name, str) and _QUEUE.fullmatch(self.name) is not None
        if not is_word or self.name == EVENTS or self.name.rpartition("-")[2] in {*ALL_LANES, "dlq"}:
            msg = (
                f"SqsQueue takes a name for a queue of its own: lower-case letters, digits and -, at most 40, not "
                f"ending in a lane's name or 'dlq', got {shown(self.name)}"
            )
            raise InvalidOptionError(msg)

    @property
    def queue(self) -> str:
        """The queue that they come through."""
        return self.name

    def overlaps(self, other: object) -> bool:
        """Tell whether it is the same queue."""
        return isinstance(other, SqsQueue) and self.name == other.name

    def takes(self, event: Event) -> bool:
        """Tell whether an event is a message of this queue."""
        return event.queue == self.name

    def __str__(self) -> str:
        return f"SqsQueue({self.name!r})"


AwsSource = S3Created | SnsTopic | EventPattern | SqsQueue


def _escaped(text: str) -> str:
    return re.sub(r"([*\\])", r"\\\1", text)
