"""Addresses of webhooks, and signatures as Standard Webhooks wants them."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from lanework import ConfigError, InvalidOptionError, Jobs
from lanework.engine.webhooks.signature import PREFIX, key_for, secrets_in, secrets_of, signed
from lanework.model.webhooks import LONGEST_URL, checked_webhook


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?token=x",
        "http://localhost:8000/hook",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://hooks.example.com.:443/",
        "https://xn--80aswg.xn--l1acc/hook",
        "https://my_hooks.example.com/a//b/../c;d=e?f=g&h[]=i",
        "https://203.0.113.7/hook",
        "https://[2606:4700::1]:8443/hook",
        "HTTPS://HOOKS.EXAMPLE.COM/",
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
        "https://example.com:-1/",
        "https://example.com:8o/",
        "https://@hooks.example.com/",
        "https://:@hooks.example.com/",
        "https://hooks.example.com\\@evil.example.com/",
        "https://exa%6dple.com/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[127.0.0.1]/",
        "https://[v1.example]/",
        "https://a..example.com/",
        "https://.example.com/",
        "https://-a.example.com/",
        "https://a-.example.com/",
        "https://" + "a" * 64 + ".example.com/",
        "https://" + "a." * 130 + "com/",
        "https://256.1.1.1/",
        "https://1.2.3.04/",
        "https://exam;ple.com/",
        "https://example.com:/\t",
        "https:///path",
        "https:hooks.example.com",
        "//hooks.example.com",
        "javascript:alert(1)",
        "https://hooks.example.com/\x7f",
        "https://hooks.example.com/\u2028",
        "http://localhost.example.com/",
        "http://127.0.0.2/",
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


KEY = b"k" * 32


def test_the_receiver_at_one_address_can_not_sign_for_another() -> None:
    addresses = [
        "https://hooks.example.com/a",
        "https://hooks.example.com/b",
        "https://hooks.example.com/a/",
        "https://other.example.com/a",
        "https://hooks.example.com:8443/a",
        "http://localhost/a",
        "https://[2606:4700::1]/a",
    ]
    keys = {key_for(url, KEY) for url in addresses}

    assert len(keys) == len(addresses)
    assert KEY not in keys
    assert key_for(addresses[0], b"o" * 32) not in keys


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://Hooks.Example.com/a",
        "https://hooks.example.com:443/a",
        "https://hooks.example.com./a",
        "https://hooks.example.com/a?token=1",
        "https://hooks.example.com/a?token=2",
    ],
)
def test_one_receiver_has_one_secret_however_its_address_is_written_and_whatever_it_is_asked(url: str) -> None:
    assert key_for(url, KEY) == key_for("https://hooks.example.com/a", KEY)


def test_what_a_receiver_is_given_is_what_messages_to_it_are_signed_with() -> None:
    (secret,) = secrets_of("https://hooks.example.com/a", [KEY])

    assert secrets_in(secret) == (key_for("https://hooks.example.com/a", KEY),)


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
