"""Pydantic's validation errors as short texts: field and reason, without the input. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.model.job.sqs_text import legible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ValidationError

MASK: Final = "•••"
MOST_PROBLEMS: Final = 20
"""Most problems in a text; a body of a hundred thousand wrong values has as many."""

_LONGEST_PLACE: Final = 100
_LONGEST_MESSAGE: Final = 200
_SHORTEST_QUOTED: Final = 4
"""A shorter value may be part of pydantic's own words; there it is looked for in quotes."""

OF_USERS_CODE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a payload's own serializers, validators and comparisons raise, beside what pydantic makes of it."""


def problems_of(error: ValidationError, *, whole: str = "payload") -> list[str]:
    """Return one `field: what is wrong` for each of the first problems, and how many more there are of the whole."""
    found = error.errors(include_url=False)
    shown = [f"{place_of(one['loc']) or whole}: {message_of(one)}" for one in found[:MOST_PROBLEMS]]
    return [*shown, f"{whole}: {len(found) - len(shown):,} more problems"] if len(found) > len(shown) else shown


def place_of(parts: Sequence[object]) -> str:
    """
    Return where a problem is, dotted, without pydantic's own words for the members of a union: `tuple[str, ...]`.

    A part may be a key of what was given, and as long as that likes.
    """
    named = [
        str(one)[: _LONGEST_PLACE + 1] for one in parts[:_LONGEST_PLACE] if isinstance(one, int) or "[" not in str(one)
    ]
    return legible(".".join(named), most=_LONGEST_PLACE)


def message_of(problem: Mapping[str, Any]) -> str:
    """Return pydantic's words for a problem, without a value that they quote."""
    said, given = str(problem["msg"]), problem.get("input")
    context = problem.get("ctx") or {}
    quoted = {text for text in (given, context.get("tag")) if isinstance(text, str) and text}
    for one in sorted(quoted, key=len, reverse=True):
        said = said.replace(f"'{one}'", MASK) if len(one) < _SHORTEST_QUOTED else said.replace(one, MASK)
    return legible(said, most=_LONGEST_MESSAGE)
