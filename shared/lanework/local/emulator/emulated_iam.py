"""What MiniStack's evaluation of IAM's policies lacks. Loaded by the emulator's process (server.py), by nobody else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ministack import app as ministack
from ministack.core import iam_actions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PK_IN_STATEMENT: Final = re.compile(r"\bpk'? ?[=:] \?")
"""Where a PartiQL statement of Lanework's has its partition key."""

VERB_AND_TABLE: Final = re.compile(r'\s*(INSERT|UPDATE|DELETE|SELECT)\b[^"]*"([^"]+)"', re.IGNORECASE)
"""What a PartiQL statement does, and to which table."""

EXECUTING: Final = frozenset({"dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement"})

OF_ONE: Final = {f"sqs:{one}Batch": f"sqs:{one}" for one in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}
"""The calls of SQS that have no right of their own: who may do it to one message may do it to ten."""


def read_policies_as_aws() -> None:
    """Name rights and resources as AWS does, know DynamoDB's leading keys, and take loopback for TLS."""
    _name_rights()
    _name_resources()
    _look_into_statements()
    _know_leading_keys()
    _take_loopback_for_tls()


def _name_rights() -> None:
    """Ask for the right to send one message where a batch is sent; MiniStack asks for one that AWS doesn't have."""
    named: Callable[..., str | None] = iam_actions.extract_iam_action

    def as_aws(*call: Any) -> str | None:  # noqa: ANN401 - MiniStack has no types
        right = named(*call)
        return None if right is None else OF_ONE.get(right, right)

    iam_actions.extract_iam_action = as_aws


def _name_resources() -> None:
    """Ask for the right to a schedule in its group and to a bus; MiniStack takes each group for the default one."""
    named: Callable[..., str] = iam_actions.extract_resource_arn

    def as_aws(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any) -> str:  # noqa: ANN401 - as above
        arn = named(service, method, path, headers, body, query, *rest)
        if service == "scheduler":
            group = _text_in(body, "GroupName") or "".join(query.get("groupName", "")) or "default"
            return arn.replace(":schedule/default/", f":schedule/{group}/")
        if service == "events" and headers.get("x-amz-target", "").endswith(".DescribeEventBus"):
            return arn.replace(":rule/default/", ":event-bus/")
        return arn

    iam_actions.extract_resource_arn = as_aws


def _text_in(body: bytes, field: str) -> str:
    """Return a field of a call's JSON; empty where it has none."""
    call = json.loads(body) if body.startswith(b"{") else {}
    return str(call.get(field) or "")


def _look_into_statements() -> None:
    """Ask for the right to what each statement does to its table; MiniStack asks for one to execute statements."""
    checks: Callable[..., list[tuple[str, str]]] = iam_actions.dynamodb_transaction_checks

    def as_aws(right: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if right not in EXECUTING:
            return checks(right, body, region, account)
        call = json.loads(body)
        found = (VERB_AND_TABLE.match(one["Statement"]) for one in call.get("Statements", [call]))
        return [
            (f"dynamodb:PartiQL{one[1].capitalize()}", f"arn:aws:dynamodb:{region}:{account}:table/{one[2]}")
            for one in found
            if one is not None
        ]

    iam_actions.dynamodb_transaction_checks = as_aws


def _know_leading_keys() -> None:
    """Let a policy's condition on `dynamodb:LeadingKeys` see a call's partition keys; MiniStack knows none."""
    known: Callable[[bytes], dict[str, Any]] = iam_actions.dynamodb_service_context

    def with_keys(body: bytes) -> dict[str, Any]:
        keys = list(_partition_keys(json.loads(body or b"{}")))
        return {**known(body), **({"dynamodb:LeadingKeys": keys} if keys else {})}

    iam_actions.dynamodb_service_context = with_keys


def _partition_keys(call: Any) -> Iterator[str]:  # noqa: ANN401 - DynamoDB's JSON
    """Return the partition keys, which our tables call `pk`, of keys, items and statements anywhere in a call."""
    for one in call.values() if isinstance(call, dict) else call if isinstance(call, list) else ():
        yield from _partition_keys(one)
    if not isinstance(call, dict):
        return
    if isinstance(call.get("pk"), dict) and "S" in call["pk"]:
        yield call["pk"]["S"]
    statement = str(call.get("Statement", ""))
    place = PK_IN_STATEMENT.search(statement)
    if place is not None:
        yield call["Parameters"][statement.count("?", 0, place.end()) - 1]["S"]


def _take_loopback_for_tls() -> None:
    """Let policies that refuse calls without TLS refuse none: what listens on loopback only has none."""
    pin: Callable[[str, bool], None] = ministack.pin_request_origin
    ministack.pin_request_origin = lambda address, _: pin(address, True)  # noqa: FBT003 - its own
