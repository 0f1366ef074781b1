"""Sending webhooks: to the address that was looked at, and to the internet's only."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from lanework import UnavailableError
from lanework.errors import ForbiddenAddressError
from lanework.observe.special_addresses import is_public
from lanework.observe.webhook_http import InternetPost
from tests.support.receivers import Receiver, receiving, with_certificate

LOOPBACK = ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is to be refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
    ],
)
def test_an_address_that_is_not_on_the_internet_is_refused(address: str) -> None:
    post = InternetPost(resolve=lambda *_: [ip_address("93.184.216.34"), ip_address(address)])

    with pytest.raises(ForbiddenAddressError, match=r"hooks\.example\.com resolves to"):
        post("https://hooks.example.com/", "{}", {})


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_machine_itself_is_refused_unless_that_is_allowed(host: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        InternetPost()(f"http://{host}:1/", "{}", {})


def test_a_name_in_other_notations_of_a_private_address_is_refused() -> None:
    for host in ("2130706433", "0x7f.1", "127.1"):
        with pytest.raises((ForbiddenAddressError, UnavailableError)):
            InternetPost()(f"https://{host}/", "{}", {})


def test_what_is_sent_arrives_at_the_address_that_was_looked_at_under_the_hosts_name() -> None:
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[object]:
        asked.append(host)
        return [LOOPBACK] if len(asked) == 1 else [ip_address("169.254.169.254")]

    with receiving(Receiver(status=204)) as receiver:
        url = f"http://localhost:{receiver.port}/hook?token=x"
        post = InternetPost(may_be_private=True, resolve=rebinding)  # type: ignore[arg-type]
        answer = post(url, '{"a":"я"}', {"webhook-id": "evt_1"})

    assert answer.status_code == 204
    assert receiver.got == [("/hook?token=x", f"localhost:{receiver.port}", "evt_1", '{"a":"я"}')]
    assert asked == ["localhost"]


def test_a_redirect_is_not_followed() -> None:
    with receiving(Receiver(status=302)) as receiver:
        answer = InternetPost(may_be_private=True)(f"http://127.0.0.1:{receiver.port}/", "{}", {})

    assert (answer.status_code, len(receiver.got), answer.headers["Retry-After"]) == (302, 1, "7")


def test_a_receiver_that_is_not_there_is_unavailable() -> None:
    with receiving(Receiver()) as receiver:
        port = receiver.port

    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 did not answer"):
        InternetPost(may_be_private=True)(f"http://127.0.0.1:{port}/", "{}", {})


def test_a_host_that_does_not_exist_is_unavailable() -> None:
    def unknown(*_: object) -> list[object]:
        raise OSError("Name or service not known")  # noqa: TRY003

    with pytest.raises(UnavailableError, match="can't be resolved"):
        InternetPost(resolve=unknown)("https://hooks.example.invalid/", "{}", {})  # type: ignore[arg-type]


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with receiving(with_certificate(Receiver(), tmp_path)) as receiver:
        post = InternetPost(may_be_private=True, resolve=lambda *_: [LOOPBACK])
        with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            post(f"https://hooks.example.com:{receiver.port}/", "{}", {})

    assert receiver.got == []


def test_a_certificate_is_checked_for_the_hosts_name_and_not_for_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = with_certificate(Receiver(), tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    post = InternetPost(may_be_private=True, resolve=lambda *_: [LOOPBACK])
    with receiving(receiver):
        assert post(f"https://hooks.example.com:{receiver.port}/", "{}", {}).status_code == 200
        with pytest.raises(UnavailableError, match="Hostname mismatch"):
            post(f"https://other.example.com:{receiver.port}/", "{}", {})
