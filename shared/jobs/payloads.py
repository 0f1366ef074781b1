"""What the payloads of this application's job types have in common."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
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
