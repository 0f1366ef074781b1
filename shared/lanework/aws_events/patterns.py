"""
EventBridge's event patterns: which events they match, and whether two may match the same one.

docs.aws.amazonaws.com/eventbridge/latest/userguide/eb-create-pattern-operators.html; what isn't here is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lanework.errors import InvalidOptionError, shown

Pattern = Mapping[str, Any]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_ABSENT: Final = object()


def checked_pattern(pattern: object, at: str = "") -> Pattern:
    """Return a pattern that EventBridge and `matches` read alike; InvalidOptionError says where it can't be."""
    if not isinstance(pattern, Mapping) or not pattern:
        msg = f"an event pattern {at or 'as a whole'} must be an object of fields, got {shown(pattern)}"
        raise InvalidOptionError(msg)
    for name, wanted in pattern.items():
        place = f"{at}.{name}" if at else str(name)
        if isinstance(wanted, list) and wanted:
            for one in wanted:
                _check_operator(one, place)
        elif isinstance(wanted, Mapping):
            checked_pattern(wanted, place)
        else:
            msg = f'an event pattern has a list of values for each field: "{place}": [{shown(wanted)}]'
            raise InvalidOptionError(msg)
    return pattern


def _check_operator(one: object, place: str) -> None:
    if not isinstance(one, Mapping):
        return
    name = next(iter(one), None)
    if len(one) != 1 or name not in _OPERATORS:
        msg = f"event pattern {place}: {shown(name)} is not supported; use {', '.join(_OPERATORS)}"
        raise InvalidOptionError(msg)
    try:
        _OPERATORS[name](one[name], "")
    except (TypeError, ValueError, KeyError, IndexError):
        msg = f"event pattern {place}: {name} can't have {shown(one[name])}"
        raise InvalidOptionError(msg) from None


def matches(pattern: Pattern, event: object) -> bool:
    """Tell whether an event has, for each field of a pattern, one of the values that it lists."""
    fields = event if isinstance(event, Mapping) else {}
    for name, wanted in pattern.items():
        value = fields.get(name, _ABSENT)
        if isinstance(wanted, Mapping):
            if not matches(wanted, value):
                return False
            continue
        values = value if isinstance(value, list) and value else [value]
        if not any(_fits(one, each) for one in wanted for each in values):
            return False
    return True


def overlap(one: Pattern, other: Pattern) -> bool:
    """Tell whether an event may match both: no field shows that none can."""
    for name in one.keys() & other.keys():
        mine, theirs = one[name], other[name]
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            if not overlap(mine, theirs):
                return False
        elif not (isinstance(mine, Mapping) or isinstance(theirs, Mapping) or _any_meet(mine, theirs)):
            return False
    return True


def _any_meet(mine: Iterable[object], theirs: Iterable[object]) -> bool:
    return any(_may_meet(a, b) for a in mine for b in theirs)


def _fits(wanted: object, value: object) -> bool:
    if isinstance(wanted, Mapping):
        name, said = next(iter(wanted.items()))
        return _OPERATORS[name](said, value)
    return type(wanted) is type(value) and wanted == value if isinstance(wanted, bool) else wanted == value


def _may_meet(a: object, b: object) -> bool:
    if not isinstance(a, Mapping) and not isinstance(b, Mapping):
        return a == b
    if not isinstance(a, Mapping):
        return _fits(b, a)
    if not isinstance(b, Mapping):
        return _fits(a, b)
    for name, test in (("prefix", str.startswith), ("suffix", str.endswith)):
        if isinstance(first := a.get(name), str) and isinstance(second := b.get(name), str):
            return test(first, second) or test(second, first)
    return True


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError
    return said


def _anything_but(said: Any, value: object) -> bool:  # noqa: ANN401 - of JSON
    if value is _ABSENT:
        return False
    if isinstance(said, Mapping):
        (name,) = said
        return not _OPERATORS[name](said[name], value)
    return value not in (said if isinstance(said, list) else [said])


def _numeric(said: Any, value: object) -> bool:  # noqa: ANN401 - of JSON
    tests = [(_COMPARE[sign], float(bound)) for sign, bound in zip(said[::2], said[1::2], strict=True)]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and all(test(value, bound) for test, bound in tests)


def _exists(said: object, value: object) -> bool:
    if not isinstance(said, bool):
        raise TypeError
    return (value is not _ABSENT) is said


def _wildcard(said: object, value: object) -> bool:
    parts = re.split(r"(\\.|\*)", _text(said))
    regex = "".join(".*" if one == "*" else re.escape(one.removeprefix("\\") if len(one) > 1 else one) for one in parts)
    return isinstance(value, str) and re.fullmatch(regex, value, re.DOTALL) is not None


_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "prefix": lambda said, value: isinstance(value, str) and value.startswith(_text(said)),
    "suffix": lambda said, value: isinstance(value, str) and value.endswith(_text(said)),
    "equals-ignore-case": lambda said, value: isinstance(value, str) and value.casefold() == _text(said).casefold(),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "wildcard": _wildcard,
}
