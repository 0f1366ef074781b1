"""Sessions of browsers: issued, random, kept by us until they end; and what keeps other origins from using them."""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from lanework.http.auth.tokens import handle_of, hash_of
from lanework.http.forms import Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

    from lanework.app import App
    from lanework.http.auth.tokens import Role, Tokens

LASTS: Final = timedelta(hours=12)
"""How long a session lasts, whatever is done with it; taking its token off the list ends it at once."""

MOST: Final = 20
"""Sessions of one token at a time: another ends the oldest."""

_SECRET_BYTES: Final = 24

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
    A browser's session, as its cookie shows it.

    Attributes:
        key: What the cookie holds: which token it was traded for, and what is random.
    """

    key: str

    @property
    def handle(self) -> str:
        """The handle of its token."""
        return self.key.partition(".")[0]

    @property
    def digest(self) -> str:
        """What is kept of it: whoever reads that can't make the cookie."""
        return sha256(self.key.encode()).hexdigest()[:32]

    @property
    def csrf(self) -> str:
        """What each action of a page has to carry; no other origin can read it."""
        return hmac.new(self.key.encode(), b"lanework csrf", sha256).hexdigest()

    def is_confirmed_by(self, event: BaseProxyEvent) -> bool:
        """Tell whether a request carries the session's CSRF token, in a header or in its form."""
        shown = event.headers.get(CSRF_HEADER) or Form.of(event).one(CSRF_FIELD) or ""
        return hmac.compare_digest(shown.encode(), self.csrf.encode())


class Sessions:
    """
    The sessions that are open: for each token one item, of the digests of its sessions and when each ends.

    It is read at each request that shows a session, so that a logout counts at once and everywhere. Who shows a token
    pays nothing for it.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def open(self, token: str) -> Session:
        """Trade a token, which was looked at, for a new session; expired ones of it go, and the oldest of many."""
        handle = handle_of(hash_of(token))
        session = Session(key=f"{handle}.{token_urlsafe(_SECRET_BYTES)}")
        ends_at = int((self._app.ports.clock() + LASTS).timestamp())
        self._change(handle, lambda kept: {**kept, session.digest: ends_at})
        return session

    def end(self, session: Session | None) -> None:
        """End a session, if there is one: every copy of its cookie is worth nothing from now on."""
        if session is not None and _HANDLE.fullmatch(session.handle):
            self._change(session.handle, lambda kept: {one: at for one, at in kept.items() if one != session.digest})

    def role(self, session: Session, tokens: Tokens) -> Role | None:
        """Return the role that a session has now: that of its token, as long as both are there."""
        role = tokens.role_of_handle(session.handle)
        if role is None:
            return None
        ends_at = _read_kept(self._app.ports.flags.bookmark(_name_of(session.handle))).get(session.digest)
        return role if ends_at is not None and self._app.ports.clock().timestamp() < ends_at else None

    def _change(self, handle: str, change: Callable[[dict[str, int]], dict[str, int]]) -> None:
        flags, now = self._app.ports.flags, self._app.ports.clock().timestamp()

        def attempt() -> bool | None:
            before = flags.bookmark(_name_of(handle))
            kept = change({one: at for one, at in _read_kept(before).items() if at > now})
            newest = sorted(kept.items(), key=lambda one: one[1])[-MOST:]
            after = json.dumps(dict(newest))
            if before is None and not newest:
                return True
            return flags.move_bookmark(_name_of(handle), after, since=before) or None

        self._app.ports.retry_conflicts(attempt, what="the list of this token's sessions")


_HANDLE: Final = re.compile("[0-9a-f]{32}")


def _name_of(handle: str) -> str:
    return f"sessions {handle}"


def _read_kept(text: str | None) -> dict[str, int]:
    kept: dict[str, int] = json.loads(text or "{}")
    return kept


def session_of(event: BaseProxyEvent) -> Session | None:
    """Return the session that a request shows, or None. Whether it is open is not looked at."""
    key = _read(SESSION, event)
    return None if key is None else Session(key=key)


def opening(session: Session, event: BaseProxyEvent) -> Cookie:
    """Return the cookie that shows a session."""
    return _cookie(SESSION, session.key, LASTS, event)


def closing(event: BaseProxyEvent) -> Cookie:
    """Return the cookie that ends a browser's session."""
    return _cookie(SESSION, "", timedelta(0), event)


def leaving(note: str, event: BaseProxyEvent) -> Cookie:
    """Return the cookie that tells the next page what an action did."""
    return _cookie(NOTE, urlsafe_b64encode(note.encode()).decode(), _NOTE_LASTS, event)


def left(event: BaseProxyEvent) -> tuple[str | None, tuple[Cookie, ...]]:
    """Return what the last action did, if no page has shown it yet, and the cookies that mark it as shown."""
    shown = _read(NOTE, event)
    if shown is None:
        return None, ()
    cookies = (_cookie(NOTE, "", timedelta(0), event),)
    try:
        return urlsafe_b64decode(shown).decode(), cookies
    except ValueError:
        return None, cookies


def comes_from_elsewhere(event: BaseProxyEvent) -> bool:
    """Tell whether a browser says that another origin's page sent a request."""
    headers = event.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("host")
    except ValueError:  # it is no origin at all, such as `http://[`
        return True


def root_of(event: BaseProxyEvent) -> str:
    """Return the way from a request's path to the API's root, which may lie under a prefix that it doesn't know."""
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
