"""
What an exception says, whatever it is made of: its type, its text, and what led to it.

A job's code, or a library of it, may raise what can't be printed: `__str__` raises or returns a gigabyte, its causes go
round in circles. Nothing here raises, and everything is cut to size. Nor is it said what pydantic was given: only which
field it refused, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import ValidationError

from lanework.errors import JobFailedError, LaneworkError
from lanework.model.job.field_names import names_for
from lanework.model.job.sqs_text import legible
from lanework.model.job.validation_errors import KINDS, MASK, message_of
from lanework.model.job.validation_errors import place_of as place_in
from lanework.model.lifecycle.run_moves import LONGEST_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LONGEST_TYPE: Final = 100
"""Characters of a type's name."""

_LONGEST_LINE: Final = 150
_LONGEST_READ: Final = 10_000
"""Characters of a text that are looked at."""

_MOST_LINKS: Final = 5
_MOST_NOTES: Final = 3
_MOST_MEMBERS: Final = 3
_MOST_LINES: Final = 10
_MOST_PROBLEMS: Final = 5

_PYDANTICS: Final = re.compile(r"\d{1,9} validation errors? for |\[\{['\"]type['\"]: ?['\"]")
"""How a text of pydantic's begins: `str(error)`, `error.errors()` and `error.json()`."""

_NOT_AUTHORIZED: Final = re.compile(r"\bnot authorized to perform: ([\w-]{1,40}:\w{1,60})")
_OF_AN_INPUT: Final = "input_value="
_KIND: Final = re.compile(r"\btype['\"]?[=:] ?['\"]?(\w{1,50})\b")

_name_of: Final = type.__dict__["__name__"].__get__
_cause_of: Final = BaseException.__dict__["__cause__"].__get__
_context_of: Final = BaseException.__dict__["__context__"].__get__
_suppresses: Final = BaseException.__dict__["__suppress_context__"].__get__
_traceback_of: Final = BaseException.__dict__["__traceback__"].__get__
_attributes_of: Final = BaseException.__dict__["__dict__"].__get__
_members_of: Final = BaseExceptionGroup.__dict__["exceptions"].__get__
"""The interpreter's own: a class may override what `error.…` gives, or raise there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What an exception says.

    Attributes:
        type: Name of its type: an identifier. Of a failure this alone leaves the job.
        trail: What led to it, a line each: notes, members of a group, causes, and what was being handled.
    """

    type: str
    text: str
    trail: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """`ExceptionType: message`, and the trail under it, as long as a job keeps an error."""
        return self._with_trail(f"{self.type}: {self.text}")

    @property
    def reason(self) -> str:
        """The same without the type, of one that was raised to give a reason."""
        return self._with_trail(self.text)

    def _with_trail(self, head: str) -> str:
        if not self.trail:
            return _cut(head, LONGEST_ERROR)
        kept = _cut(head, LONGEST_ERROR // 2)
        return _cut("\n".join((kept, *self.trail)), LONGEST_ERROR)


def fault_of(error: BaseException) -> Fault:
    """Say what an exception says."""
    return Fault(type=type_of(error), text=text_of(error), trail=tuple(islice(_trail(error), _MOST_LINES)))


def type_of(error: BaseException) -> str:
    """Return the name of an exception's type; where that is no identifier, of the nearest type above it."""
    names = (cast("str", _name_of(one)) for one in type.__dict__["__mro__"].__get__(type(error)))
    return next(name for name in names if name.isidentifier())[:LONGEST_TYPE]


def text_of(error: BaseException) -> str:
    """Return an exception's text, or why it has none."""
    try:
        if issubclass(type(error), ValidationError):
            return legible(_refusal(cast("ValidationError", error)), most=LONGEST_ERROR)
        if type(error) is JobFailedError:  # its text may quote another job's payload
            return legible(
                f"job {error.job_id!r} is {error.state}: {error.error_type or 'no error'}", most=LONGEST_ERROR
            )
        return legible(_without_inputs(str.__getitem__(str(error), slice(_LONGEST_READ))), most=LONGEST_ERROR)
    except BaseException as problem:  # noqa: BLE001 - the text is code of the job's, too
        return f"(its text can't be had: {type_of(problem)})"


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return where an exception comes from."""
    return cast("TracebackType | None", _traceback_of(error))


def place_of(error: BaseException) -> str:
    """Return what was raised, and where, without its text: `KeyError in change, ledger.py:12`."""
    frames = extract_tb(traceback_of(error))
    where = f" in {frames[-1].name}, {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type_of(error)}{where}"


def missing_right(error: BaseException) -> str | None:
    """Return the right of IAM's that a refusal of AWS's names, such as `sqs:SendMessage`; nothing else of its text."""
    found = _NOT_AUTHORIZED.search(str(error)) if isinstance(error, LaneworkError) else None
    return None if found is None else found[1]


def members_of(group: BaseException) -> Iterator[BaseException]:
    """Yield what isn't a group itself of an exception group, at any depth; the exception itself if it is none."""
    left = [group]
    while left:
        one = left.pop()
        if issubclass(type(one), BaseExceptionGroup):
            left.extend(reversed(_members_of(one)))
        else:
            yield one


def _trail(error: BaseException) -> Iterator[str]:
    """Yield a line for each thing that led to an exception; a chain that goes round in circles ends."""
    seen: set[int] = set()
    for _ in range(_MOST_LINKS):
        seen.add(id(error))
        yield from (_line("note: ", one) for one in _notes_of(error))
        if issubclass(type(error), BaseExceptionGroup):
            for one in islice(members_of(error), _MOST_MEMBERS):
                yield _line(f"- {type_of(one)}: ", text_of(one))
                yield from (_line("  note: ", note) for note in _notes_of(one))
        cause, context = _cause_of(error), _context_of(error)
        link = "caused by" if cause is not None else "raised while handling"
        before = cause if cause is not None or _suppresses(error) else context
        if before is None or id(before) in seen:
            return
        error = before
        yield _line(f"{link} {type_of(error)}: ", text_of(error))


def _notes_of(error: BaseException) -> list[str]:
    notes: Any = _attributes_of(error).get("__notes__")
    if type(notes) is not list:
        return []
    return [_without_inputs(note[:_LONGEST_READ]) for note in notes[:_MOST_NOTES] if type(note) is str]


def _line(head: str, text: str) -> str:
    return legible(head + " ".join(text[:_LONGEST_READ].split()), most=_LONGEST_LINE)


def _refusal(error: ValidationError) -> str:
    """Return what pydantic refused, and why, without what it was given."""
    problems, names = error.errors(include_url=False), names_for(error)
    shown = [
        f"{place_in(one['loc'], names) or 'it'}: {message_of(one)}"
        for one in cast("list[Any]", problems[:_MOST_PROBLEMS])
    ]
    rest = len(problems) - len(shown)
    return f"{error.title} is not valid: {'; '.join(shown)}{f'; and {rest} more' if rest else ''}"


def _without_inputs(text: str) -> str:
    """
    Return a text that quotes pydantic's own, as `RuntimeError(str(error))` does, without what pydantic was given.

    All of it may be a key, a value in several lines, or a validator's words: of the problems the kinds are kept.
    """
    found, at = _PYDANTICS.search(text), text.find(_OF_AN_INPUT)
    if found is None and at < 0:
        return text
    begins, title = 0, ""
    if found is not None and not 0 <= at < found.start():
        begins, title = found.start(), found[0] if found[0][0].isdecimal() else ""
    kinds = dict.fromkeys(kind for kind in _KIND.findall(text, begins) if kind in KINDS)
    model = text[begins + len(title) :].partition("\n")[0] + ": " if title else ""
    return f"{text[:begins]}{title}{model}{MASK} ({', '.join(kinds) or 'not valid'})"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
