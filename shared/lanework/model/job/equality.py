"""Whether `==` of two payloads of a model shows all that differs between them. Pure."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from types import NoneType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, RootModel

_LOOSE = (Any, object, BaseModel)
"""Under these a value may come back as an equal one of another type: a Counter as a dict."""


@lru_cache(maxsize=1_000)
def shows_in_equality(model: type[BaseModel]) -> bool:
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
