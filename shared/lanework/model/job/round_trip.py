"""Whether a payload comes back from its JSON text as it was given: what the job gets is what was enqueued. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from lanework.model.job.validation_errors import MASK, OF_USERS_CODE, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 10
"""Fields that are named; the rest are of the same kind."""


def changed(payload: BaseModel, text: str, model: type[BaseModel]) -> list[str]:
    """Return what of a payload a job would not get as it was given, as `field: what is wrong`; nothing is the rule."""
    if "NaN" in text or "Infinity" in text:
        try:
            from_json(text, allow_inf_nan=False)
        except ValueError:
            return [f"{place}: NaN and infinity are not JSON" for place in _not_finite(payload)] or ["payload: no JSON"]
    try:
        back = model.model_validate_json(text, by_alias=True, by_name=True)
        return list(_differences(payload, back, "", model))[:_MOST]
    except ValidationError as error:
        return [f"{one} (as it is written)" for one in problems_of(error)[:_MOST]]
    except OF_USERS_CODE as error:
        return [f"payload: can't be read back: {type(error).__name__}"]


def changed_part(payload: BaseModel, text: str) -> list[str]:
    """Return the same of a payload of which only some fields are given: each by itself, since the rest isn't known."""
    try:
        sent = from_json(text)
    except ValueError as error:  # a number of more digits than Python reads
        return [f"payload: can't be read back: {str(error)[:60]}"]
    found: list[str] = []
    for name in payload.model_fields_set:
        given = payload.__dict__.get(name)
        finite = [f"{place}: NaN and infinity are not JSON" for place in _not_finite(given, name)]
        if finite or name not in sent:
            found += finite or [f"{name}: is excluded from what is sent"]
        elif sent[name] != given and not _reads_the_same(type(payload), name, given, sent[name]):
            found.append(_problem(given, sent[name], name))
    return found[:_MOST]


def _reads_the_same(model: type[BaseModel], name: str, given: object, sent: object) -> bool:
    """Tell whether a field's value and what is sent of it mean the same to its model; what fits neither isn't known."""
    info = model.model_fields[name]
    annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    try:
        return _is_same(adapter.validate_python(given), adapter.validate_python(sent))
    except OF_USERS_CODE:  # pydantic's among them
        return True


def _differences(given: object, back: object, place: str, model: type[BaseModel]) -> Iterator[str]:
    """Yield where two values differ, as deep as their places have names."""
    if isinstance(given, BaseModel) and isinstance(back, BaseModel):
        yield from _of_models(given, back, place, model)
    elif isinstance(given, str | int | dict) and type(given) is not type(back):
        yield _problem(given, back, place)  # an enum's member or a Counter equals what it comes back as
    elif isinstance(given, Mapping) and isinstance(back, Mapping):
        yield from _of_mappings(given, back, place, model)
    elif _is_list(given) and _is_list(back) and type(given) is type(back) and len(given) == len(back):  # type: ignore[arg-type]
        for index, pair in enumerate(zip(given, back, strict=True)):  # type: ignore[call-overload]
            yield from _differences(pair[0], pair[1], _under(place, index), model)
    elif not _is_same(given, back):
        yield _problem(given, back, place)


def _of_models(given: BaseModel, back: BaseModel, place: str, model: type[BaseModel]) -> Iterator[str]:
    mine = {**given.__dict__, **(given.__pydantic_extra__ or {})}
    theirs = {**back.__dict__, **(back.__pydantic_extra__ or {})}
    fields = {*type(given).model_fields, *(given.__pydantic_extra__ or {})}
    if not isinstance(given, type(back)):
        yield _problem(given, back, place)
        return
    for name in {*(given.__pydantic_extra__ or ())} & {*type(given).model_fields}:
        yield f"{_under(place, name)}: is given twice, as the field and as a further value of its name"
    for name in (one for one in mine if one in fields):
        under = _under(place, name if name in type(given).model_fields else MASK)
        if name in theirs:
            yield from _differences(mine[name], theirs[name], under, model)
        else:
            yield f"{under}: is no field of {type(back).__name__}, which the job reads"
    yield from _of_private(given, back, place)


def _of_private(given: BaseModel, back: BaseModel, place: str) -> Iterator[str]:
    """Yield private attributes with a value of their own, which isn't sent; one that a factory makes has none."""
    mine, theirs = given.__pydantic_private__ or {}, back.__pydantic_private__ or {}
    for name, value in mine.items():
        private = type(given).__private_attributes__.get(name)
        is_made = private is not None and private.default_factory is not None
        if not is_made and name in theirs and not _is_same(value, theirs[name]):
            yield f"{_under(place, name)}: is private, and no part of what is sent"


def _of_mappings(
    given: Mapping[object, object], back: Mapping[object, object], place: str, model: type[BaseModel]
) -> Iterator[str]:
    for key, value in given.items():
        if key in back:
            yield from _differences(value, back[key], _under(place, MASK), model)
        else:
            yield f"{_under(place, MASK)}: a key of type {type(key).__name__} would come back as another"
    if len(back) > len(given):
        yield f"{place or 'payload'}: would come back with more in it"


def _problem(given: object, back: object, place: str) -> str:
    if given != given:  # noqa: PLR0124 - what isn't itself is NaN
        return f"{place or 'payload'}: NaN is not equal to itself, and not JSON"
    if _is_second(given):
        how = "without a time zone, the second of two equal times (fold=1) comes back as the first"
        return f"{place or 'payload'}: {how}: give it its zone"
    was, is_ = type(given).__name__, type(back).__name__
    how = f"a {was} would come back as a {is_}" if was != is_ else f"a {was} would come back as another"
    return f"{place or 'payload'}: {how}; give it a type that JSON can carry, or write it so that it can be read again"


def _is_same(given: object, back: object) -> bool:
    if isinstance(given, datetime) and isinstance(back, datetime) and given.tzinfo and back.tzinfo:
        return given.astimezone(UTC) == back.astimezone(UTC)  # `==` says no to all that a change of clocks repeats
    return bool(given == back) and not _is_second(given)


def _is_second(value: object) -> bool:
    """Tell whether it is the second of two equal times of day, at a change of clocks, and no zone says of which."""
    return isinstance(value, datetime | time) and value.tzinfo is None and bool(value.fold)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def unwritable(payload: BaseModel, error: Exception) -> Iterator[str]:
    """Yield the fields that can't be written, with why; the payload as a whole if none alone can't."""
    found = False
    for name in type(payload).model_fields:
        try:
            payload.model_dump_json(include={name}, warnings=False)
        except OF_USERS_CODE as one:
            found = True
            yield f"{name}: can't be written as JSON: {_why(one)}"
    if not found:
        yield f"payload: can't be written as JSON: {_why(error)}"


def _why(error: Exception) -> str:
    """Return what went wrong, without the value that some of pydantic's messages repeat."""
    text = str(error)
    for known in ("invalid utf-8", "UnicodeEncodeError", "Circular reference", "Maximum serialization depth"):
        if known in text:
            return {"UnicodeEncodeError": "a lone surrogate"}.get(known, known)
    return type(error.__cause__ or error).__name__


def _not_finite(value: object, place: str = "") -> Iterator[str]:
    """Yield the places of numbers that JSON has no word for."""
    if isinstance(value, BaseModel):
        for name, one in value.__dict__.items():
            yield from _not_finite(one, _under(place, name))
        value = value.__pydantic_extra__ or {}
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _not_finite(one, _under(place, MASK))
    elif _is_list(value) or isinstance(value, AbstractSet):
        for index, one in enumerate(value):  # type: ignore[arg-type]
            yield from _not_finite(one, _under(place, index))
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        yield place or "payload"


def _under(place: str, part: object) -> str:
    name = str(part)[:64]
    return f"{place}.{name}" if place else name
