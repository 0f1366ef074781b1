"""The API function: HTTP requests from API Gateway in, answers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from lanework.edges import all_is_loaded, connected
from lanework.edges.rest_events import as_http_event, as_rest_answer, is_rest
from lanework.errors import LaneworkError
from lanework.http.auth.check import HEADERS, Access
from lanework.http.auth.sessions import Sessions
from lanework.http.auth.tokens import Role, Tokens
from lanework.http.lazy_routes import Parts, is_for_programs
from lanework.http.problems import BROKEN, Problem, not_as_documented, problem_of
from lanework.http.routing import Routes, read_json
from lanework.observe.logs import LogSink, json_logger
from lanework.settings import ApiSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.app import App

    Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def api(app: App) -> Handler:
    """Return the Lambda handler of the API function, as the environment configures it."""
    settings = ApiSettings.from_env()
    app.runtime.observe(LogSink(json_logger()))
    connected(app)
    all_is_loaded()
    authorized = None if settings.authorized_role is None else Role(settings.authorized_role)
    return handler_of(app, tokens=tokens_of(settings), is_development=settings.is_development, authorized=authorized)


def handler_of(
    app: App, *, tokens: Callable[[], Tokens], is_development: bool = False, authorized: Role | None = None
) -> Handler:
    """
    Return a handler of API Gateway's events, of an HTTP API (payload 2.0) or a REST API (payload 1.0).

    Args:
        tokens: Asked at each request.
        is_development: Whether there are endpoints to try job types with.
        authorized: Role of whom API Gateway's own authorizer lets in.
    """
    resolver = APIGatewayHttpResolver(json_body_deserializer=read_json)
    routes = Routes(resolver)
    parts = Parts(routes, app, tokens, is_development=is_development)
    # Powertools' own order validates first, and so would show callers without a token what the API expects.
    resolver.use(
        [
            Access(routes, tokens, Sessions(app), authorized=authorized).check,
            routes.check_request,
            OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
            OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
        ]
    )
    _tell_problems(resolver, parts, app)

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if is_rest(event):
            return as_rest_answer(handler(as_http_event(event), context))
        event = _with_plain_path(event)
        asked = _with_body(event)
        try:
            parts.load_for(APIGatewayProxyEventV2(asked).path)
            answer = resolver.resolve(asked, context)
        finally:
            app.ports.events.flush()
        body = {} if asked is event else {"body": "", "isBase64Encoded": False}
        return {**answer, **body, "headers": {**HEADERS, **answer["headers"]}}

    return handler


def _with_plain_path(event: dict[str, Any]) -> dict[str, Any]:
    """
    Return the event with the path that its client meant: `/api/job/a%3Ab` is that of job `a:b`.

    API Gateway decodes a path, others that hand us such events don't. No name that a path can hold has a `%`.
    """
    path = event["rawPath"]
    return {**event, "rawPath": unquote(path)} if "%" in path else event


def _with_body(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event; of a HEAD, that of the GET whose answer it asks for, without a body (RFC 9110, 9.3.2)."""
    context = event["requestContext"]
    if context["http"]["method"] != "HEAD":
        return event
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def tokens_of(settings: ApiSettings) -> Callable[[], Tokens]:
    """
    Return what gives the tokens that are accepted: the settings' own, or an SSM parameter's, read anew each minute.

    Raises:
        ConfigError: The settings' own make no sense.
    """
    if settings.tokens_parameter is None:
        fixed = Tokens.read(settings.tokens)
        return lambda: fixed
    from lanework.aws.parameters import ssm_parameter  # noqa: PLC0415 - it brings all of boto3's extras along

    read = ssm_parameter(Settings.from_env(), settings.tokens_parameter)
    return lambda: Tokens.read(read())


def _tell_problems(resolver: APIGatewayHttpResolver, parts: Parts, app: App) -> None:
    logger = json_logger()

    def answer_with(problem: Problem) -> Response[str]:
        event = resolver.current_event
        is_for_people = "text/html" in (event.headers.get("accept") or "") and not is_for_programs(event.path)
        return parts.pages().problem(problem) if is_for_people else problem.response()

    def invalid(error: RequestValidationError) -> Response[str]:
        return answer_with(not_as_documented(error))

    def refused(error: LaneworkError) -> Response[str]:
        problem = problem_of(error, now=app.ports.clock())
        return broken(error) if problem is None else answer_with(problem)

    def broken(error: Exception) -> Response[str]:
        from lanework.model.job.error_text import missing_right, place_of  # noqa: PLC0415 - for what goes wrong

        # Without its text and its causes, which may quote what a payload keeps private.
        reason, right = place_of(error), missing_right(error)
        reason = reason if right is None else f"{reason}: the function's role lacks {right}"
        logger.error("a request failed", extra={"action": "request_failed", "reason": reason})
        return answer_with(BROKEN)

    resolver.exception_handler(RequestValidationError)(invalid)
    resolver.exception_handler(LaneworkError)(refused)
    resolver.exception_handler(Exception)(broken)
