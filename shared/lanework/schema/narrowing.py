"""Whether a JSON Schema still takes what another has taken. Pure; for the schemas that pydantic writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]

_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_AS_IT_IS: Final = ("pattern", "format", "multipleOf", "contentEncoding", "contentMediaType")
_NOT_COMPARED: Final = ("allOf", "not", "if", "then", "else", "propertyNames", "patternProperties", "dependentRequired")


def narrowed(old: Schema, new: Schema) -> list[str]:
    """Return what of the old schema's values the new one refuses, as `field: what`; nothing if it takes them all."""
    return _Comparison(old, new).compare(old, new, "payload")


@dataclass(slots=True)
class _Comparison:
    """Two documents, whose definitions are looked up."""

    old: Schema
    new: Schema
    _within: frozenset[tuple[str, str]] = frozenset()

    def compare(self, old: Schema | bool, new: Schema | bool, at: str) -> list[str]:  # noqa: FBT001 - JSON Schema's
        if isinstance(old, bool) or isinstance(new, bool):
            return [] if new in (True, {}) or old is False else [f"{at}: takes less than anything now"]
        refs = (str(old["$ref"]), str(new["$ref"])) if "$ref" in old and "$ref" in new else None
        if refs in self._within:  # a model that has itself as a field
            return []
        within = self._within
        self._within = within if refs is None else within | {refs}
        olds, news = _alternatives(old, self.old), _alternatives(new, self.new)
        found: list[str] = []
        for one in olds:
            nearest: list[str] = min((self._one(one, other, at) for other in news), key=len)
            found += nearest
        self._within = within
        return list(dict.fromkeys(found))

    def _one(self, old: Schema, new: Schema, at: str) -> list[str]:
        kind = _type(old, new, at)
        if kind:
            return kind
        return [
            *_values(old, new, at),
            *_bounds(old, new, at),
            *self._object(old, new, at),
            *self._array(old, new, at),
            *[
                f"{at}: {name} has changed, which can't be compared"
                for name in _NOT_COMPARED
                if name in new and old.get(name) != new[name]
            ],
        ]

    def _object(self, old: Schema, new: Schema, at: str) -> list[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        others_before, others = old.get("additionalProperties", True), new.get("additionalProperties", True)
        must = [name for name in new.get("required", ()) if name not in old.get("required", ())]
        found = [f"{at}.{name}: {'is required now' if name in before else 'is a new required field'}" for name in must]
        for name, schema in before.items():
            if name in now:
                found += self.compare(schema, now[name], f"{at}.{name}")
            elif others is False:
                found.append(f"{at}.{name}: is no field any more, and what is no field is refused")
            else:
                found += self.compare(schema, others, f"{at}.{name}")
        if others is False:
            return found if others_before is False else [*found, f"{at}: what is no field is refused now"]
        return [*found, *self.compare(others_before, others, f"{at}.*")]

    def _array(self, old: Schema, new: Schema, at: str) -> list[str]:
        before, now = old.get("prefixItems", []), new.get("prefixItems", [])
        rest_before, rest = old.get("items", True), new.get("items", True)
        found = [f"{at}: must be unique now"] if new.get("uniqueItems") and not old.get("uniqueItems") else []
        for place in range(max(len(before), len(now))):
            one = before[place] if place < len(before) else rest_before
            found += self.compare(one, now[place] if place < len(now) else rest, f"{at}[{place}]")
        return [*found, *self.compare(rest_before, rest, f"{at}[]")]


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**document.get("$defs", {}).get(name, {}), **rest}
    return schema


def _alternatives(schema: Schema, document: Schema) -> list[Schema]:
    """Return a schema as those of which a value must fit one."""
    schema = _resolved(schema, document)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            rest = {key: value for key, value in schema.items() if key != word}
            return [each for one in schema[word] for each in _alternatives({**rest, **one}, document)]
    kinds = schema.get("type")
    return [schema | {"type": one} for one in kinds] if isinstance(kinds, list) else [schema]


def _type(old: Schema, new: Schema, at: str) -> list[str]:
    before, now = old.get("type"), new.get("type")
    if now is None or before == now or (before, now) == ("integer", "number"):
        return []
    return [f"{at}: must be {now} now, not {before or 'anything'}"]


def _values(old: Schema, new: Schema, at: str) -> list[str]:
    before, now = _listed(old), _listed(new)
    if now is None:
        return []
    if before is None:
        return [f"{at}: takes only {', '.join(map(repr, now))} now"]
    return [f"{at}: no longer takes {one!r}" for one in before if one not in now]


def _listed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _bounds(old: Schema, new: Schema, at: str) -> list[str]:
    found = []
    for name in (*_LEAST, *_MOST, *_AS_IT_IS):
        before, now = old.get(name), new.get(name)
        if now is None or before == now:
            continue
        is_wider = before is not None and name not in _AS_IT_IS and (now < before if name in _LEAST else now > before)
        if not is_wider:
            found.append(f"{at}: {name} is {now!r} now{'' if before is None else f', was {before!r}'}")
    return found
