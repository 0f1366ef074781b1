"""Probes of queues that are handed to a function: one for each line of the table that begins with `mapping_`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lanework.local.probe.functions import INVALID, OUT_OF_RANGE, TIMEOUT_S, shared_function
from lanework.local.probe.lab import check, refused
from lanework.local.probe.sqs import arn_of, make_pair, make_queue

if TYPE_CHECKING:
    from lanework.local.probe.lab import Lab


def _map(lab: Lab, url: str, **options: Any) -> None:  # noqa: ANN401 - as boto has them
    """Hand a queue's messages to the function; within seconds it does so."""
    functions = lab.client("lambda")
    made: dict[str, str] = {}
    lab.delete_later(f"mapping of {url}", lambda: made and functions.delete_event_source_mapping(UUID=made["id"]))
    request = {"EventSourceArn": arn_of(lab, url), "FunctionName": shared_function(lab), "BatchSize": 10, **options}
    made["id"] = functions.create_event_source_mapping(**request)["UUID"]

    def is_on() -> bool:
        return bool(functions.get_event_source_mapping(UUID=made["id"]).get("State", "Enabled") == "Enabled")

    lab.wait_for(is_on, what="the mapping was never enabled")


def _map_refused(lab: Lab, url: str, *codes: str, **options: Any) -> str:  # noqa: ANN401 - as boto has them
    shared_function(lab)
    return refused(lambda: _map(lab, url, **options), *codes)


def mapping_least_concurrency(lab: Lab) -> str:
    scaling = {"MaximumConcurrency": 1}
    return _map_refused(lab, make_queue(lab), INVALID, OUT_OF_RANGE, ScalingConfig=scaling)


def mapping_window(lab: Lab) -> str:
    return _map_refused(lab, make_queue(lab), INVALID, BatchSize=11)


def mapping_visibility(lab: Lab) -> str:
    return _map_refused(lab, make_queue(lab, VisibilityTimeout=str(TIMEOUT_S - 1)), INVALID)


def _outcome(lab: Lab, *orders: dict[str, str]) -> dict[str, str]:
    """Hand orders to the function, one time each; return what became of each: `deleted`, or `came back`, to the DLQ."""
    url, dead = make_pair(lab, receives=1, VisibilityTimeout=str(TIMEOUT_S))
    sqs = lab.client("sqs")
    entries = [{"Id": one["id"], "MessageBody": json.dumps(one)} for one in orders]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    _map(lab, url, FunctionResponseTypes=["ReportBatchItemFailures"])
    back: set[str] = set()
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_over() -> bool:
        found = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
        back.update(json.loads(one["Body"])["id"] for one in found)
        left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        return not found and {left[one] for one in counts} == {"0"}

    lab.wait_for(is_over, what="the messages stayed")
    end = time.monotonic() + lab.pace.quiet_s  # counts are approximate
    while time.monotonic() < end:
        is_over()
        time.sleep(1)
    return {one["id"]: "came back" if one["id"] in back else "deleted" for one in orders}


def mapping_partial_failure(lab: Lab) -> str:
    found = _outcome(lab, {"id": "good", "do": "succeed"}, {"id": "bad", "do": "fail"})
    check(found == {"good": "deleted", "bad": "came back"}, f"good {found['good']}, bad {found['bad']}")
    return "only the message that failed came back"


def _comes_back(lab: Lab, **order: str) -> str:
    found = _outcome(lab, {"id": "one", **order})["one"]
    check(found == "came back", f"the message is {found}")
    return "the message came back"


def mapping_unknown_identifier(lab: Lab) -> str:
    return _comes_back(lab, do="fail", **{"as": "nobody"})


def mapping_empty_identifier(lab: Lab) -> str:
    return _comes_back(lab, do="fail", **{"as": ""})


def mapping_error(lab: Lab) -> str:
    return _comes_back(lab, do="raise")


def _spans(lab: Lab, **options: Any) -> list[tuple[float, float]]:  # noqa: ANN401 - as boto has them
    """Hand a burst of messages to the function; return from when to when each was worked on."""
    url, report = make_queue(lab, VisibilityTimeout="30"), make_queue(lab)
    sqs = lab.client("sqs")
    for number in range(lab.pace.burst):
        body = json.dumps({"id": str(number), "do": "wait", "to": report})
        sqs.send_message(QueueUrl=url, MessageBody=body)
    _map(lab, url, BatchSize=1, **options)
    spans: list[tuple[float, float]] = []

    def all_came() -> bool:
        for one in sqs.receive_message(QueueUrl=report, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=report, ReceiptHandle=one["ReceiptHandle"])
            begun, ended = json.loads(one["Body"])
            spans.append((begun, ended))
        return len(spans) >= lab.pace.burst

    lab.wait_for(all_came, what="not all messages were worked on")
    return spans


def _most_at_once(spans: list[tuple[float, float]]) -> int:
    return max(sum(begun <= moment < ended for begun, ended in spans) for moment, _ in spans)


def mapping_most_concurrency(lab: Lab) -> str:
    most = _most_at_once(_spans(lab, ScalingConfig={"MaximumConcurrency": 2}))
    check(most <= 2, f"{most} at once")  # noqa: PLR2004 - what was asked for
    return f"{most} at once"


def mapping_scale_up(lab: Lab) -> str:
    """AWS begins with 5 and adds 5 a second; as many again are allowed for what is late to be counted."""
    spans = _spans(lab)
    first = min(begun for begun, _ in spans)
    most = _most_at_once([span for span in spans if span[0] < first + 1])
    check(most <= 15, f"{most} at once within a second")  # noqa: PLR2004 - as above
    return f"{most} at once within a second, {_most_at_once(spans)} at most"
