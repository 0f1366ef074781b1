"""Events of a REST API, which alone may be private, as those of an HTTP API; and answers the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_rest(event: Mapping[str, Any]) -> bool:
    """Tell whether a REST API sent an event (payload 1.0) and no HTTP API (payload 2.0)."""
    return "rawPath" not in event


def as_http_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a REST API's event as an HTTP API would have sent it, as far as the API's code looks at it."""
    shown = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    headers = {name.lower(): ",".join(values) for name, values in shown.items()}
    cookies = headers.pop("cookie", "")
    asked = event.get("multiValueQueryStringParameters") or {}
    context, identity = event["requestContext"], event["requestContext"].get("identity", {})
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": event["path"],
        "rawQueryString": urlencode(asked, doseq=True),
        "queryStringParameters": {name: ",".join(values) for name, values in asked.items()},
        "headers": headers,
        "cookies": cookies.split("; ") if cookies else [],
        "requestContext": {
            "http": {
                "method": event["httpMethod"],
                "path": event["path"],
                "protocol": context.get("protocol"),
                "sourceIp": identity.get("sourceIp"),
                "userAgent": identity.get("userAgent"),
            },
            "requestId": context.get("requestId"),
            "stage": "$default",  # of another one Powertools expects the name in the path, where REST APIs have none
        },
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
    }


def as_rest_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an HTTP API's answer in the form that a REST API takes: cookies are headers of one name."""
    rest = {name: value for name, value in answer.items() if name != "cookies"}
    cookies = answer.get("cookies")
    return {**rest, "multiValueHeaders": {"Set-Cookie": list(cookies)}} if cookies else rest
