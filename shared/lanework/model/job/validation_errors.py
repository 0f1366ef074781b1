"""Pydantic's validation errors as short texts: field and reason, without the input. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic_core import core_schema

from lanework.errors import did_you_mean
from lanework.model.job.sqs_text import legible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ValidationError

    from lanework.model.job.field_names import Names

MASK: Final = "•••"
MOST_PROBLEMS: Final = 20
"""Most problems in a text; a body of a hundred thousand wrong values has as many."""

_LONGEST_PLACE: Final = 100
_LONGEST_MESSAGE: Final = 200
_SHORTEST_QUOTED: Final = 4
"""A shorter value may be part of pydantic's own words; there it is looked for in quotes."""

OF_USERS_CODE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a payload's own serializers, validators and comparisons raise, beside what pydantic makes of it."""

_BY_CODE: Final = {"value_error": "Value error", "assertion_error": "Assertion failed"}
"""Kinds of problems that a validator of the model's own finds, and says in its own words."""

_NO_ADDRESS: Final = "value is not a valid email address"
"""How pydantic's own `EmailStr` begins to say what is wrong; the rest may repeat a part of the value."""

_LEFT_TO_CODE: Final = frozenset({"get_attribute_error", "iteration_error", "mapping_type", "datetime_object_invalid"})
"""Kinds whose words end with those of an exception that code of the input's own raised."""

KINDS: Final = frozenset(get_args(core_schema.ErrorType))
"""Every kind of problem that pydantic finds itself, and those of validators."""


def problems_of(error: ValidationError, *, whole: str = "payload") -> list[str]:
    """Return one `field: what is wrong` for each of the first problems, and how many more there are of the whole."""
    from lanework.model.job.field_names import names_for  # noqa: PLC0415 - for what goes wrong

    found = error.errors(include_url=False)
    names = names_for(error)
    shown = [_problem(one, names, whole) for one in found[:MOST_PROBLEMS]]
    return [*shown, f"{whole}: {len(found) - len(shown):,} more problems"] if len(found) > len(shown) else shown


def _problem(one: Mapping[str, Any], names: Names, whole: str) -> str:
    hint = did_you_mean(one["loc"][-1], sorted(names.fields)) if one["type"] == "extra_forbidden" else ""
    return f"{place_of(one['loc'], names) or whole}: {message_of(one)}{hint}"


def place_of(parts: Sequence[object], names: Names | None = None) -> str:
    """
    Return where a problem is, dotted, without pydantic's own words for the members of a union: `tuple[str, ...]`.

    A part may be a key of what was given. What the model has no name for is masked; without names nothing is.
    """
    named = [
        str(one)[: _LONGEST_PLACE + 1] if names is None or names.has(one) else MASK
        for one in parts[:_LONGEST_PLACE]
        if isinstance(one, int) or "[" not in str(one)
    ]
    return legible(".".join(named), most=_LONGEST_PLACE)


def message_of(problem: Mapping[str, Any], *, is_ours: bool = False) -> str:
    """
    Return the words for one of `ValidationError.errors()`, without a value that they quote.

    Of what a validator says only a text is repeated that stands in its code as it is, unless all validators of the
    model are Lanework's own (`is_ours`), whose words quote nothing.
    """
    if not is_ours and (problem["type"] in _BY_CODE or problem["type"] not in KINDS):
        return legible(_said_by_code(problem), most=_LONGEST_MESSAGE)
    said, given = str(problem["msg"]), problem.get("input")
    context = problem.get("ctx") or {}
    if problem["type"] in _LEFT_TO_CODE:
        said = said.replace(str(context.get("error")), MASK)
    if problem["type"] == "uuid_parsing":  # it names the character that is wrong
        said = said.partition(",")[0]
    quoted = {text for text in (given, context.get("tag")) if isinstance(text, str) and text}
    for one in sorted(quoted, key=len, reverse=True):
        said = said.replace(f"'{one}'", MASK) if len(one) < _SHORTEST_QUOTED else said.replace(one, MASK)
    return legible(said, most=_LONGEST_MESSAGE)


def _said_by_code(problem: Mapping[str, Any]) -> str:
    """Return the kind of a problem that a validator found, and its words if they are a constant of its code."""
    error = (problem.get("ctx") or {}).get("error")
    if str(problem["msg"]).startswith(_NO_ADDRESS):
        return _NO_ADDRESS
    kind = _BY_CODE.get(problem["type"], str(problem["type"]).replace("_", " "))
    text = error.args[0] if isinstance(error, Exception) and len(error.args) == 1 else None
    return f"{kind}, {text}" if isinstance(text, str) and text in _constants(error) else kind


def _constants(error: BaseException | None) -> tuple[object, ...]:
    """Return the constants of the code that raised an exception: an f-string, or what it was given, is none."""
    at = None if error is None else error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return () if at is None else at.tb_frame.f_code.co_consts
