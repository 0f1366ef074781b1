"""IAM's policies, as far as the doctor needs to understand them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from lanework.doctor.network import ACCESS_POLICY, INTERFACES
from lanework.doctor.resources import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TRACES: Final = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
"""What a function's role must allow, for Lambda or OpenTelemetry to send traces (Lambda, "AWS X-Ray")."""


def statements_of(document: dict[str, Any]) -> Iterator[Statement]:
    """Yield the statements of a policy's document."""
    for one in _listed(document.get("Statement")):
        yield Statement(
            allows=one.get("Effect") == "Allow",
            actions=tuple(_listed(one.get("Action"))),
            resources=tuple(str(resource) for resource in _listed(one.get("Resource"))),
            is_by_services=any("kms:ViaService" in pairs for pairs in one.get("Condition", {}).values()),
        )


def allowed_to_services(document: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what a resource's policy allows services of AWS, by their principal; `*` is everybody."""
    allowed: dict[str, tuple[str, ...]] = {}
    for one in _listed(document.get("Statement")):
        who = one.get("Principal")
        services = ["*"] if who in ("*", {"AWS": "*"}) else _listed(who.get("Service")) if isinstance(who, dict) else []
        for service in services if one.get("Effect") == "Allow" else ():
            allowed[service] = (*allowed.get(service, ()), *_listed(one.get("Action")))
    return allowed


def aws_own(arn: str) -> list[Statement]:
    """Return the statements of one of AWS's own policies, as far as rules need them; none of any other policy."""
    if not arn.endswith(f":aws:policy/service-role/{ACCESS_POLICY}"):
        return []
    log = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    return [Statement(allows=True, actions=(*log, *INTERFACES), resources=("*",))]


def refuses_plain_text(document: dict[str, Any], arn: str) -> bool:
    """Tell whether a queue's policy denies everything to whoever comes without TLS."""
    return any(
        one.get("Effect") == "Deny"
        and one.get("Principal") in ("*", {"AWS": "*"})
        and set(_listed(one.get("Action"))) & {"sqs:*", "SQS:*", "*"}
        and arn in _listed(one.get("Resource"))
        and str(one.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")).lower() == "false"
        for one in _listed(document.get("Statement"))
    )


def is_allowed(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Tell whether these statements allow an action; conditions are taken to be met."""
    allows, denies = (
        any(one.allows is effect and _covers(one, action, resource) for one in statements) for effect in (True, False)
    )
    return allows and not denies


def names_action(patterns: Iterable[str], action: str) -> bool:
    """Tell whether an action is among these, which may hold wildcards."""
    return any(fnmatchcase(action.lower(), one.lower()) for one in patterns)


def _covers(statement: Statement, action: str, resource: str) -> bool:
    return names_action(statement.actions, action) and any(fnmatchcase(resource, one) for one in statement.resources)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - a policy's values come alone or as lists
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def sources_in(policy: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the queues that a RedriveAllowPolicy lets use a queue for their dead letters; None if all may."""
    match policy.get("redrivePermission", "allowAll"):
        case "byQueue":
            return tuple(policy.get("sourceQueueArns", ()))
        case "denyAll":
            return ()
    return None
