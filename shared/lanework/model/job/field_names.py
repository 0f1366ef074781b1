"""Which words of a place in a payload its code gave it, and which are keys of what was given. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.fields import FieldInfo
    from pydantic_core import ValidationError

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """
    What a model's code calls things.

    Attributes:
        fields: Names and aliases of its fields, and of those of what it holds, at any depth.
        tags: Names of the models, and words of literals, by which pydantic names the member of a union.
        has_numbers: A key of a mapping may be a number, which looks like a position in a list.
    """

    fields: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    has_numbers: bool = False

    def has(self, part: object) -> bool:
        """Tell whether a part of a place is the code's word, or a position, and no key of what was given."""
        return not self.has_numbers if isinstance(part, int) else part in self.fields or part in self.tags


NO_NAMES: Final = Names(has_numbers=True)


@lru_cache(maxsize=256)
def names_of(model: type[BaseModel]) -> Names:
    """Return what a model's code calls things."""
    return _names([model])


def names_for(error: ValidationError) -> Names:
    """Return the same for an error, whose title is the name of its model; none, where no model has that."""
    words = set(_WORD.findall(error.title[:1_000]))
    found = [one for one in _every_model() if one.__name__ in words or one.model_config.get("title") == error.title]
    return _names(found) if found else NO_NAMES


def _every_model() -> Iterator[type[BaseModel]]:
    left, seen = [BaseModel], {BaseModel}
    while left:
        found = set(type.__subclasses__(left.pop())) - seen
        seen |= found
        left += found
        yield from found


def _names(models: Iterable[type[BaseModel]]) -> Names:
    fields, tags = set[str](), set[str]()
    has_numbers = False
    left: list[Any] = list(models)
    seen: dict[int, Any] = {}
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        if isinstance(one, str):
            tags.add(one)
        elif isinstance(one, type) and issubclass(one, BaseModel):
            tags.add(one.__name__)
            for name, info in one.model_fields.items():
                fields |= {name, *_aliases(info)}
                left += [info.annotation, *info.metadata]
        elif isinstance(one, type) and hasattr(
            one, "__annotations__"
        ):  # a dataclass, a named tuple, a typed dictionary
            fields |= set(one.__annotations__)
            left += [hint for hint in one.__annotations__.values() if not isinstance(hint, str)]
        has_numbers |= _is_mapping(one) and get_args(one)[:1] != (str,)
        left += get_args(one) or ([one.__value__] if hasattr(one, "__value__") else [])  # `type Cards = list[Card]`
    return Names(fields=frozenset(fields), tags=frozenset(tags), has_numbers=has_numbers)


def _is_mapping(annotation: object) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _aliases(info: FieldInfo) -> set[str]:
    """Return every word under which a field may be given."""
    path = info.validation_alias
    choices = path.choices if isinstance(path, AliasChoices) else [path]
    parts = [part for one in choices for part in (one.path if isinstance(one, AliasPath) else [one])]
    return {part for part in (info.alias, *parts) if isinstance(part, str)}
