"""The queues of the lanes on SQS, and what is done with messages that were received from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.clients import translated
from lanework.errors import ConfigError, UnavailableError
from lanework.model.events import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.aws.clients import Clients

BATCH: Final = 10
"""Most messages of one call (SQS quotas, "Message batch")."""

_TRIES: Final = 2
"""How often an entry is tried that SQS failed to do for reasons of its own; the call itself is retried by boto."""

ReportFailure = Callable[[Action, str, str], object]
"""Gets what SQS didn't do with received messages, why, and of which lane: once for each kind of failure."""


class Queues:
    """The queues `<stack>-<lane>` and `<stack>-<lane>-dlq`."""

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._clients = clients
        self._stack = stack
        self._urls: dict[str, str] = {}

    def url(self, lane: str, suffix: str = "") -> str:
        """Build a queue's address from the endpoint, so that whatever stands in front of SQS is not bypassed."""
        name = f"{self._stack}-{lane}{suffix}"
        if name not in self._urls:
            endpoint = self._clients.sqs.meta.endpoint_url.rstrip("/")
            self._urls[name] = f"{endpoint}/{self._clients.account}/{name}"
        return self._urls[name]


class ReceivedMessages:
    """
    Deletes received messages, and changes for how long they are hidden, ten a call.

    Never raises: a message that wasn't deleted comes back and is dropped, one that isn't hidden for longer comes back
    sooner. An entry that SQS failed to do is tried once more, unless that is the sender's fault: a receipt handle that
    has expired stays so. What isn't done then is reported, once for each kind of failure.
    """

    def __init__(self, clients: Clients, queues: Queues, report: ReportFailure) -> None:
        self._clients = clients
        self._queues = queues
        self._report = report
        self._reported: set[tuple[Action, str]] = set()

    def delete(self, lane: str, handles: Sequence[str], *, suffix: str = "") -> None:
        def call(entries: Any) -> Any:  # noqa: ANN401 - boto's
            return self._clients.sqs.delete_message_batch(QueueUrl=self._queues.url(lane, suffix), Entries=entries)

        self._do(Action.MESSAGE_DELETE_FAILED, lane, [{"ReceiptHandle": one} for one in handles], call)

    def hide(self, lane: str, handles: Mapping[str, timedelta], *, suffix: str = "") -> None:
        def call(entries: Any) -> Any:  # noqa: ANN401 - boto's
            url = self._queues.url(lane, suffix)
            return self._clients.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)

        wanted = [{"ReceiptHandle": one, "VisibilityTimeout": seconds(after)} for one, after in handles.items()]
        self._do(Action.MESSAGE_VISIBILITY_FAILED, lane, wanted, call)

    def hide_one(self, lane: str, handle: str, after: timedelta) -> None:
        def call(entries: list[dict[str, Any]]) -> dict[str, Any]:
            entry = {"ReceiptHandle": handle, "VisibilityTimeout": entries[0]["VisibilityTimeout"]}
            self._clients.sqs.change_message_visibility(QueueUrl=self._queues.url(lane), **entry)
            return {}

        self._do(Action.MESSAGE_VISIBILITY_FAILED, lane, [{"VisibilityTimeout": seconds(after)}], call)

    def _do(self, action: Action, lane: str, wanted: list[dict[str, Any]], call: Callable[[Any], Any]) -> None:
        for start in range(0, len(wanted), BATCH):
            left = [{"Id": str(index), **one} for index, one in enumerate(wanted[start : start + BATCH])]
            for number in range(1, _TRIES + 1):
                try:
                    with translated(f"{action}, lane {lane}"):
                        failed = call(left).get("Failed", [])
                except (UnavailableError, ConfigError) as error:
                    self._say(action, lane, _kind_of(error), str(error))
                    break
                retried = {one["Id"] for one in failed if not one.get("SenderFault") and number < _TRIES}
                for one in failed:
                    if one["Id"] not in retried:
                        self._say(action, lane, one["Code"], f"{one['Code']}: {one.get('Message', '')}")
                left = [one for one in left if one["Id"] in retried]
                if not left:
                    break

    def _say(self, action: Action, lane: str, kind: str, reason: str) -> None:
        if (action, kind) not in self._reported:
            self._reported.add((action, kind))
            self._report(action, lane, reason)


def seconds(duration: timedelta) -> int:
    """Whole seconds, rounded up: SQS counts in them, and too early is worse than too late."""
    return -(-duration // timedelta(seconds=1))


def _kind_of(error: UnavailableError | ConfigError) -> str:
    cause = error.__cause__
    return cause.response["Error"]["Code"] if isinstance(cause, ClientError) else type(error).__name__
