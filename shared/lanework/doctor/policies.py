"""IAM's policies, as far as the doctor needs to understand them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lanework.doctor.graph import Statement
from lanework.doctor.network import ACCESS_POLICY, INTERFACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def statements_of(document: dict[str, Any]) -> Iterator[Statement]:
    """Yield the statements of a policy's document."""
    for one in _listed(document.get("Statement")):
        yield Statement(
            allows=one.get("Effect") == "Allow",
            actions=tuple(_listed(one.get("Action"))),
            resources=tuple(str(resource) for resource in _listed(one.get("Resource"))),
        )


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


def _covers(statement: Statement, action: str, resource: str) -> bool:
    return any(fnmatchcase(action.lower(), one.lower()) for one in statement.actions) and any(
        fnmatchcase(resource, one) for one in statement.resources
    )


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
