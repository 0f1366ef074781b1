"""Sessions of browsers: a cookie that holds a token's key, and what keeps other origins from using it."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from lanework.http.forms import Form
from lanework.http.tokens import key_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

LASTS: Final = timedelta(hours=12)
"""How long a browser keeps a session. Taking its token off the list ends it at once."""

CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf"

SESSION: Final = "lanework"
NOTE: Final = "lanework-note"

_NOTE_LASTS: Final = timedelta(minutes=1)

_SECURE: Final = "__Host-"
"""Browsers take a cookie whose name begins so by HTTPS only, for the whole host and no other (RFC 6265bis, 4.1.3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    A browser's session.

    Attributes:
        key: What its cookie holds: the key of the token that it was traded for.
    """

    key: str

    @property
    def csrf(self) -> str:
        """What each action of a page has to carry; no other origin can read it."""
        return hmac.new(self.key.encode(), b"lanework csrf", sha256).hexdigest()

    def is_confirmed_by(self, event: BaseProxyEvent) -> bool:
        """Tell whether a request carries the session's CSRF token, in a header or in its form."""
        shown = event.headers.get(CSRF_HEADER) or Form.of(event).one(CSRF_FIELD) or ""
        return hmac.compare_digest(shown.encode(), self.csrf.encode())


def session_of(event: BaseProxyEvent) -> Session | None:
    """Return the session that a request shows, or None. Whether its key still opens anything is not looked at."""
    key = _read(SESSION, event)
    return None if key is None else Session(key=key)


def login_token(event: BaseProxyEvent) -> str:
    """Return the token that a login form was sent with; empty if there is none."""
    return Form.of(event).one("token") or ""


def opening(token: str, event: BaseProxyEvent) -> Cookie:
    """Return the cookie that opens a session for a token."""
    return _cookie(SESSION, key_of(token), LASTS, event)


def closing(event: BaseProxyEvent) -> Cookie:
    """Return the cookie that ends a browser's session."""
    return _cookie(SESSION, "", timedelta(0), event)


def leaving(note: str, event: BaseProxyEvent) -> Cookie:
    """Return the cookie that tells the next page what an action did."""
    return _cookie(NOTE, urlsafe_b64encode(note.encode()).decode(), _NOTE_LASTS, event)


def left(event: BaseProxyEvent) -> tuple[str | None, tuple[Cookie, ...]]:
    """Return what the last action did, if no page has told it yet, and the cookies that make it told."""
    shown = _read(NOTE, event)
    if shown is None:
        return None, ()
    told = (_cookie(NOTE, "", timedelta(0), event),)
    try:
        return urlsafe_b64decode(shown).decode(), told
    except ValueError:
        return None, told


def comes_from_elsewhere(event: BaseProxyEvent) -> bool:
    """Tell whether a browser says that another origin's page sent a request."""
    headers = event.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def root_of(event: BaseProxyEvent) -> str:
    """Return the way from a request's path to the API's root, which may lie under a prefix that isn't told to it."""
    return "../" * (event.path.count("/") - 1) or "./"


def _read(kind: str, event: BaseProxyEvent) -> str | None:
    # API Gateway takes cookies out of the headers; some emulators leave them there.
    shown = [*(event.get("cookies") or ()), event.headers.get("cookie") or ""]
    for text in shown:
        try:
            found = SimpleCookie(text).get(_name(kind, event))
        except CookieError:
            continue
        if found is not None and found.value:
            return found.value
    return None


def _cookie(kind: str, value: str, lasts: timedelta, event: BaseProxyEvent) -> Cookie:
    return Cookie(
        name=_name(kind, event),
        value=value,
        path="/",
        secure=_is_https(event),
        http_only=True,
        max_age=int(lasts.total_seconds()),
        same_site=SameSite.STRICT_MODE,
    )


def _name(kind: str, event: BaseProxyEvent) -> str:
    return f"{_SECURE}{kind}" if _is_https(event) else kind


def _is_https(event: BaseProxyEvent) -> bool:
    """API Gateway takes HTTPS only and says so; an emulator on loopback speaks HTTP."""
    return event.headers.get("x-forwarded-proto") == "https"
