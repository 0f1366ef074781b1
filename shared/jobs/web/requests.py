"""A request and an answer, as WSGI carries them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from jobs.store import User

LARGEST_BODY: Final = 64 * 1024
_MOST_PROBLEMS: Final = 20

Model = TypeVar("Model", bound=BaseModel)


class HttpError(Exception):
    """Raised when a request can't be answered as asked; carries what is answered instead."""

    def __init__(self, status: HTTPStatus, error: str) -> None:
        """Answer with this status, and say this."""
        super().__init__(error)
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A request.

    Attributes:
        method: In capitals.
        path: As it came.
        headers: Their names in lower case.
        body: As it came.
        user: Whoever is signed in.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: User | None = None

    def read(self, model: type[Model]) -> Model:
        """
        Return the body as a model.

        Raises:
            HttpError: 400, naming the fields that can't be used, never their values.
        """
        try:
            return model.model_validate_json(self.body)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            said = "; ".join(": ".join([*map(str, one["loc"]), one["msg"]]) for one in problems[:_MOST_PROBLEMS])
            raise HttpError(HTTPStatus.BAD_REQUEST, said) from None

    def signed_in(self) -> User:
        """
        Return who is signed in.

        Raises:
            HttpError: 401, nobody is.
        """
        if self.user is None:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "sign in first")
        return self.user


def request_of(environ: WSGIEnvironment, user: User | None) -> Request:
    """
    Return what a WSGI server hands over.

    Raises:
        HttpError: 413, the body is over 64 KB.
    """
    length = str(environ.get("CONTENT_LENGTH") or "0")
    size = int(length) if length.isdigit() else 0
    if size > LARGEST_BODY:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {LARGEST_BODY:,} bytes")
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=str(environ.get("PATH_INFO", "/")),
        headers=headers_of(environ),
        body=environ["wsgi.input"].read(size),
        user=user,
    )


def headers_of(environ: WSGIEnvironment) -> dict[str, str]:
    """Return a request's headers, their names in lower case."""
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }


def answer(status: HTTPStatus, said: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answer with JSON."""
    body = json.dumps(said).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start(f"{status.value} {status.phrase}", headers)
    return [body]
