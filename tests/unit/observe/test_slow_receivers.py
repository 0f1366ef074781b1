"""A receiver that takes its time holds nobody for longer than the deadline, whatever it does in between."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from lanework import UnavailableError
from lanework.engine.builtin_jobs.definitions import WEBHOOK_TIMEOUT
from lanework.errors import ForbiddenAddressError
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alert
from lanework.observe import alert_webhook, webhook_http
from lanework.observe.alert_webhook import WebhookChannel
from lanework.observe.http_exchange import LARGEST_HEAD
from lanework.observe.webhook_http import InternetPost
from lanework.testing import NOON
from tests.support.receivers import Receiver, receiving, with_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Talk = Callable[[socket.socket, threading.Event], None]

LOOPBACK = ip_address("127.0.0.1")
SOON = timedelta(seconds=0.5)
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """Run a server that does something with each connection, until the test is over; give its port."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=_serve_one, args=(connection,)))
                threads[-1].start()

        def _serve_one(connection: socket.socket) -> None:
            with connection:
                try:
                    talk(connection, over)
                except OSError:
                    return

        listener = threading.Thread(target=serve)
        listener.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            listener.join()
            for thread in threads:
                thread.join()


def dripping(content: bytes) -> Talk:
    """Say something for ever, a byte at a time, each well before a wait for one would end."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(OK)
        while not over.wait(0.05):
            connection.sendall(content)

    return talk


def silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def greeting_only(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    over.wait()


def continuing(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    while not over.wait(0.05):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def half_a_line(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    while not over.wait(0.05):
        connection.sendall(b"H")


@pytest.mark.parametrize(
    "talk",
    [silent, greeting_only, continuing, half_a_line, dripping(b"x"), dripping(b"x: y\r\n"), dripping(b" \r\n")],
    ids=["silent", "greeting", "continuing", "status", "header", "headers", "folded"],
)
def test_a_receiver_that_says_a_byte_now_and_then_is_left_at_the_deadline(talk: Talk) -> None:
    with talking(talk) as port, pytest.raises(UnavailableError, match=r"127\.0\.0\.1 did not answer"):
        InternetPost(may_be_private=True, within=SOON)(f"http://127.0.0.1:{port}/", "{}", {})


def test_nothing_goes_on_with_a_receiver_that_was_left() -> None:
    before = set(threading.enumerate())
    with talking(dripping(b"x")) as port:
        with pytest.raises(UnavailableError, match="did not answer"):
            InternetPost(may_be_private=True, within=SOON)(f"http://127.0.0.1:{port}/", "{}", {})

        ours = [one for one in set(threading.enumerate()) - before if one.name.startswith("lanework")]
        for one in ours:
            one.join(10)
        assert [one.name for one in ours if one.is_alive()] == []


def taking_slowly(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.05):
        connection.recv(100_000)


@pytest.mark.parametrize("talk", [silent, taking_slowly])
def test_a_receiver_that_does_not_take_a_long_message_is_left_at_the_deadline(talk: Talk) -> None:
    began = monotonic()

    with talking(talk) as port, pytest.raises(UnavailableError, match="did not answer"):
        InternetPost(may_be_private=True, within=SOON)(f"http://127.0.0.1:{port}/", "x" * 50_000_000, {})

    assert monotonic() - began < 10, "all of it would take 25 s"


def test_a_handshake_that_does_not_end_is_left_at_the_deadline(tmp_path: Path) -> None:
    receiver = with_certificate(Receiver(), tmp_path)

    def relay_slowly(connection: socket.socket, over: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", receiver.port)) as behind:
            behind.sendall(connection.recv(65_536))
            for byte in behind.recv(65_536):
                if over.wait(0.05):
                    return
                connection.sendall(bytes([byte]))

    post = InternetPost(may_be_private=True, resolve=lambda *_: [LOOPBACK], within=SOON)
    with receiving(receiver), talking(relay_slowly) as port:
        url = f"https://hooks.example.com:{port}/"
        with pytest.raises(UnavailableError, match="did not answer: TimeoutError"):
            post(url, "{}", {})


def test_a_handshake_of_messages_that_say_nothing_is_left_at_the_deadline() -> None:
    """OpenSSL passed them over for as long as they came: 3 to 15 s instead of one."""
    requests = b"\x00\x00\x00\x00" * 4_000  # HelloRequest, which a client passes over while it waits for ServerHello
    record = b"\x16\x03\x03" + len(requests).to_bytes(2, "big") + requests

    def flooding(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.settimeout(2)  # who was left reads no more, and its kernel may wait for two minutes to say so
        while not over.is_set():
            connection.sendall(record * 50)

    post = InternetPost(may_be_private=True, resolve=lambda *_: [LOOPBACK], within=SOON)
    with talking(flooding) as port, pytest.raises(UnavailableError, match=r"TimeoutError: (not within|timed out)"):
        post(f"https://hooks.example.com:{port}/", "{}", {})


def interim(connection: socket.socket) -> None:
    for head in (b"100 Continue\r\n", b"102 Processing\r\n", b"103 Early Hints\r\nLink: </style.css>\r\n"):
        connection.sendall(b"HTTP/1.1 " + head + b"\r\n")


def test_what_a_receiver_says_before_its_answer_is_passed_over() -> None:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        interim(connection)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nretry-after: 7\r\n\r\n")
        over.wait()

    with talking(talk) as port:
        answer = InternetPost(may_be_private=True)(f"http://127.0.0.1:{port}/", "{}", {})

    assert (answer.status_code, answer.headers) == (204, {"retry-after": "7"})


def test_a_receiver_that_announces_its_answer_for_ever_is_left() -> None:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        while not over.is_set():
            interim(connection)

    with talking(talk) as port, pytest.raises(UnavailableError, match="head of its answer is over 16,384 bytes"):
        InternetPost(may_be_private=True, within=timedelta(minutes=10))(f"http://127.0.0.1:{port}/", "{}", {})


def test_a_resolver_that_does_not_answer_is_left_at_the_deadline() -> None:
    over = threading.Event()

    def hanging(*_: object) -> list[object]:
        over.wait()
        return []

    try:
        with pytest.raises(UnavailableError, match=r"can't be resolved: not within 0\.5 s"):
            InternetPost(resolve=hanging, within=SOON)("https://hooks.example.com/", "{}", {})  # type: ignore[arg-type]
    finally:
        over.set()


def test_the_body_of_an_answer_is_not_waited_for() -> None:
    """Under the deadline of a test this would hang for ever if one byte of it was read."""

    def endless_body(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(OK + b"Content-Length: 1000000000\r\n\r\n")
        over.wait()

    with talking(endless_body) as port:
        post = InternetPost(may_be_private=True, within=timedelta(minutes=10))
        answer = post(f"http://127.0.0.1:{port}/", "{}", {})

    assert answer.status_code == 200


@pytest.mark.parametrize("line", [b"x: " + b"y" * 60_000, b"x: y\r\n" * 90 + b"x: " + b"y" * LARGEST_HEAD])
def test_an_answer_whose_head_is_too_long_is_not_read_to_its_end(line: bytes) -> None:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(OK + line)
        over.wait()

    with talking(talk) as port, pytest.raises(UnavailableError, match="head of its answer is over 16,384 bytes"):
        InternetPost(may_be_private=True, within=timedelta(minutes=10))(f"http://127.0.0.1:{port}/", "{}", {})


def test_of_several_addresses_one_that_refuses_is_passed_over() -> None:
    with receiving(Receiver()) as receiver:
        post = InternetPost(may_be_private=True, resolve=lambda *_: [ip_address("::1"), LOOPBACK])
        answer = post(f"https://localhost:{receiver.port}/".replace("https", "http"), "{}", {})

    assert answer.status_code == 200


def test_a_host_without_an_address_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="it has no address"):
        InternetPost(resolve=lambda *_: [])("https://hooks.example.com/", "{}", {})


@pytest.mark.parametrize(
    ("host", "error", "expected"),
    [
        ("hooks.example.com", socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UnavailableError),
        ("hooks.invalid", socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), UnavailableError),
        ("hooks.invalid", socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ForbiddenAddressError),
        ("printer.local.", socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ForbiddenAddressError),
        ("hooks.example.com", UnicodeError("label too long"), UnavailableError),
    ],
)
def test_a_name_that_is_not_there_may_be_there_later_unless_no_such_name_can_ever_be(
    host: str, error: Exception, expected: type[Exception]
) -> None:
    def unknown(*_: object) -> list[object]:
        raise error

    with pytest.raises(expected):
        InternetPost(resolve=unknown)(f"https://{host}/", "{}", {})  # type: ignore[arg-type]


def test_an_alerts_webhook_is_left_at_its_deadline_and_its_address_is_not_said() -> None:
    alert = Alert(rule=Rule.DEATH, subject="user.greeting", text="it died", next_step="lanework dlq list", since=NOON)
    with talking(dripping(b"x")) as port:
        channel = WebhookChannel(lambda: f"http://127.0.0.1:{port}/secret", within=SOON)
        with pytest.raises(UnavailableError, match=r"doesn't answer: TimeoutError$"):
            channel.notify(alert)


def test_a_delivery_may_take_as_long_as_its_exchange_and_not_much_longer() -> None:
    assert webhook_http.WITHIN == timedelta(seconds=10)
    assert alert_webhook.WITHIN == timedelta(seconds=5)
    assert webhook_http.WITHIN < WEBHOOK_TIMEOUT <= 2 * webhook_http.WITHIN
