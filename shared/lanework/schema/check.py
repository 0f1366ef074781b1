"""What is wrong with a payload by its JSON Schema: each problem by its field, no value repeated."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match

from lanework.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema.exceptions import ValidationError

_WORDS: Final = {
    "minimum": "must be at least {}",
    "exclusiveMinimum": "must be above {}",
    "maximum": "must be at most {}",
    "exclusiveMaximum": "must be below {}",
    "minLength": "must have {} characters or more",
    "maxLength": "must have {} characters or fewer",
    "minItems": "must have {} members or more",
    "maxItems": "must have {} members or fewer",
    "multipleOf": "must be a multiple of {}",
    "pattern": "must match {}",
    "format": "is no {}",
    "const": "must be {!r}",
}


def checker_of(name: str, schema: dict[str, Any]) -> Callable[[object], list[str]]:
    """Return what lists the problems of a job type's payload; ConfigError if its schema is none."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        msg = f"the payload of {name} in the document is not a JSON Schema: {error.message}"
        raise ConfigError(msg) from error
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def check(value: object) -> list[str]:
        return [problem for error in validator.iter_errors(value) for problem in _problems(error)]

    return check


def _problems(error: ValidationError) -> Iterator[str]:
    """Yield what is wrong, as `field: what`; of alternatives that all don't fit, what is wrong with the nearest."""
    if error.context:
        nearest = best_match(iter([error]))
        if nearest is None or nearest is error:  # they are equally near
            yield from dict.fromkeys(problem for one in error.context for problem in _problems(one))
        else:
            yield from _problems(nearest)
        return
    where = ".".join(str(one) for one in error.absolute_path)
    given: Any = error.instance
    match error.validator:
        case "required":
            yield from _missing(error, given, where)
        case "additionalProperties":
            known = (error.schema if isinstance(error.schema, dict) else {}).get("properties", {})
            for name in sorted(given.keys() - known.keys()):
                yield f"{where or 'payload'}: has a field that is none{did_you_mean(name, known)}"
        case "type":
            said: Any = error.validator_value
            kinds = [said] if isinstance(said, str) else said
            yield f"{where or 'payload'}: must be {' or '.join(kinds)}"
        case "enum":
            words: Any = error.validator_value
            yield f"{where or 'payload'}: must be one of {', '.join(map(repr, words))}"
        case name:
            sentence = _WORDS.get(str(name), f"doesn't fit {name}: {{}}")
            yield f"{where or 'payload'}: {sentence.format(error.validator_value)}"


def _missing(error: ValidationError, given: dict[str, Any], where: str) -> Iterator[str]:
    """Yield the field that is missing, with the field that may have been meant for it."""
    known = (error.schema if isinstance(error.schema, dict) else {}).get("properties", {})
    unknown = [one for one in given if one not in known]
    words: Any = error.validator_value
    for name in words:
        if name not in given and f"'{name}'" in error.message:
            close = get_close_matches(name, unknown, n=1, cutoff=0.6)
            hint = f"; {close[0]!r} is no field" if close else ""
            yield f"{f'{where}.{name}' if where else name}: is missing{hint}"
