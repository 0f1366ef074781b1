"""The bytes of a mail, looked at before a server gets them: nothing that somebody typed has become structure."""

from __future__ import annotations

import re
from collections import Counter
from email import message_from_bytes
from email.errors import MessageError
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from jobs.mail.errors import InvalidMessageError

if TYPE_CHECKING:
    from email.message import EmailMessage, Message

POLICY: Final = SMTP.clone(refold_source="none", utf8=True)
"""Headers go out as they were written (`jobs.mail.headers`)."""

_HEAD: Final = frozenset(
    {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"}
)
_PART: Final = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "mime-version"})
_LONGEST_LINE: Final = 998
"""Characters, RFC 5322."""

_NOT_AS_BUILT: Final = "the mail's bytes hold a header or a part that it was not built with"
_HEADER: Final = re.compile(rb"[A-Za-z-]+: ?|[ \t]+[^ \t]")


def bytes_of(mail: EmailMessage) -> bytes:
    """
    Return what is sent.

    Raises:
        InvalidMessageError: The bytes hold a header, a part or a line that a mail of ours doesn't have.
    """
    try:
        content = mail.as_bytes(policy=POLICY)
    except (MessageError, UnicodeError):  # newer Pythons look themselves
        raise InvalidMessageError(_NOT_AS_BUILT) from None
    head, _, _ = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    read = message_from_bytes(content)
    parts = [part for part in read.walk() if part is not read]
    is_as_built = (
        all(_HEADER.match(line) and len(line) <= _LONGEST_LINE for line in lines)
        and not re.search(rb"[\r\n\0]", b"".join(lines))
        and _are_once(read, _HEAD)
        and all(_are_once(part, _PART) for part in parts)
        and len(parts) == sum(1 for _ in mail.walk()) - 1
    )
    if not is_as_built:
        raise InvalidMessageError(_NOT_AS_BUILT)
    return content


def _are_once(part: Message, allowed: frozenset[str]) -> bool:
    names = Counter(name.lower() for name in part.keys())  # noqa: SIM118 - a Mapping would lose repeated ones
    return names.keys() <= allowed and max(names.values(), default=1) == 1 and not part.defects
