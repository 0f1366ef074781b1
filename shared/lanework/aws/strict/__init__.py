"""Makes clients as strict as AWS, with AWS's own errors, where emulators take what AWS refuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.strict import dynamodb, functions, messaging, sqs
from lanework.aws.strict.refusal import answered

if TYPE_CHECKING:
    from lanework.aws.strict.refusal import Answer, BatchRule, Parameters, Rule

_PARAMETERS: Final = "lanework.parameters"
_FAILED: Final = "lanework.failed"

_RULES: Final[dict[str, Rule]] = {**sqs.RULES, **dynamodb.RULES, **functions.RULES, **messaging.RULES}
_BATCH_RULES: Final[dict[str, BatchRule]] = {**sqs.BATCH_RULES, **messaging.BATCH_RULES}


def make_strict(target: Any) -> None:  # noqa: ANN401 - boto's clients and sessions have no type in common
    """
    Let a client, or each that a session makes from now on, refuse what AWS refuses and emulators accept.

    A call that AWS refuses isn't sent: it raises the error that AWS's answer would raise. An entry of a batch that AWS
    fails isn't sent either; it is among those that failed. No further call is made. docs/emulators.md lists the rules.

    Args:
        target: A boto3 client, or a boto3 session.
    """
    events = getattr(target, "meta", target).events
    for operation in (*_RULES, *_BATCH_RULES):
        events.register_last(f"before-parameter-build.{operation}", _keep, f"lanework-keep-{operation}")
        events.register_last(f"before-call.{operation}", _judge, f"lanework-judge-{operation}")
    for operation in _BATCH_RULES:
        events.register_last(f"after-call.{operation}", _add_failed, f"lanework-failed-{operation}")
    receipts = sqs.Receipts()
    events.register_last("after-call.sqs.ReceiveMessage", receipts.note, "lanework-receipts")
    events.register_last("before-parameter-build.sqs.ChangeMessageVisibility", receipts.keep, "lanework-keep-total")
    events.register_last("before-call.sqs.ChangeMessageVisibility", receipts.judge, "lanework-judge-total")


def _name(model: Any) -> str:  # noqa: ANN401 - botocore has no types
    return f"{model.service_model.service_id.hyphenize()}.{model.name}"


def _keep(params: Parameters, model: Any, context: Parameters, **_: object) -> None:  # noqa: ANN401 - as above
    """Keep a call's parameters for `_judge`, and take the entries that AWS fails out of a batch."""
    context[_PARAMETERS] = params
    rule = _BATCH_RULES.get(_name(model))
    if rule is None or rule.whole(params) is not None:
        return
    entries = list(params["Entries"])
    judged = {place: rule.entry(one, params) for place, one in enumerate(entries)}
    failed = {place: refusal for place, refusal in judged.items() if refusal is not None}
    if failed:
        context[_FAILED] = failed, entries
        params["Entries"] = [one for place, one in enumerate(entries) if place not in failed]


def _judge(model: Any, context: Parameters, **_: object) -> Answer | None:  # noqa: ANN401 - as above
    """Answer a call in AWS's place, if AWS would refuse it, or all of its entries."""
    name, params = _name(model), context[_PARAMETERS]
    if _FAILED in context:
        return None if params["Entries"] else answered(HTTPStatus.OK, {})
    rule = _BATCH_RULES[name].whole if name in _BATCH_RULES else _RULES[name]
    refusal = rule(params)
    return None if refusal is None else refusal.answer()


def _add_failed(parsed: Parameters, model: Any, context: Parameters, **_: object) -> None:  # noqa: ANN401 - as above
    """Put the entries that weren't sent among those that failed."""
    if _FAILED in context and "Error" not in parsed:
        _BATCH_RULES[_name(model)].add(parsed, *context[_FAILED])
