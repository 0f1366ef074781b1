"""The emulator's port as a web page on the same machine reaches it, over real connections."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import boto3
import pytest

from tests.support.stacks import REGION

SIGNED = {"X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": "application/x-amz-json-1.1"}
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
def port(ministack_endpoint: str) -> int:
    return int(urlsplit(ministack_endpoint).port or 0)


def asked(
    port: int, headers: dict[str, str], method: str = "POST", path: str = "/"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=b"{}" if method == "POST" else None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def first_line(port: int, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(raw)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/2015-03-31/functions"),
        ("GET", "/2015-03-31/functions"),
        ("GET", "/_ministack/health"),
        ("POST", "/_ministack/reset"),
        ("GET", "/_aws/execute-api/a1b2c3/"),
        ("PUT", "/bucket"),
        ("OPTIONS", "/"),
    ],
)
def test_a_web_page_gets_nothing_from_the_emulator(port: int, headers: dict[str, str], method: str, path: str) -> None:
    status, answered, body = asked(port, {**SIGNED, **headers}, method, path)

    assert (status, body[:9]) == (403, b"Refused: ")
    assert not [name for name in answered if name.lower().startswith("access-control")]


def test_a_preflight_is_refused_and_no_answer_lets_another_origin_read_it(port: int) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}

    assert asked(port, {**wanted, "Origin": "http://evil.example"}, "OPTIONS")[0] == 403
    assert asked(port, wanted, "OPTIONS")[0] == 403
    for method, path in (("POST", "/"), ("GET", "/_ministack/health"), ("GET", "/nothing"), ("OPTIONS", "/")):
        status, answered, _ = asked(port, SIGNED, method, path)
        assert status != 403
        assert not [name for name in answered if name.lower().startswith("access-control")], (method, path)


def test_boto_and_curl_go_on_as_before(port: int) -> None:
    for name in ("127.0.0.1", "localhost"):
        session = boto3.Session("test", "test", region_name=REGION)
        ssm = session.client("ssm", endpoint_url=f"http://{name}:{port}")
        ssm.put_parameter(Name="/guarded", Value=name, Type="SecureString", Overwrite=True)
        assert ssm.get_parameter(Name="/guarded", WithDecryption=True)["Parameter"]["Value"] == name
    assert json.loads(asked(port, {"User-Agent": "curl/8.5.0", "Accept": "*/*"}, "GET", "/_ministack/ready")[2])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"403"),
        (b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", b"403"),
        (b"GET http://127.0.0.1:PORT/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nHost: localhost.:PORT\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nHost: a@127.0.0.1:PORT\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nHost: 2130706433:PORT\r\n\r\n", b"403"),
        (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n", b"403"),
        (UPGRADE, b"403"),
    ],
)
def test_no_way_of_writing_a_request_gets_around_it(port: int, request_: bytes, status: bytes) -> None:
    assert first_line(port, request_.replace(b"PORT", str(port).encode())).split()[1] == status


def test_http_2_without_tls_gets_around_it_no_more(port: int) -> None:
    # Prior knowledge: the preface, empty SETTINGS, and one HEADERS frame (HPACK literals) for evil.example.
    fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"evil.example")]
    block = b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(preface + len(block).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + block)
        connection.settimeout(20)
        answered = b""
        while b"Refused: the host 'evil.example'" not in answered:
            more = connection.recv(65536)
            assert more, answered
            answered += more
