"""What EventBridge, its Scheduler, SNS and SSM refuse (their API references; EventBridge user guide, "Quotas")."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from lanework.aws.strict.refusal import BatchRule, Refusal, out_of_range

if TYPE_CHECKING:
    from lanework.aws.strict.refusal import Parameters, Rule

_INVALID: Final = "ValidationException"
_EVENTS: Final = 10
_EVENTS_BYTES: Final = 1024 * 1024
_SUBJECT: Final = 100
_PARAMETER_BYTES: Final = 4096
_SCHEDULE: Final = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_RATE: Final = re.compile(r"rate\([1-9][0-9]* (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\(\S+ \S+ (\S+) \S+ (\S+) \S+\)")
_AT: Final = re.compile(r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)")
_RETRIES: Final = range(186)
_EVENT_AGE_S: Final = range(60, 86_401)


def _events(call: Parameters) -> Refusal | None:
    entries = call.get("Entries") or []
    if not 1 <= len(entries) <= _EVENTS:
        return out_of_range("entries", "[…]", f"have length less than or equal to {_EVENTS}")
    if sum(map(_size_of, entries)) > _EVENTS_BYTES:
        return Refusal(_INVALID, "Total size of the entries in the request is over the limit.")
    return None


def _size_of(entry: Parameters) -> int:
    """Return what EventBridge counts (EventBridge user guide, "Calculating PutEvents event entry size")."""
    texts = [
        *(str(entry.get(name) or "") for name in ("Source", "DetailType", "Detail")),
        *(entry.get("Resources") or []),
    ]
    return 14 * ("Time" in entry) + sum(len(one.encode(errors="replace")) for one in texts)


def _event(entry: Parameters, _: Parameters) -> Refusal | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return Refusal("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    try:
        is_object = isinstance(json.loads(entry["Detail"]), dict)
    except ValueError:
        is_object = False
    return None if is_object else Refusal("MalformedDetail", "Detail is malformed.")


def _add_failed(parsed: Parameters, failed: dict[int, Refusal], _: list[Parameters]) -> None:
    answers = parsed.setdefault("Entries", [])
    for place in sorted(failed):
        answers.insert(place, {"ErrorCode": failed[place].code, "ErrorMessage": failed[place].message})
    parsed["FailedEntryCount"] = parsed.get("FailedEntryCount", 0) + len(failed)


def _schedule(call: Parameters) -> Refusal | None:
    name, zone = str(call.get("Name", "")), str(call.get("ScheduleExpressionTimezone") or "UTC")
    if _SCHEDULE.fullmatch(name) is None:
        return out_of_range("name", name, f"satisfy regular expression pattern: ^{_SCHEDULE.pattern}$")
    expression = str(call.get("ScheduleExpression", ""))
    if not _is_expression(expression):
        return Refusal(_INVALID, f"Invalid Schedule Expression {expression}.")
    if zone not in available_timezones():
        return Refusal(_INVALID, f"Invalid Schedule Expression Timezone {zone}.")
    policy = (call.get("Target") or {}).get("RetryPolicy") or {}
    retries, age_s = policy.get("MaximumRetryAttempts", 0), policy.get("MaximumEventAgeInSeconds", 60)
    if retries not in _RETRIES:
        return out_of_range("target.retryPolicy.maximumRetryAttempts", retries, f"be 0 to {_RETRIES[-1]}")
    if age_s not in _EVENT_AGE_S:
        return out_of_range("target.retryPolicy.maximumEventAgeInSeconds", age_s, f"be 60 to {_EVENT_AGE_S[-1]}")
    return None


def _is_expression(text: str) -> bool:
    """Tell whether EventBridge takes it: of a cron's two days, one is `?` (Scheduler user guide, "Schedule types")."""
    cron = _CRON.fullmatch(text)
    if cron is not None:
        return "?" in cron.groups()
    return _RATE.fullmatch(text) is not None or _AT.fullmatch(text) is not None


def _publish(call: Parameters) -> Refusal | None:
    subject = call.get("Subject")
    if subject is not None and not (1 <= len(subject) <= _SUBJECT and subject.isascii() and subject.isprintable()):
        return Refusal("InvalidParameter", "Invalid parameter: Subject")
    return None


def _parameter(call: Parameters) -> Refusal | None:
    if len(str(call.get("Value", "")).encode()) > _PARAMETER_BYTES and call.get("Tier", "Standard") == "Standard":
        problem = f"Standard tier parameters support a maximum parameter value of {_PARAMETER_BYTES} characters."
        return Refusal(
            _INVALID, f"{problem} To create a larger parameter value, upgrade the parameter to the advanced tier."
        )
    return None


RULES: Final[dict[str, Rule]] = {
    "scheduler.CreateSchedule": _schedule,
    "scheduler.UpdateSchedule": _schedule,
    "sns.Publish": _publish,
    "ssm.PutParameter": _parameter,
}

BATCH_RULES: Final = {"eventbridge.PutEvents": BatchRule(whole=_events, entry=_event, add=_add_failed)}
