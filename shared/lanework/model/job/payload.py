"""Payloads: a job type's pydantic model, and which of its fields may appear in logs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from lanework.errors import InvalidPayloadError, TooLargeError, did_you_mean, is_a, shown
from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.model.job.validation_errors import MASK, OF_USERS_CODE, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo


class PublicMark:
    """Marks a payload field that may appear in logs and events."""


_DEEPEST: Final = 100
"""Levels of a value that is shown; what writes answers gives up at 255."""

_WITHOUT_ZONE: Final = re.compile(r'\d\d:\d\d:\d\d(?:\.\d{1,6})?"')
"""A time of day without a zone, as pydantic writes it: equality doesn't see which of two repeated ones it was."""

_LONGEST_WHY: Final = 80
_PUBLIC: Final = PublicMark()
_LONGEST_NAME: Final = 64
"""Characters of a field's name that an error repeats as it is."""

INLINE_PAYLOAD: Final = 1024
"""Bytes of payload that a job's own item holds; a write unit is 1 KB (DynamoDB)."""

_LOOSE = (Any, object, BaseModel)
"""Under these a value may come back as an equal one of another type: a Counter as a dict."""

T = TypeVar("T")
Public = Annotated[T, _PUBLIC]
"""`provider: Public[str]`: this field may appear in logs; every other field may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Another payload for a job that exists: JSON text and version of the code that wrote it."""

    payload: str
    version: int = 1


def is_apart(payload: str | None) -> bool:
    """Tell whether a payload is kept apart from its record: writes then answer with a record that has none."""
    return payload is not None and len(payload.encode()) > INLINE_PAYLOAD


def digest_of(text: str) -> str:
    """Return 16 characters by which a text is known again: enough to tell apart what is sent under one id."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def parsed(job_type: str, model: type[BaseModel], payload: BaseModel | Mapping[str, object] | str) -> BaseModel:
    """
    Return the payload as the job type's model. A field that has an alias may come under it or under its own name.

    Raises:
        InvalidPayloadError: It doesn't fit, or a validator of its own raised what pydantic makes nothing of, such as a
            KeyError; the error names each field, or the type of that, and repeats no value.
    """
    if isinstance(payload, model):
        return payload
    try:
        if isinstance(payload, str):
            return model.model_validate_json(payload, by_alias=True, by_name=True)
        if isinstance(payload, BaseModel):
            raise InvalidPayloadError(job_type, [f"expected {model.__name__}, got {type(payload).__name__}"])
        return model.model_validate(payload, by_alias=True, by_name=True)
    except ValidationError as error:
        raise InvalidPayloadError(job_type, problems_of(error)) from None
    except UnicodeError:
        raise InvalidPayloadError(job_type, ["payload: holds a lone surrogate, which is no text"]) from None
    except OF_USERS_CODE as error:
        raise InvalidPayloadError(job_type, [f"payload: a validator raised {type(error).__name__}"]) from None


def part_of(job_type: str, model: type[BaseModel], given: Mapping[str, object]) -> BaseModel:
    """Return a payload of which only some fields are given yet; their values are looked at when the job runs."""
    if not isinstance(given, Mapping):
        raise InvalidPayloadError(job_type, [f"given: expected a mapping of fields, got {type(given).__name__}"])
    unknown = [
        f"{_named(name)}: no such field{did_you_mean(name, model.model_fields)}"
        for name in given
        if name not in model.model_fields
    ]
    if unknown:
        raise InvalidPayloadError(job_type, unknown)
    return model.model_construct(_fields_set=set(given), **given)


def _named(name: str) -> str:
    return name if is_a(name, str) and name.isidentifier() and len(name) <= _LONGEST_NAME else shown(name)


def written(job_type: str, model: type[BaseModel], payload: BaseModel, *, partly: bool = False) -> str:
    """
    Return the payload as JSON text that a job reads back as the same payload.

    Written `partly` it has only the fields that were given: another job's result will give the rest.

    Raises:
        InvalidPayloadError: It can't be written, or would not come back as it is; the error names each field.
        TooLargeError: It is over 256 KB.
    """
    try:
        text = payload.model_dump_json(by_alias=False, exclude_unset=partly, warnings=False)
    except OF_USERS_CODE as error:
        raise InvalidPayloadError(job_type, _odd().unwritable(payload, error)) from None
    size = len(text.encode())
    if size > LARGEST_PAYLOAD:
        raise TooLargeError(
            "payload",
            size=size,
            limit=LARGEST_PAYLOAD,
            why="what an item and a message can hold with room to spare; keep the data in S3 and send its key",
        )
    problems = _odd().changed_part(payload, text) if partly else _changed(payload, text, model)
    if problems:
        raise InvalidPayloadError(job_type, problems)
    return text


def _changed(payload: BaseModel, text: str, model: type[BaseModel]) -> list[str]:
    """
    Return what of a payload a job would not get as it was given, as `field: what is wrong`; nothing is the rule.

    The rule costs one validation, 5 µs for a small payload, of an enqueue's 3 ms (docs/decisions/0031).
    """
    # What equality doesn't see, or what is no JSON; where it stands in a string, it is looked at more closely.
    is_plain = "NaN" not in text and "Infinity" not in text and _WITHOUT_ZONE.search(text) is None
    is_plain = is_plain and _shows_in_equality(model)
    with suppress(*OF_USERS_CODE):
        if is_plain and model.model_validate_json(text, by_alias=True, by_name=True) == payload:
            return []
    found: list[str] = _odd().changed(payload, text, model)
    return found


def _odd() -> Any:  # noqa: ANN401 - a module
    """Return what names the fields that don't come back: loaded where there are some."""
    from lanework.model.job import round_trip  # noqa: PLC0415 - as it says

    return round_trip


def public_part(payload: BaseModel) -> dict[str, object]:
    """Return the fields that are marked `Public`, as JSON values."""
    names = public_names(type(payload))
    return payload.model_dump(mode="json", include=names, warnings=False) if names else {}


def masked(text: str, model: type[BaseModel] | None) -> dict[str, object]:
    """
    Return a payload for people: fields that aren't marked `Public` have a mask for a value.

    What is no object, or a `RootModel`'s, is one field, `root`; so is what can't be read, with why. The name of what is
    no field of the model is masked, too: it may be data. Without a model, every field is masked.
    """
    public = set() if model is None else public_names(model)
    value, problem = as_values(text)
    if problem is not None:
        return {"root": problem}
    is_whole = not isinstance(value, dict) or (model is not None and issubclass(model, RootModel))
    fields = {"root": value} if is_whole else value
    known = fields if model is None or is_whole else model.model_fields
    return {name if name in known else MASK: one if name in public else MASK for name, one in fields.items()}


def as_values(text: str) -> tuple[Any, str | None]:
    """
    Return stored JSON text as values that can be written as JSON again, or None and why they can't be.

    NaN and infinity, which JSON has no word for, become text, and lone surrogates question marks.
    """
    try:
        value = json.loads(text, parse_constant=str, parse_float=_finite)
        if "\\ud" in text.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:_LONGEST_WHY]
        return None, f"can't be shown: {why}"
    if text.count("[") + text.count("{") > _DEEPEST and _depth(value) > _DEEPEST:
        return None, "can't be shown: nested too deeply"
    return value, None


def _finite(text: str) -> float | str:
    value = float(text)
    return text if value in (float("inf"), float("-inf")) else value


def _depth(value: object) -> int:
    """Return how deep values are nested, as far as it matters."""
    level: list[object] = [value]
    for depth in range(_DEEPEST + 1):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return depth
    return _DEEPEST + 1


def with_misplaced_marks(model: type[BaseModel]) -> list[str]:
    """Return the fields that are `Public` in part only, as in `list[Public[str]]`; all of a field is shown, or none."""
    return [
        name
        for name, info in model.model_fields.items()
        if not _is_public(info) and any(_is_marked(one) for one in _parts(info.annotation))
    ]


def public_names(model: type[BaseModel]) -> set[str]:
    """Return the fields that are marked `Public`."""
    return {name for name, info in model.model_fields.items() if _is_public(info)}


def _is_public(info: FieldInfo) -> bool:
    """Whether a field is marked: `Public[str]`, `Public[str | None]`, or `Public[str] | None`."""
    if any(isinstance(mark, PublicMark) for mark in info.metadata):
        return True
    if get_origin(info.annotation) not in (Union, UnionType):
        return False
    members = [one for one in get_args(info.annotation) if one is not NoneType]
    return all(_is_marked(one) for one in members)


def _is_marked(annotation: object) -> bool:
    return any(isinstance(mark, PublicMark) for mark in getattr(annotation, "__metadata__", ()))


def _parts(annotation: object) -> Iterator[object]:
    """Yield what an annotation is made of, at any depth."""
    for one in get_args(annotation):
        yield one
        yield from _parts(one)


@lru_cache(maxsize=1_000)
def _shows_in_equality(model: type[BaseModel]) -> bool:
    """
    Return whether equal payloads of a model are the same.

    They need not be where the model, or one within it, has an `__eq__` of its own or takes further fields, or where a
    field is `Any` or a union with an enum: its member equals the plain value that it comes back as.
    """
    seen: set[object] = set()

    def is_strict(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
        if isinstance(annotation, list):  # the parameters of a Callable
            return all(map(is_strict, annotation))
        try:
            if annotation in seen:
                return True
            seen.add(annotation)
        except TypeError:  # unhashable: metadata of an Annotated
            return True
        if annotation in _LOOSE or isinstance(annotation, TypeVar):
            return False
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return _is_own(annotation) and all(is_strict(one.annotation) for one in annotation.model_fields.values())
        parts = [one for one in get_args(annotation) if one is not NoneType]
        has_enum = any(isinstance(one, type) and issubclass(one, Enum) for one in parts)
        return not (has_enum and len(parts) > 1) and all(map(is_strict, parts))

    return is_strict(model)


def _is_own(model: type[BaseModel]) -> bool:
    """Return whether a model compares as pydantic's do, and has no fields but its own."""
    return model.__eq__ in {BaseModel.__eq__, RootModel.__eq__} and model.model_config.get("extra") != "allow"
