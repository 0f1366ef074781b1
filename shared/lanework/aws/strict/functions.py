"""What Lambda refuses (Lambda developer guide, "Lambda quotas" and "Environment variables")."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lanework.aws.strict.refusal import Refusal, out_of_range

if TYPE_CHECKING:
    from lanework.aws.strict.refusal import Parameters, Rule

_INVALID: Final = "InvalidParameterValueException"
_SYNC_BYTES: Final = 6 * 1024 * 1024
_ASYNC_BYTES: Final = 1024 * 1024
_ENVIRONMENT_BYTES: Final = 4 * 1024
_LONGEST_S: Final = 900
_VARIABLE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_WITHOUT_WINDOW: Final = 10
_LEAST_CONCURRENCY: Final = 2

RESERVED: Final = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *(
            "AWS_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_LAMBDA_RUNTIME_API",
        ),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
"""Variables that no function may set (Lambda developer guide, "Defined runtime environment variables")."""


def _invoke(call: Parameters) -> Refusal | None:
    payload, is_async = call.get("Payload", b""), call.get("InvocationType") == "Event"
    most = _ASYNC_BYTES if is_async else _SYNC_BYTES
    if not isinstance(payload, str | bytes):
        return None
    size = len(payload.encode() if isinstance(payload, str) else payload)
    if size > most:
        problem = (
            f"{size} byte payload is too large for the {'Event' if is_async else 'RequestResponse'} invocation type"
        )
        message = f"{problem} (limit {most} bytes)"
        return Refusal("RequestEntityTooLargeException", message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


def _configuration(call: Parameters) -> Refusal | None:
    timeout = call.get("Timeout", 1)
    if isinstance(timeout, int) and timeout > _LONGEST_S:
        return out_of_range("timeout", timeout, f"have value less than or equal to {_LONGEST_S}")
    return _environment((call.get("Environment") or {}).get("Variables") or {})


def _environment(variables: dict[str, Any]) -> Refusal | None:
    unable = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided"
    )
    reserved = sorted(RESERVED & variables.keys())
    if reserved:
        problem = f"contains reserved keys that are currently not supported for modification. {_used(reserved)}"
        return Refusal(_INVALID, f"{unable} {problem}")
    if not all(map(_VARIABLE.fullmatch, variables)):
        constraint = f"[Member must satisfy regular expression pattern: {_VARIABLE.pattern}]"
        return out_of_range("environment.variables", variables, f"satisfy constraint: {constraint}")
    text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > _ENVIRONMENT_BYTES:
        return Refusal(_INVALID, f"{unable} exceeded the 4KB limit. String measured: {text[:100]}…")
    return None


def _used(keys: list[str]) -> str:
    return f"Reserved keys used in this request: {', '.join(keys)}"


def _mapping(call: Parameters) -> Refusal | None:
    if call.get("BatchSize", 1) > _WITHOUT_WINDOW and not call.get("MaximumBatchingWindowInSeconds"):
        problem = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        return Refusal(_INVALID, problem)
    most = (call.get("ScalingConfig") or {}).get("MaximumConcurrency", _LEAST_CONCURRENCY)
    if most < _LEAST_CONCURRENCY:
        bound = f"have value greater than or equal to {_LEAST_CONCURRENCY}"
        return out_of_range("scalingConfig.maximumConcurrency", most, bound)
    return None


RULES: Final[dict[str, Rule]] = {
    "lambda.Invoke": _invoke,
    "lambda.CreateFunction": _configuration,
    "lambda.UpdateFunctionConfiguration": _configuration,
    "lambda.CreateEventSourceMapping": _mapping,
}
