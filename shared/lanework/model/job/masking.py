"""What of a job's words a viewer reads: not the private fields of its payload, nor what an error quotes. Pure."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from lanework.model.job.field_names import names_of
from lanework.model.job.payload import as_values, public_names
from lanework.model.job.quotes import without_quoted
from lanework.model.job.sqs_text import legible
from lanework.model.job.validation_errors import MASK
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pydantic import BaseModel

    from lanework.model.lifecycle.states import JobRecord

_SHORTEST: Final = 4
"""A shorter value is part of too many words; in quotes it is masked all the same."""

_MOST_VALUES: Final = 200
_MOST_TRIES: Final = 20
_LONGEST_TIME: Final = 40

_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}\w")
_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ")

Private = tuple[str, ...] | None
"""What the private fields of a payload hold, as text; None where that isn't known, and so all may be private."""


def private_values(payload: str, model: type[BaseModel] | None) -> Private:
    """
    Return what the private fields of a payload hold, keys of mappings included, in each form that a text quotes it in.

    The longest first; None where the payload can't be read, or holds over 200 of them. Without a model, of a type that
    the application doesn't know, every field is private.
    """
    fields, problem = as_values(payload)
    if problem is not None:
        return None
    shown = set() if model is None else public_names(model)
    names = names_of(model).fields if model is not None else frozenset(fields if isinstance(fields, dict) else ())
    private = {name: one for name, one in fields.items() if name not in shown} if isinstance(fields, dict) else fields
    found: set[str] = set()
    for one in _leaves(private, names):
        found.add(one)
        if len(found) > _MOST_VALUES:
            return None
    forms = {form for one in found for form in _forms(one) if len(form) >= _SHORTEST}
    return tuple(sorted(forms, key=len, reverse=True))


def veiled(text: str, private: Private) -> str:
    """Return words of a job's own with a mask for what is private, and for addresses."""
    if private is None:
        return MASK
    return _ADDRESS.sub(MASK, _without(text, private))


def veiled_error(text: str, private: Private, kind: str | None = None) -> str:
    """
    Return an error's text likewise, and with a mask for what it quotes: `KeyError: '•••'`.

    Where it isn't known what is private, the error shows its type, `kind`, only.
    """
    if private is None:
        return f"{kind or 'an error'}: {MASK}"
    return _ADDRESS.sub(MASK, without_quoted(_without(text, private), MASK))


def veiled_record(record: JobRecord, private: Private) -> JobRecord:
    """
    Return a job's record as a viewer reads it.

    Errors of lives before an edit of the payload tell their types only: what was private then isn't known any more.
    """
    first = _first_life(record)
    is_earlier = record.state is not State.DEAD and first > 1 and not any(one.life >= first for one in record.failures)
    result, problem = (None, None) if record.result is None else as_values(record.result)
    omitted = None if record.result_omitted is None else veiled_error(record.result_omitted, private)
    return replace(
        record,
        error=record.error and veiled_error(record.error, None if is_earlier else private, record.error_type),
        failures=tuple(
            replace(one, error=veiled_error(one.error, private if one.life >= first else None, one.error_type))
            for one in record.failures
        ),
        progress_note=record.progress_note and veiled(record.progress_note, private),
        result=None if record.result is None or problem else _written(veiled_value(result, private)),
        result_omitted=omitted or problem,
        damage=record.damage and veiled_error(record.damage, private),
    )


def veiled_log(lines: Sequence[str], record: JobRecord, private: Private) -> tuple[str, ...]:
    """Return what a job said as a viewer reads it; an entry of several lines is about an error."""
    since = _known_since(record)
    known = [private if since is None or _said_at(one) > since else None for one in lines]
    return tuple(
        veiled_error(one, here) if "\n" in one and here is not None else veiled(one, here)
        for one, here in zip(lines, known, strict=True)
    )


def veiled_value(value: Any, private: Private) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value with the same masks."""
    if private is None:
        return MASK
    held = "\n".join(_leaves(value, ()))
    least = _SHORTEST if "…" in held else None  # of a value that is cut off
    return _veiled(value, tuple(one for one in private if one[:least] in held))


def _veiled(value: Any, private: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            return veiled(value, private)
        case list():
            return [_veiled(one, private) for one in value]
        case dict():
            return {veiled(name, private): _veiled(one, private) for name, one in value.items()}
        case int() | float() if not isinstance(value, bool) and str(value) in private:
            return MASK
        case _:
            return value


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _first_life(record: JobRecord) -> int:
    """Return the first life that surely had the payload which the record has: an edit leaves a number out."""
    first = record.life
    for life in sorted({one.life for one in record.failures}, reverse=True):
        if first - life > 1:
            break
        first = life
    return first


def _known_since(record: JobRecord) -> datetime | None:
    """Return until when a job may have said what an earlier payload held; None if it never had one."""
    first = _first_life(record)
    if first == 1:
        return None
    earlier = [one.at for one in record.failures if one.life < first]
    later = [one.at for one in record.failures if one.life >= first]
    if earlier or later:
        return max(earlier, default=min(later, default=None))
    return record.started_at or datetime.max.replace(tzinfo=UTC)


def _said_at(line: str) -> datetime:
    found = _LINE.match(line)
    return datetime.min.replace(tzinfo=UTC) if found is None else datetime.fromisoformat(found[1])


def _leaves(value: Any, names: Collection[str]) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield what a value holds, at any depth, and the keys of its mappings that aren't names of fields."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
            yield from (name for name in one if name not in names)
        elif isinstance(one, list):
            left += one
        elif one is not None and not isinstance(one, bool):
            yield str(one)


def _forms(value: str) -> set[str]:
    """Return a value as it is, and as `repr`, JSON, an error and a line of one write it."""
    if value.isascii() and value.isalnum():
        return {value}
    escaped = {repr(value)[1:-1], ascii(value)[1:-1], json.dumps(value)[1:-1], _written(value)[1:-1]}
    return {value, legible(value, most=len(value)), " ".join(value.split()), *escaped, *_forms_of_a_time(value)}


def _forms_of_a_time(value: str) -> set[str]:
    """Return a date or a time, which JSON has as ISO 8601, as Python writes it: within `datetime.date(1999, 3, 4)`."""
    if not (value[:1].isdecimal() and len(value) <= _LONGEST_TIME):
        return set()
    with suppress(ValueError):
        day = date.fromisoformat(value)
        return {f"{day.year}, {day.month}, {day.day})"}
    with suppress(ValueError):
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
        return {str(moment), moment.isoformat(), repr(moment).partition("(")[2].rstrip(")")}
    return set()


def _without(text: str, private: Sequence[str]) -> str:
    """Return a text without private values, nor the beginnings of one that `…` cuts off."""
    for one in private:
        text = text.replace(one, MASK)
    *heads, rest = text.split("…")
    return "…".join([*(_without_beginning(one, private) for one in heads), rest])


def _without_beginning(head: str, private: Sequence[str]) -> str:
    """Return what a `…` follows without the beginning of a private value at its end; after 20 tries none of its end."""
    for one in private:
        start = one[:_SHORTEST]
        at = head.find(start, max(len(head) - len(one), 0))
        for _ in range(_MOST_TRIES):
            if at < 0 or one.startswith(head[at:]):
                break
            at = head.find(start, at + 1)
        if at >= 0:
            return f"{head[:at]}{MASK}"
    return head
