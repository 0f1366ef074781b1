"""Addresses of webhooks, and signatures as Standard Webhooks wants them."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from lanework import ConfigError, InvalidOptionError, Jobs
from lanework.model.webhooks import LONGEST_URL, PREFIX, checked_webhook, secrets_in, signed


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?token=x",
        "http://localhost:8000/hook",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_an_address_that_can_be_sent_to(url: str) -> None:
    assert checked_webhook(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "http://hooks.example.com",
        "ftp://hooks.example.com",
        "https://",
        "https://user:password@hooks.example.com",
        "https://hooks.example.com/#part",
        "https://hooks.example.com/" + "x" * LONGEST_URL,
        "https://hööks.example.com/",
        "https://exa mple.com/",
        "https://example.com/a\r\nHost: other",
        "https://[::1",
        "https://example.com:99999/",
        "https://example.com:0/",
    ],
)
def test_an_address_that_can_not_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(InvalidOptionError, match="an https:// address") as refused:
        checked_webhook(url)
    assert "password@" not in str(refused.value)


def test_a_family_a_type_and_a_call_are_refused_with_such_an_address() -> None:
    with pytest.raises(InvalidOptionError, match="https"):
        Jobs(queue="email", webhook="http://hooks.example.com")
    with pytest.raises(InvalidOptionError, match="https"):
        Jobs(queue="email").job("user.greeting", webhook="http://hooks.example.com")


def test_a_message_is_signed_as_the_standards_own_example() -> None:
    """The example of https://www.standardwebhooks.com, as its libraries check it."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    headers = signed(
        '{"test": 2432232314}',
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        secrets=secrets_in(secret),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_changed_there_is_a_signature_by_each() -> None:
    old, new = (PREFIX + b64encode(letter * 32).decode() for letter in (b"a", b"b"))

    both = signed("{}", event_id="evt_1", timestamp=1, secrets=secrets_in(f"{old} {new}"))["webhook-signature"]

    assert both.split() == [
        signed("{}", event_id="evt_1", timestamp=1, secrets=secrets_in(one))["webhook-signature"] for one in (old, new)
    ]


@pytest.mark.parametrize("text", ["", "  ", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!"])
def test_a_secret_that_is_none_says_how_to_make_one(text: str) -> None:
    with pytest.raises(ConfigError, match="lanework webhooks secret"):
        secrets_in(text)


def test_the_guides_receiver_takes_what_is_genuine_and_recent_only() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
    code = next(one for one in re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL) if "is_genuine" in one)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own guide
    is_genuine = names["is_genuine"]
    secret, other = (PREFIX + b64encode(letter * 32).decode() for letter in (b"a", b"b"))
    now = int(time.time())
    headers = signed("{}", event_id="evt_1", timestamp=now, secrets=secrets_in(f"{other} {secret}"))

    assert is_genuine(headers, b"{}", secret)
    assert not is_genuine(headers, b"{ }", secret)
    assert not is_genuine(headers, b"{}", PREFIX + b64encode(b"c" * 32).decode())
    old = signed("{}", event_id="evt_1", timestamp=now - 600, secrets=secrets_in(secret))
    assert not is_genuine(old, b"{}", secret)
