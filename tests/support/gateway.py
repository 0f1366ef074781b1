"""API Gateway as the API sees it: events of an HTTP API (payload 2.0), from plain requests and from a WSGI server."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from lanework.edges.api import handler_of
from lanework.http.auth.tokens import Role, Tokens, hash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanework import App
    from lanework.edges.api import Handler

HOST = "api.example.com"
TOKENS = {role: f"lanework_{role}_a-token-of-a-test" for role in Role}
LIST = Tokens(hashes=tuple((role, hash_of(token)) for role, token in TOKENS.items()))


def an_event(
    method: str, path: str, *, query: str = "", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> dict[str, Any]:
    """Return the event that API Gateway makes of a request; a body that is no text comes in base64."""
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):  # API Gateway joins what is repeated
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    text, is_base64 = _encoded(body)
    cookies = lower.pop("cookie", None)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": HOST, "x-forwarded-proto": "https", **lower},
        **({"cookies": cookies.split("; ")} if cookies else {}),
        **({"queryStringParameters": parameters} if parameters else {}),
        **({} if text is None else {"body": text}),
        "isBase64Encoded": is_base64,
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "request-1",
            "stage": "$default",
            "routeKey": "$default",
        },
    }


def _encoded(body: bytes | None) -> tuple[str | None, bool]:
    if body is None:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, as a client reads it."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The problem's kind: a test that reads it also sees that it is one."""
        assert self.headers["content-type"] == "application/problem+json"
        kind: str = self.json["type"]
        return kind.removeprefix("urn:lanework:problem:")


@dataclass(slots=True)
class Client:
    """
    Calls the API's handler.

    Attributes:
        handler: The handler.
        headers: Sent with each request.
    """

    handler: Handler
    headers: dict[str, str] = field(default_factory=dict)

    def as_(self, role: Role | None) -> Client:
        """Return a client that shows a role's token, or none."""
        return Client(self.handler, {} if role is None else {"Authorization": f"Bearer {TOKENS[role]}"})

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        return self.send("POST", path, body, headers=headers)

    def send(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request; a body that is neither bytes nor None goes as JSON. `_` in headers' names is `-`."""
        given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given = {"Content-Type": "application/json", **given}
        where, _, query = path.partition("?")
        answer = self.handler(
            an_event(method, where, query=query, headers={**self.headers, **given}, body=body), _context()
        )
        return Answer(
            status=answer["statusCode"],
            headers={name.lower(): value for name, value in answer["headers"].items()},
            text=_text(answer).decode(),
            cookies=tuple(answer.get("cookies", ())),
        )


def a_client(
    app: App, *, is_development: bool = False, tokens: Tokens | None = None, authorized: Role | None = None
) -> Client:
    """Return a client of an application's API, with an admin's token."""
    handler = handler_of(app, tokens=lambda: tokens or LIST, is_development=is_development, authorized=authorized)
    return Client(handler).as_(Role.ADMIN)


def a_wsgi_application(handler: Handler, *, prefix: str = "") -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """
    Return a WSGI application that answers as API Gateway with the handler behind it.

    Args:
        handler: The API's handler.
        prefix: Below which path it lies, without telling the handler, as an emulator does.
    """

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = "/" + environ["PATH_INFO"].encode("latin-1").decode(errors="replace").removeprefix("/")
        if not path.startswith(prefix):
            start_response("404 Not Found", [])
            return [b""]
        event = an_event(
            environ["REQUEST_METHOD"],
            path.removeprefix(prefix) or "/",
            query=environ.get("QUERY_STRING", ""),
            headers={**_headers(environ), "x-forwarded-proto": environ["wsgi.url_scheme"]},
            body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or None,
        )
        answer = handler(event, _context())
        cookies = [("Set-Cookie", cookie) for cookie in answer.get("cookies", ())]
        start_response(f"{answer['statusCode']} .", [*answer["headers"].items(), *cookies])
        return [_text(answer)]

    return application


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }
    return {**found, **({"content-type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {})}


def _text(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body") or ""
    return base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


def _context() -> Any:
    return None


def a_form(**fields: str) -> bytes:
    """Return a form's body."""
    return urlencode(fields).encode()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
