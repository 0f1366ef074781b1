"""A mail's bytes: what somebody typed is content, whatever it looks like, and whatever the Python."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.mail import Attachment, InvalidMessageError, Message, compose
from jobs.mail.message import parsed_address
from jobs.mail.wire import POLICY, bytes_of
from jobs.payloads import is_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2025, 12, 19, 12, 0, tzinfo=UTC)
SENDER = "Yellow Books <no-reply@example.com>"

HOSTILE = (
    "=?utf-8?q?a=0AX-Evil:_1?=",
    "=?utf-8?q?a=0D=0AX-Evil:_1=0D=0A=0D=0Abody?=",
    "=?utf-8?b?YQpYLUV2aWw6IDE=?=",
    "=?utf-8?q?a?= =?utf-8?q?=0AX-Evil:_1?=",
    "Бат =?utf-8?q?=0AX-Evil:_1?=",
    "=?utf-7?q?+AAo-X-Evil:+ACA-1?=",
    "=?iso-8859-1?q?=85X-Evil:_1?=",
    "=?utf-8?q?=E2=80=A8X-Evil:_1?=",
    "=?utf-8*en?q?a=0AX-Evil:_1?=",
    "=?utf-8?q?",
    "=?=?=?=",
    "a" * 2000,
    "Ж" * 700,
    "=?utf-8?q?=0A?= " * 60,
    " two  spaces and an end ",
    'quo"te\\',
    "a.csv\"; filename*=utf-8''%0AX-Evil",
    "a;b,c:<d>@e(f)[g]",
    "../../etc/passwd",
    "%0AX-Evil: 1",
    "😀" * 40,
)
"""Lines that a payload may hold, and what older Pythons or lax readers would make headers of."""

BREAKS = (
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\x7f",
    "\ud800",
)


def a_message(
    *, to: str = "bat@example.com", subject: str = "Hello", text: str = "Hi", files: tuple[Attachment, ...] = ()
) -> Message:
    return Message(to=to, subject=subject, text=text, html="<p>Hi</p>", key="job-1", attachments=files)


def sent(message: Message, *, sender: str = SENDER) -> bytes:
    return bytes_of(compose(message, sender=sender, at=NOON))


def names_in(content: bytes) -> Iterator[list[str]]:
    """Yield the names of the headers of a mail and of its parts, as a server reads them: line by line."""
    head, _, rest = content.partition(b"\r\n\r\n")
    assert not set(head.replace(b"\r\n", b"")) & set(b"\r\n\0")
    yield [line.split(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    boundary = message_from_bytes(content).get_boundary()
    for part in rest.split(f"--{boundary}".encode())[1:-1]:
        yield from names_in(part.removeprefix(b"\r\n"))


EXPECTED = [
    ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"],
    ["Content-Type"],
    ["Content-Type", "Content-Transfer-Encoding"],
    ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"],
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_subject_arrives_as_it_was_typed_and_adds_nothing(text: str) -> None:
    content = sent(a_message(subject=text))

    assert EXPECTED[0] == next(names_in(content))
    assert text == str(make_header(decode_header(message_from_bytes(content)["Subject"].replace("\r\n", ""))))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_files_name_arrives_as_it_was_typed_and_adds_nothing(text: str) -> None:
    content = sent(a_message(files=(Attachment(name=text, content=b"x" * 100),)))
    (file,) = [part for part in message_from_bytes(content).walk() if part.get_content_disposition()]

    names = list(names_in(content))
    assert EXPECTED[0] == names[0]
    assert ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"] == names[-1]
    assert text.strip() == file.get_filename()
    assert max(map(len, content.split(b"\r\n"))) <= 78


NAMES = [one for one in HOSTILE if len(one) < 100]


@pytest.mark.parametrize("name", NAMES)
def test_a_display_name_reaches_the_header_as_text(name: str) -> None:
    """Of what isn't written as a name must be, only the address is left, or it is refused: never another header."""
    try:
        content = sent(a_message(to=f"{name} <bat@example.com>"), sender=f"{name} <no-reply@example.com>")
    except InvalidMessageError:
        return

    assert EXPECTED[0] == next(names_in(content))
    for header, address in (("From", "no-reply@example.com"), ("To", "bat@example.com")):
        read = message_from_bytes(content, policy=policy.default)[header]
        assert isinstance(read, AddressHeader)
        assert [address] == [one.addr_spec for one in read.addresses]


@pytest.mark.parametrize("name", ["=?utf-8?q?a=0AX-Evil:_1?=", "Бат, ХХК", "Books, Inc", "a" * 300])
def test_a_display_name_is_read_as_it_was_typed(name: str) -> None:
    message = a_message(to=f'"{name}" <bat@example.com>')
    header = message_from_bytes(sent(message), policy=policy.compat32)["To"]

    phrase, _, _ = header.rpartition("<")
    assert name == str(make_header(decode_header(phrase))).strip().strip('"')
    assert message.recipients == (Address(name, addr_spec="bat@example.com"),)


@pytest.mark.parametrize("character", BREAKS)
def test_what_breaks_a_line_is_refused_wherever_a_header_would_hold_it(character: str) -> None:
    for build in (
        lambda: a_message(subject=f"a{character}X-Evil: 1"),
        lambda: a_message(to=f"a{character}X-Evil: 1 <bat@example.com>"),
        lambda: a_message(files=(Attachment(name=f"a{character}X-Evil: 1", content=b""),)),
        lambda: a_message(files=(Attachment(name="a", content=b"", media_type=f"text/csv{character}X-Evil: 1"),)),
        lambda: parsed_address(f"a{character}X-Evil: 1 <bat@example.com>"),
    ):
        with pytest.raises(InvalidMessageError):
            build()


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "csv",
        "text/",
        "/csv",
        "text/csv; name=x",
        "text/=?utf-8?q?=0AX?=",
        "a/b/c",
        "te xt/csv",
        "multipart/mixed",
        "Message/rfc822",
        "text/cs\u00fcv",
        "a" * 200 + "/b",
    ],
)
def test_a_media_type_that_is_none_is_refused(media_type: str) -> None:
    with pytest.raises(InvalidMessageError, match="media type"):
        a_message(files=(Attachment(name="a", content=b"", media_type=media_type),))


@pytest.mark.parametrize(
    "text",
    [
        "a\0b",
        "a\x0b\x0cb\x85c\u2028d",
        "x" * 5000,
        "Ж" * 5000,
        "\r\n.\r\nMAIL FROM:<a@b>",
        "=?utf-8?q?=0AX-Evil:_1?=",
        "Content-Type: text/html\n\n--===",
        "\r",
        "",
    ],
)
def test_a_text_is_a_body_and_no_more(text: str) -> None:
    content = sent(a_message(text=text))
    part = message_from_bytes(content, policy=policy.default).get_body(("plain",))

    assert EXPECTED[0] == next(names_in(content))
    assert part is not None
    assert text.splitlines() == part.get_content().splitlines()[: len(text.splitlines())]
    assert b"\0" not in content
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(InvalidMessageError, match="lone surrogate"):
        a_message(text="a\udcff")


@pytest.mark.parametrize(("name", "value"), [("X-Evil", "1"), ("Bcc", "x@example.com"), ("Reply-To", "x@example.com")])
def test_bytes_that_hold_more_than_was_meant_are_not_sent(name: str, value: str) -> None:
    mail = compose(a_message(), sender=SENDER, at=NOON)
    mail[name] = value

    with pytest.raises(InvalidMessageError, match="was not built with"):
        bytes_of(mail)


def test_a_subject_that_python_itself_writes_adds_no_header_or_is_not_sent() -> None:
    mail = compose(a_message(), sender=SENDER, at=NOON)
    del mail["Subject"]
    mail["Subject"] = "=?utf-8?q?a=0AX-Evil:_1?="
    try:
        content = bytes_of(mail)
    except InvalidMessageError:
        return

    assert sorted(EXPECTED[0]) == sorted(next(names_in(content)))


def test_a_part_that_was_not_meant_is_not_sent() -> None:
    mail = compose(a_message(), sender=SENDER, at=NOON)
    for part in mail.iter_parts():
        part["X-Evil"] = "1"

    with pytest.raises(InvalidMessageError, match="was not built with"):
        bytes_of(mail)


class Written(EmailMessage):
    """A mail of two parts that a Python writes otherwise than it was built; `EDGE` stands for what is between them."""

    def __init__(self, was: bytes, becomes: bytes) -> None:
        super().__init__()
        self._mail = compose(a_message(files=(Attachment(name="a", content=b"a"),)), sender=SENDER, at=NOON)
        content = self._mail.as_bytes(policy=POLICY)
        edge = b"--" + str(message_from_bytes(content).get_boundary()).encode()
        was, becomes = (one.replace(b"EDGE", edge) for one in (was, becomes))
        assert was in content
        self._content = content.replace(was, becomes, 1)

    def as_bytes(self, *_: object, **__: object) -> bytes:
        return self._content

    def walk(self) -> Any:
        return self._mail.walk()


def test_a_mail_that_is_written_as_it_was_built_is_sent() -> None:
    assert bytes_of(Written(b"Subject: ", b"Subject: "))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"Subject: ", b"Subject: one\r\nSubject: "),
        (b"Subject: ", b"Subject: " + b"x" * 1_000),
        (b"Subject: ", b"Subject: one\n\t"),
        (b"Subject: ", b"Subject: one\0"),
        (b"Subject: ", b" \r\nSubject: "),
        (b"EDGE--", b"EDGE\r\nContent-Type: text/plain\r\n\r\none\r\nEDGE--"),
    ],
    ids=["repeated", "too long", "bare newline", "NUL", "line without a name", "part"],
)
def test_bytes_that_a_python_writes_otherwise_are_not_sent(was: bytes, becomes: bytes) -> None:
    with pytest.raises(InvalidMessageError, match="was not built with"):
        bytes_of(Written(was, becomes))


def test_a_mail_that_python_itself_refuses_to_write_is_not_sent() -> None:
    class Refused(EmailMessage):
        def as_bytes(self, *_: object, **__: object) -> bytes:
            raise MessageError

    with pytest.raises(InvalidMessageError, match="was not built with"):
        bytes_of(Refused())


PIECES = st.sampled_from(
    ["=?", "?=", "utf-8", "?q?", "?b?", "=0A", "=0D=0A", "X-Evil:_1", " ", "a", "Ж", '"', "<", "\\", ","]
)


@given(st.lists(PIECES, min_size=1, max_size=30).map("".join) | st.text(max_size=200).filter(is_one_line))
def test_no_line_of_text_adds_a_header(text: str) -> None:
    content = sent(a_message(subject=text, text=text, files=(Attachment(name=text, content=text.encode()),)))

    names = list(names_in(content))
    assert EXPECTED[0] == names[0]
    assert text == str(make_header(decode_header(message_from_bytes(content)["Subject"].replace("\r\n", ""))))
