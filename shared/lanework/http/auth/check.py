"""Who may have an answer: a bearer token's role, or that of a browser's session, against what the endpoint needs."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response

from lanework.http.auth.sessions import comes_from_elsewhere, root_of, session_of
from lanework.http.auth.tokens import Role, is_within
from lanework.http.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

    from lanework.http.auth.sessions import Session, Sessions
    from lanework.http.auth.tokens import Tokens
    from lanework.http.routing import Endpoint, Routes

CALLER: Final = "caller"
"""Where the resolver's context has the `Caller` of a request, for an endpoint that needs a role."""

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: what it says is for this caller, now, and its pages load nothing from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who asks.

    Attributes:
        role: What they may do.
        session: Their browser's session; None if they came with a token.
        scope: The job types that they may enqueue and signal; None: all.
    """

    role: Role
    scope: tuple[str, ...] | None = None
    session: Session | None = None


class Access:
    """Lets through whom the endpoint is for. The tokens are asked for at each request, so that they may change."""

    def __init__(
        self, routes: Routes, tokens: Callable[[], Tokens], sessions: Sessions, *, authorized: Role | None = None
    ) -> None:
        """
        Take what says who may.

        Args:
            routes: The endpoints.
            tokens: Gives the tokens that are accepted.
            sessions: Those that are open.
            authorized: Role of whom API Gateway's own authorizer lets in; None: there is none.
        """
        self._authorized = authorized
        self._routes = routes
        self._sessions = sessions
        self._tokens = tokens

    def check(self, app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """
        Go on if the caller may; a browser that isn't logged in is sent to the login page.

        Raises:
            ProblemError: 401 without or with an unknown token, 403 for one whose role isn't enough, or where another
                origin may have sent a browser's request.
        """
        caller = self.caller(app.current_event)
        if caller is None:
            endpoint = self._routes.find()
            if endpoint is None or endpoint.needs is not None:  # nobody can probe for paths: unknown ones need a token
                return _asked_in(app.current_event)
            return next_middleware(app)
        app.context[CALLER] = caller
        endpoint = self._routes.here()
        if endpoint.needs is not None:
            _check_role(caller, endpoint)
            if caller.session is not None and endpoint.method != "GET":
                _check_origin(caller.session, app.current_event)
        return next_middleware(app)

    def caller(self, event: BaseProxyEvent) -> Caller | None:
        """
        Return who sent a request; None if nobody says.

        Raises:
            ProblemError: They show a token that isn't accepted.
        """
        if self._authorized is not None and _is_let_in_by_gateway(event):
            return Caller(role=self._authorized)  # the header holds what the authorizer wanted, no token of ours
        authorization = event.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            role = self._tokens().role_of_token(token.strip()) if scheme.lower() == "bearer" else None
            if role is None:
                detail = "this token is not accepted"
                raise _unauthorized(detail, error="invalid_token")
            return Caller(role=role, scope=self._tokens().scope_of_token(token.strip()))
        session = session_of(event)
        role = None if session is None else self._sessions.role(session, self._tokens())
        if session is None or role is None:
            return None
        return Caller(role=role, session=session, scope=self._tokens().scope_of_handle(session.handle))


def _is_let_in_by_gateway(event: BaseProxyEvent) -> bool:
    """Tell whether the HTTP API's authorizer, for JWTs or IAM, says who sent a request; no client can write that."""
    says = event["requestContext"].get("authorizer") or {}
    return bool(says.get("jwt") or says.get("iam"))


def _asked_in(event: BaseProxyEvent) -> Response[Any]:
    wants_a_page = "text/html" in (event.headers.get("accept") or "")
    if wants_a_page and event.http_method == "GET":
        return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": f"{root_of(event)}login"}, body="")
    detail = "send a token: Authorization: Bearer …; `lanework token new` makes one"
    raise _unauthorized(detail)


def check_scope(app: ApiGatewayResolver, type_: str) -> None:
    """
    Refuse a job type that the caller's token is not for.

    Raises:
        ProblemError: 403.
    """
    scope = app.context[CALLER].scope
    if is_within(type_, scope):
        return
    detail = f"your token is for {', '.join(scope)}, not for {type_}"
    raise ProblemError(HTTPStatus.FORBIDDEN, "wrong-scope", detail)


def _check_role(caller: Caller, endpoint: Endpoint) -> None:
    if endpoint.needs is None or caller.role.may(endpoint.needs):
        return
    detail = f"this needs the role {endpoint.needs}, and your token has the role {caller.role}"
    raise ProblemError(HTTPStatus.FORBIDDEN, "wrong-role", detail)


def _check_origin(session: Session, event: BaseProxyEvent) -> None:
    if comes_from_elsewhere(event):
        detail = "this request comes from a page of another origin"
    elif not session.is_confirmed_by(event):
        detail = "the CSRF token of your session is missing or wrong: load the page again"
    else:
        return
    raise ProblemError(HTTPStatus.FORBIDDEN, "wrong-origin", detail)


def _unauthorized(detail: str, *, error: str | None = None) -> ProblemError:
    challenge = 'Bearer realm="lanework"' + (f', error="{error}"' if error else "")
    return ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
