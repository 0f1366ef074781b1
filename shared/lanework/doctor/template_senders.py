"""Reads which services send to the queues of a template, and whether the queue's policy lets them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.policies import names_action
from lanework.doctor.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lanework.doctor.intrinsics import Resolver

_EQUALS: Final = ("ArnEquals", "ArnLike", "StringEquals", "StringLike")
_SEND: Final = "sqs:SendMessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender(Resource):
    """
    What sends to a queue of the stack: a rule, a topic's subscription, or a bucket's notification.

    Attributes:
        service: The principal, such as `events.amazonaws.com`.
        source: ARN of the rule, topic or bucket.
        queue: Logical id of the queue.
        is_let_in: Whether the queue's policy allows it.
    """

    service: str
    source: str
    queue: str
    is_let_in: bool


def senders_in(resolver: Resolver) -> dict[str, Sender]:
    """Return what sends to a template's own queues, by logical id."""
    resources = resolver.resources()
    queues = {resolver.arn(name): name for name, (kind, _) in resources.items() if kind == "AWS::SQS::Queue"}
    statements: dict[str, list[Mapping[str, Any]]] = {}
    for kind, one in resources.values():
        if kind == "AWS::SQS::QueuePolicy":
            for url in one["Queues"]:
                statements.setdefault(str(url).rpartition("/")[2], []).extend(
                    _listed(one["PolicyDocument"]["Statement"])
                )
    found: dict[str, Sender] = {}
    for name, (kind, one) in resources.items():
        for service, source, arn in _sends(kind, one, resolver.arn(name)):
            if arn in queues:
                is_let_in = any(_lets_in(each, service, source) for each in statements.get(arn.rpartition(":")[2], ()))
                found[name] = Sender(id=name, service=service, source=source, queue=queues[arn], is_let_in=is_let_in)
    return found


def _sends(kind: str, has: Mapping[str, Any], arn: str) -> Iterator[tuple[str, str, str]]:
    """Yield who sends in whose name to which queue."""
    match kind:
        case "AWS::Events::Rule":
            yield from (("events.amazonaws.com", arn, str(one.get("Arn"))) for one in has.get("Targets", ()))
        case "AWS::SNS::Subscription" if has.get("Protocol") == "sqs":
            yield "sns.amazonaws.com", str(has.get("TopicArn")), str(has.get("Endpoint"))
        case "AWS::S3::Bucket":
            told = has.get("NotificationConfiguration", {}).get("QueueConfigurations", ())
            yield from (("s3.amazonaws.com", arn, str(one.get("Queue"))) for one in told)


def _lets_in(statement: Mapping[str, Any], service: str, source: str) -> bool:
    who = statement.get("Principal")
    services = ["*"] if who in ("*", {"AWS": "*"}) else _listed(who.get("Service")) if isinstance(who, dict) else []
    if statement.get("Effect") != "Allow" or not {service, "*"} & set(services):
        return False
    if not names_action(_listed(statement.get("Action")), _SEND):
        return False
    wanted = [
        pattern
        for test, pairs in statement.get("Condition", {}).items()
        if test in _EQUALS
        for name, patterns in pairs.items()
        if name.lower() == "aws:sourcearn"
        for pattern in _listed(patterns)
    ]
    return not wanted or any(fnmatchcase(source, str(one)) for one in wanted)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - of a template
    return value if isinstance(value, list) else [] if value is None else [value]
