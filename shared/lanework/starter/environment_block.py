"""Writes what pyproject.toml says of all functions' environment into template.yaml, between two comments."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError
from lanework.local.environment_table import TABLE, as_sub, references_in
from lanework.model.references import Store, reference_of
from lanework.references import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BEGIN: Final = f"# Of pyproject.toml, {TABLE}; lanework check --write writes it."
_END: Final = "# Until here."
_BLOCK: Final = re.compile(rf"^ *{re.escape(_BEGIN)}\n.*?^ *{re.escape(_END)}\n", re.DOTALL | re.MULTILINE)

_VARIABLES: Final = re.compile(r"^Globals:\n(?:(?: .*)?\n)*?    Environment:\n      Variables:\n", re.MULTILINE)
_STATEMENTS: Final = re.compile(r"^  JobPolicy:\n(?:(?:   .*)?\n)*?        Statement:\n", re.MULTILINE)
_ARN: Final = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"


def with_environment(text: str, variables: Mapping[str, str]) -> str:
    """
    Return a template's text whose functions have these variables, and whose workers may read what those refer to.

    What an earlier call has written is replaced; everything else stays as it is.

    Raises:
        ConfigError: The template has no place for them, or sets one of them itself.
    """
    bare = _BLOCK.sub("", text)
    if not variables:
        return bare
    _refuse_twice(bare, variables)
    written = _after(bare, _VARIABLES, "Globals.Function.Environment.Variables", _lines_of_variables(variables))
    statements = _statements(variables)
    return _after(written, _STATEMENTS, "policy JobPolicy", statements) if statements else written


def _refuse_twice(text: str, variables: Mapping[str, str]) -> None:
    shared = text.partition("\nResources:\n")[0]
    twice = [name for name in sorted(variables) if re.search(rf"^        {name}:", shared, re.MULTILINE)]
    if twice:
        msg = f"template.yaml sets {', '.join(twice)} in Globals, and so does {TABLE}: keep one of them"
        raise ConfigError(msg)


def _after(text: str, place: re.Pattern[str], name: str, lines: Sequence[str]) -> str:
    found = place.search(text)
    if found is None:
        msg = f"template.yaml has no {name} as Lanework wrote it, where {TABLE} belongs; try: lanework upgrade"
        raise ConfigError(msg)
    indent = " " * (8 if place is _VARIABLES else 10)
    block = "".join(f"{indent}{line}\n" for line in (_BEGIN, *lines, _END))
    return text[: found.end()] + block + text[found.end() :]


def _lines_of_variables(variables: Mapping[str, str]) -> list[str]:
    references = ",".join(sorted(references_in(variables)))
    named = [f"{NAMES}: {references}"] if references else []
    return [*named, *(f"{name}: {_yaml(value)}" for name, value in sorted(variables.items()))]


def _yaml(value: str) -> str:
    sub = as_sub(value)
    return json.dumps(value) if sub is None else f"!Sub {json.dumps(sub)}"


def _statements(variables: Mapping[str, str]) -> list[str]:
    """Return a statement for each of the two services, where it is referred to."""
    lines = []
    for store, sid in ((Store.SSM, "ReferencedParameters"), (Store.SECRETS_MANAGER, "ReferencedSecrets")):
        referred = [one for one in map(reference_of, references_in(variables).values()) if one.store is store]
        if referred:
            lines += [f"- Sid: {sid}", "  Effect: Allow", f"  Action: {referred[0].action}", "  Resource:"]
            lines += [
                f"    - !Sub {_ARN % (store, resource)}" for resource in sorted({one.resource for one in referred})
            ]
    return lines
