"""`[tool.lanework.environment]`: the variables of all functions, checked when pyproject.toml is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanework.model.references import looks_like_reference, reference_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Final = "[tool.lanework.environment]"

MOST_BYTES: Final = 3_072
"""Of all names and values; Lambda takes 4 KB for a function, of which template.yaml uses less than a quarter."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
"""What Lambda takes (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""

_TAKEN: Final = ("LANEWORK_", "AWS_", "LAMBDA_")
"""How names begin to which Lambda or Lanework gives a meaning."""

_OF_THE_PROCESS: Final = frozenset({"PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"})
"""Names that decide how a function's process starts."""

_FILLED_IN: Final = re.compile(r"\$\{(AWS::(?:StackName|Region|AccountId))\}")
"""What a value may hold of the stack, as CloudFormation writes it."""


def is_taken(name: str) -> bool:
    """Tell whether a name has a meaning already, so that an application can't give it one."""
    return name.upper().startswith(_TAKEN) or name.startswith("_") or name in _OF_THE_PROCESS


def check_variables(table: object) -> dict[str, str]:
    """
    Return the variables of a table.

    Raises:
        ValueError: With what is wrong with the first one that can't be: its name, its value, or a reference.
    """
    if not isinstance(table, dict):
        msg = "must be a table of names and texts"
        raise ValueError(msg)  # noqa: TRY004 - pydantic makes its error of it
    for name, value in table.items():
        problem = _problem(name, value)
        if problem is not None:
            msg = f"{name}: {problem}"
            raise ValueError(msg)
    size = sum(len(name.encode()) + len(value.encode()) for name, value in table.items())
    if size > MOST_BYTES:
        msg = f"{size:,} bytes of names and values are more than the {MOST_BYTES:,} that fit into a function's "
        msg += "environment beside Lanework's own: keep long ones in SSM, and refer to them"
        raise ValueError(msg)
    return dict(table)


def _problem(name: str, value: object) -> str | None:
    if not _NAME.fullmatch(name):
        return "a name has a letter first, then letters, digits and _, two characters at least"
    if is_taken(name):
        return "the name has a meaning for Lambda or Lanework: choose another"
    if not isinstance(value, str):
        return f'must be text: write {name} = "{value}"'
    if looks_like_reference(value):
        try:
            reference_of(value)
        except ValueError as error:
            return f"{value!r} is no reference: {error}"
    return None


def references_in(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those variables that refer to a value elsewhere."""
    return {name: value for name, value in variables.items() if looks_like_reference(value)}


def filled_in(value: str, known: Mapping[str, str]) -> str:
    """Return a value with what is known of the stack in the place of `${AWS::StackName}` and the like."""
    return _FILLED_IN.sub(lambda found: known[found[1]], value)


def as_sub(value: str) -> str | None:
    """Return a value as CloudFormation's `Fn::Sub` takes it; None if there is nothing in it to fill in."""
    if not _FILLED_IN.search(value):
        return None
    return re.sub(r"\$\{(?!AWS::(?:StackName|Region|AccountId)\})", "${!", value)
