"""What the payloads of this application's job types have in common."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints
from pydantic.alias_generators import to_camel

# Control characters (line breaks among them), lone surrogates, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Payload(BaseModel):
    """
    A job's payload: fields are snake_case here, producers may write camelCase.

    Unknown fields are ignored, so that a producer may be deployed before the worker that knows its new field.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, hide_input_in_errors=True)


def is_one_line(text: str) -> bool:
    """Return whether the text has no line break, control character or lone surrogate, so that it may go in a header."""
    return not any(unicodedata.category(character) in _UNPRINTABLE for character in text)


def _one_line(text: str) -> str:
    if not is_one_line(text):
        msg = "must be a single line without control characters"
        raise ValueError(msg)
    return text


def _encodable(text: str) -> str:
    if any(unicodedata.category(character) == "Cs" for character in text):
        msg = "must be valid Unicode: it holds a lone surrogate"
        raise ValueError(msg)
    return text


OneLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(_one_line)]
"""Text of a single line, up to 1,000 characters; may be empty."""

Title = Annotated[OneLine, StringConstraints(min_length=1, max_length=200)]
"""Text of a single line, 1 to 200 characters: a name, a subject, an id."""

Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(_encodable)]
"""Text of any number of lines, not empty."""

MOST_RECIPIENTS: Final = 50
"""Of one mail; servers take 100 at least (RFC 5321, 4.5.3.1.8), and all of them see each other."""

Recipients = EmailStr | Annotated[tuple[EmailStr, ...], Field(min_length=1, max_length=MOST_RECIPIENTS)]
"""One address, or 1 to 50 of them."""

Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3,5}$")]
"""ISO 4217 code, or a coin's, such as `USDT`."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:@=+~-]{0,63}$")]
"""An id of the application's: 1 to 64 characters that may be part of a job's id, too."""
