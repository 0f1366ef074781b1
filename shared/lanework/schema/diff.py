"""What has changed between two documents of job types, and what of it breaks producers that have the older one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanework.schema.narrowing import narrowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.schema.document import Document, TypeSchema

_NOTED: Final = (
    *(
        "queue",
        "attempts",
        "backoff",
        "timeout",
        "where",
        "webhook",
        "record",
        "key",
        "unique_for",
        "debounce",
        "quotas",
    ),
)
"""What a producer takes from its own document until it has the newer one; its jobs run all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One difference.

    Attributes:
        breaking: A producer that has the older document makes jobs that fail, or that go elsewhere.
    """

    job_type: str
    breaking: bool
    what: str


def changes(old: Document, new: Document) -> list[Change]:
    """Return the differences, those that break first, by job type."""
    found = [*_of_known(old, new), *_of_new(old, new)]
    return sorted(found, key=lambda one: (not one.breaking, one.job_type))


def _of_new(old: Document, new: Document) -> Iterator[Change]:
    for name, one in new.types.items():
        if name not in old.types and not old.types.keys() & set(one.aliases):
            yield Change(job_type=name, breaking=False, what="is new")


def _of_known(old: Document, new: Document) -> Iterator[Change]:
    aliases = {alias: name for name, one in new.types.items() for alias in one.aliases}
    for name, before in old.types.items():
        now_name = name if name in new.types else aliases.get(name)
        if now_name is None:
            yield Change(job_type=name, breaking=True, what="is removed: give its successor the name in aliases=(…)")
            continue
        if now_name != name:
            yield Change(job_type=name, breaking=False, what=f"is called {now_name} now, and runs under both names")
        for is_breaking, what in _between(before, new.types[now_name]):
            yield Change(job_type=name, breaking=is_breaking, what=what)


def _between(before: TypeSchema, now: TypeSchema) -> Iterator[tuple[bool, str]]:
    if now.lane is not before.lane:
        yield True, f"lane: {before.lane} → {now.lane}; jobs of older producers go to {before.lane}"
    if now.version < before.version:
        yield True, f"version: {before.version} → {now.version}; jobs of older producers wait for code that isn't there"
    elif now.version > before.version:
        yield False, f"version: {before.version} → {now.version}"
    is_upcast = now.version > before.version and before.version in now.upcasts
    refused = narrowed(before.payload, now.payload)
    for problem in refused:
        yield not is_upcast, f"{problem}{f' (version {before.version} is upcast)' if is_upcast else ''}"
    if not refused:
        yield from ((False, what) for what in _fields(before, now))
    for name in _NOTED:
        if getattr(before, name) != getattr(now, name):
            yield False, f"{name}: {_shown(getattr(before, name))} → {_shown(getattr(now, name))}"


def _fields(before: TypeSchema, now: TypeSchema) -> Iterator[str]:
    """Yield what has changed of a payload that takes all that it took."""
    olds, news = before.payload.get("properties", {}), now.payload.get("properties", {})
    yield from (f"payload.{name}: is a new optional field" for name in news if name not in olds)
    yield from (f"payload.{name}: is no field any more, and is ignored" for name in olds if name not in news)
    if before.payload != now.payload and olds.keys() == news.keys():
        yield "payload: takes all that it took"


def _shown(value: object) -> str:
    return "none" if value in (None, ()) else str(value)
