"""The OpenAPI document: Powertools' own, with what it can't say of problems, roles and where the API is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lanework.http.problems import CONTENT_TYPE

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

TITLE: Final = "Lanework"
VERSION: Final = "1"
DESCRIPTION: Final = (
    "Background jobs on SQS, Lambda and DynamoDB: enqueue them, follow them, steer them. Show a token of the role that "
    "an operation names; an admin may do what a producer may, a producer what a viewer may."
)

_PROBLEM: Final[dict[str, Any]] = {
    "description": "What went wrong (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "A stable name, such as urn:lanework:problem:job-not-found."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request, and what to do."},
        "errors": {
            "type": "array",
            "description": "One for each field that is wrong.",
            "items": {
                "type": "object",
                "required": ["in", "field", "message"],
                "properties": {
                    "in": {"type": "string", "enum": ["query", "path", "header", "cookie", "body"]},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def document_of(resolver: ApiGatewayResolver) -> dict[str, Any]:
    """Return the OpenAPI document of a resolver's routes, as JSON values."""
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer  # noqa: PLC0415 - only for this document

    text = resolver.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={"token": HTTPBearer(description="A token, as `lanework token new` prints it.")},
    )
    found: dict[str, Any] = json.loads(text)
    found["servers"] = [{"url": "./", "description": "Where this document is."}]
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    found["paths"] = dict(sorted(found["paths"].items()))
    for operations in found["paths"].values():
        for operation in operations.values():
            problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
            operation["responses"]["default"] = {"description": "A problem.", "content": {CONTENT_TYPE: problem}}
            _leave_out_null(operation.get("requestBody"))
    return found


def _leave_out_null(body: dict[str, Any] | None) -> None:
    """A body that may be missing is then no body at all, not a `null`."""
    if body is None or body.get("required"):
        return
    for content in body["content"].values():
        kinds = [one for one in content["schema"].get("anyOf", ()) if one.get("type") != "null"]
        if len(kinds) == 1:
            content["schema"] = kinds[0]
