"""Whether a payment provider's webhook is its own: by a secret that it and we know. Pure."""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from decimal import Decimal
from hashlib import md5, sha512
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class SignatureError(Exception):
    """Raised when a webhook's signature is missing or not its provider's; the text repeats neither."""


def check_cryptomus(body: bytes, key: str) -> dict[str, Any]:
    r"""
    Return what a webhook of Cryptomus says, if it is theirs.

    The signature is the body's member `sign`: md5 over base64 of the other members, as PHP writes them (a slash is
    `\/`, letters beyond ASCII stay), and the payment API key (doc.cryptomus.com, "Webhook").

    Raises:
        SignatureError: It isn't.
    """
    said = _object(body)
    given = said.pop("sign", None)
    text = _as_written(body, leave_out="sign").replace("/", "\\/")
    expected = md5(b64encode(text.encode()) + key.encode(), usedforsecurity=False).hexdigest()
    _compare(given, expected, key)
    return said


def check_nowpayments(body: bytes, headers: Mapping[str, str], secret: str) -> dict[str, Any]:
    """
    Return what a webhook of NOWPayments says, if it is theirs.

    The signature is the header `x-nowpayments-sig`: HMAC-SHA512 over the body with its members sorted, at every depth,
    under the IPN secret (NOWPayments' API documentation, "Instant Payments Notifications").

    Args:
        body: As it came.
        headers: Their names in lower case.
        secret: The IPN secret.

    Raises:
        SignatureError: It isn't.
    """
    said = _object(body)
    text = _as_written(body, sort_keys=True)
    expected = hmac.new(secret.encode(), text.encode(), sha512).hexdigest()
    _compare(headers.get("x-nowpayments-sig"), expected, secret)
    return said


def _as_written(body: bytes, *, leave_out: str | None = None, sort_keys: bool = False) -> str:
    """Return a body as its provider writes it anew, each number as it stands there: 0.00005 is no 5e-05."""
    said = json.loads(body, parse_float=_marked, parse_int=_marked)
    said.pop(leave_out, None)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    return _MARKED.sub(r"\1", text)


def _marked(number: str) -> str:
    """Return a number as text that no string of a body can be, since none with a NUL is let in."""
    return f"\0{number}\0"


_MARKED: Final = re.compile(r'"\\u0000([^"\\]*)\\u0000"')


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and b"\\u0000" not in body:
        return said
    msg = "the body is no JSON object"
    raise SignatureError(msg)


def _compare(given: object, expected: str, secret: str) -> None:
    if not secret:
        msg = "the provider's secret is not configured"
    elif not isinstance(given, str) or not given:
        msg = "the signature is missing"
    elif hmac.compare_digest(given.lower().encode(), expected.encode()):
        return
    else:
        msg = "the signature doesn't match"
    raise SignatureError(msg)
