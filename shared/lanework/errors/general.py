"""The errors that are of no job: wrong calls, declarations and settings, services; and how their texts show a value."""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import UnionType

WordT = TypeVar("WordT", bound=StrEnum)

_MOST_PROBLEMS: Final = 21
_LONGEST_PROBLEM: Final = 400
"""What an error repeats of what is wrong with a payload."""


class LaneworkError(Exception):
    """Raised when Lanework can't do what was asked. Catch it to catch every error of Lanework."""


class ConfigError(LaneworkError):
    """Raised when a setting, a declaration or a project file is missing or doesn't make sense."""


class CredentialsError(ConfigError):
    """Raised when there are no AWS credentials, or half of them: their file may be away while a tool writes it."""


class DeclarationError(ConfigError):
    """Raised when a job type can't be declared as written."""


class ImportFailedError(ConfigError):
    """
    Raised when a module of the application can't be imported.

    Attributes:
        module: Its name.
        trace: How Python came to the line that failed, as a traceback shows it; empty if no code was run.
    """

    def __init__(self, module: str, reason: str, *, trace: str) -> None:
        self.module, self.trace = module, trace
        super().__init__(f"can't import {module}: {reason}")


class UnknownNameError(LaneworkError):
    """
    Raised when a name that must be one of a known set isn't.

    Attributes:
        kind: What was named, such as `lane` or `job type`.
        name: The name as given.
        known: The names that would have been right.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"unknown {kind} {shown(name)}{did_you_mean(name, self.known)}")


class UnknownLaneError(UnknownNameError):
    """Raised when a lane is none of the five."""


class UnknownJobTypeError(UnknownNameError):
    """Raised when no registered job type has the name."""


class InvalidPayloadError(LaneworkError):
    """
    Raised when a payload doesn't fit the job type's model. Nothing was enqueued.

    Attributes:
        job_type: Name of the job type.
        problems: One `field: what is wrong` for each problem, and at the end how many more there are.
    """

    def __init__(self, job_type: str, problems: Iterable[str]) -> None:
        found = [_cut(one, _LONGEST_PROBLEM) for one in problems]
        more = len(found) - _MOST_PROBLEMS
        self.job_type = job_type
        self.problems = tuple(found if more < 1 else [*found[:_MOST_PROBLEMS], f"payload: {more:,} more problems"])
        super().__init__(f"payload of {job_type} is not valid: {'; '.join(self.problems)}")


class InvalidOptionError(LaneworkError, ValueError):
    """Raised when an option of a call has a value that can't be used; the message says which would."""


class LaneLeftOutError(InvalidOptionError):
    """
    Raised when a job's lane is one that the stack leaves out.

    Attributes:
        lane: The lane.
    """

    def __init__(self, lane: str, *, job_type: str | None = None, lanes: Iterable[str]) -> None:
        """Name the lanes that there are; `job_type` is what declares the lane, None where a call asks for it."""
        self.lane = lane
        if job_type is None:
            what, instead = f"lane '{lane}' is one that this stack leaves out", f"choose {' or '.join(lanes)}"
        else:
            what, instead = f"job type {job_type!r} is in lane '{lane}', which this stack leaves out", "move the type"
        super().__init__(f"{what}: add it to [tool.lanework] lanes, or {instead}")


class TooLargeError(LaneworkError):
    """
    Raised when something doesn't fit where it has to be kept.

    Attributes:
        what: What is too large, such as `payload`.
        size: Its size in bytes.
        limit: The most that fits, in bytes.
    """

    def __init__(self, what: str, *, size: int, limit: int, why: str) -> None:
        self.what, self.size, self.limit = what, size, limit
        super().__init__(f"{what} is {size:,} bytes, over the limit of {limit:,} ({why})")


class UndecodableError(LaneworkError):
    """Raised when a message is not an envelope of ours, or a record can't be one; `str()` says what is wrong."""


class UnavailableError(LaneworkError):
    """Raised by a port when its service didn't answer, refused for load, or answered with a server error."""


class UnsendableError(LaneworkError):
    """Raised by a port when SQS refuses one message for what it is: no later try could send it."""


class ContendedError(UnavailableError):
    """Raised by a port when others wrote the same item at the same time. Nothing was written: read again, repeat."""


class UnsupportedError(LaneworkError):
    """Raised when the endpoint, an emulator most likely, can't do what AWS can; the message says what to do instead."""


class ScheduleNotConnectedError(LaneworkError):
    """Raised when EventBridge didn't take a recorded schedule: the minute tick starts it, up to a minute late."""

    def __init__(self, schedule: str, reason: str) -> None:
        self.schedule = schedule
        super().__init__(
            f"schedule {schedule!r} is recorded, and the minute tick starts it, up to a minute late; but EventBridge "
            f"doesn't trigger it ({reason}): add it again when that is fixed"
        )


class ForbiddenAddressError(LaneworkError):
    """
    Raised when a webhook would go to an address that isn't on the internet. Nothing was sent.

    Attributes:
        host: The host.
        address: What it is, or resolves to.
    """

    def __init__(self, host: str, address: str) -> None:
        self.host, self.address = host, address
        super().__init__(f"webhook not sent: {host} resolves to {address}, which is not a public address")


class NotConfirmedError(LaneworkError):
    """Raised when a command asked before destroying something and didn't get a yes."""


class StackError(LaneworkError):
    """Raised when the embedded stack can't start, deploy or be reached."""


def foreign_cursor(cursor: str) -> InvalidOptionError:
    """Return the error of a cursor that another list gave out, or nobody."""
    return InvalidOptionError(f"cursor {shown(cursor)} is not one that this list gave out")


_LONGEST_SHOWN: Final = 100
"""Characters of a value that a message repeats; a name that is longer is none that could be meant."""


def shown(value: object) -> str:
    """Return a value as a message shows it, in one line: its `repr`, cut; its type where that can't be written."""
    try:
        text = str(value) if isinstance(value, timedelta) else repr(value)
    except Exception:  # noqa: BLE001 - how it is written is code of the caller's
        return f"a value of type {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def is_a(value: object, kind: type | UnionType) -> bool:
    """Tell whether a caller's value is of a kind, whatever its annotation promises: not every caller has a checker."""
    return isinstance(value, kind)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the nearest known name, or a list of all if there are few, or nothing."""
    names = [str(one) for one in known]
    word = name.lower() if isinstance(name, str) and len(name) <= _LONGEST_SHOWN else ""
    by_word = {one.lower(): one for one in names}
    close = get_close_matches(word, by_word, n=1, cutoff=0.5)
    if close:
        return f", did you mean {by_word[close[0]]!r}?"
    if 0 < len(names) <= 8:  # noqa: PLR2004 - more than a glance can take in
        return f"; known: {', '.join(names)}"
    return ""


def word_of(kind: str, words: type[WordT], word: str) -> WordT:
    """Return the word of a closed set that a user's is; UnknownNameError, which names the nearest, if it is none."""
    try:
        return words(word.lower().replace("-", "_") if is_a(word, str) else word)
    except ValueError:
        raise UnknownNameError(kind, word, [one.value for one in words]) from None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
