"""What of a job's words a viewer reads: not the private fields of its payload, nor what an error quotes. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lanework.model.job.payload import public_names
from lanework.model.job.validation_errors import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

    from lanework.model.lifecycle.states import JobRecord

_SHORTEST: Final = 4
"""A shorter value is part of too many words; in quotes it is masked all the same."""

_MOST_VALUES: Final = 200

_QUOTED: Final = (
    (re.compile(r"\"[^\"\n]*\""), f'"{MASK}"'),
    (re.compile(r"`[^`\n]*`"), f"`{MASK}`"),
    # Not within words, where it is an apostrophe: "can't reach …, won't retry" quotes nothing.
    (re.compile(r"(?<!\w)'[^'\n]*'(?!\w)"), f"'{MASK}'"),
)
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}\w")


def private_values(payload: str, model: type[BaseModel] | None) -> tuple[str, ...]:
    """
    Return what the private fields of a payload hold, as text: the longest first, at most 200.

    Args:
        payload: JSON text.
        model: The job type's model; None, of a type that the application doesn't know: every field is private.
    """
    fields = json.loads(payload)
    shown = set() if model is None else public_names(model)
    private = (
        {name: value for name, value in fields.items() if name not in shown} if isinstance(fields, dict) else fields
    )
    found = {one for one in _leaves(private) if len(one) >= _SHORTEST}
    return tuple(sorted(found, key=len, reverse=True)[:_MOST_VALUES])


def veiled(text: str, private: Sequence[str]) -> str:
    """Return words of a job's own with a mask for what is private, and for addresses."""
    for one in private:
        text = text.replace(one, MASK)
    return _ADDRESS.sub(MASK, _without_cut_off(text, private))


def veiled_error(text: str, private: Sequence[str]) -> str:
    """Return an error's text likewise, and with a mask for what it quotes: `KeyError: '•••'`."""
    for pattern, mask in _QUOTED:
        text = pattern.sub(mask, text)
    return veiled(text, private)


def veiled_record(record: JobRecord, private: Sequence[str] | None) -> JobRecord:
    """
    Return a job's record as a viewer reads it.

    Args:
        record: The record.
        private: What its payload holds that is private; None where that isn't at hand: errors tell their types only.
    """

    def masked_error(error: str, kind: str | None) -> str:
        return veiled_error(error, private) if private is not None else f"{kind or 'an error'}: {MASK}"

    known = private or ()
    return replace(
        record,
        error=None if record.error is None else masked_error(record.error, record.error_type),
        failures=tuple(replace(one, error=masked_error(one.error, one.error_type)) for one in record.failures),
        progress_note=None if record.progress_note is None else veiled(record.progress_note, known),
        result=None if record.result is None else veiled_json(record.result, known),
        result_omitted=None if record.result_omitted is None else veiled_error(record.result_omitted, known),
    )


def veiled_json(text: str, private: Sequence[str]) -> str:
    """Return JSON text with a mask within its strings for what is private, and for addresses."""
    return json.dumps(veiled_value(json.loads(text), private), ensure_ascii=False)


def veiled_value(value: Any, private: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value with the same masks."""
    match value:
        case str():
            return veiled(value, private)
        case list():
            return [veiled_value(one, private) for one in value]
        case dict():
            return {veiled(name, private): veiled_value(one, private) for name, one in value.items()}
        case int() | float() if not isinstance(value, bool) and str(value) in private:
            return MASK
        case _:
            return value


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        elif one is not None and not isinstance(one, bool):
            yield str(one)


def _without_cut_off(text: str, private: Sequence[str]) -> str:
    """Return a text without the beginning of a private value that `…` cuts off."""
    head, cut, rest = text.partition("…")
    if not cut:
        return text
    for one in private:
        for length in range(min(len(one), len(head)), _SHORTEST - 1, -1):
            if head.endswith(one[:length]):
                return f"{head[:-length]}{MASK}…{_without_cut_off(rest, private)}"
    return f"{head}…{_without_cut_off(rest, private)}"
