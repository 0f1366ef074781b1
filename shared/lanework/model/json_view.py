"""JSON documents that the API answers and `--json` prints: one pydantic model each, and a new field is one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self, overload

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel


class JsonView(BaseModel):
    """A JSON document. Its names are those of its fields, in camelCase; nested ones may be given as plain objects."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, extra="forbid", defer_build=True
    )

    @classmethod
    def taken_from(cls, source: object, **made: object) -> Self:
        """Return the document of a source: a field takes its attribute of the same name, unless it is made here."""
        taken = {name: getattr(source, name) for name in cls.model_fields if name not in made}
        return cls.model_validate({**taken, **made})

    def to_json(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return self.model_dump(mode="json", by_alias=True)


@overload
def iso(moment: datetime) -> str: ...


@overload
def iso(moment: datetime | None) -> str | None: ...


def iso(moment: datetime | None) -> str | None:
    """Return a moment as clients read it, such as `2026-01-02T12:00:05.250Z`."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text_of(value: object) -> object:
    return iso(value) if isinstance(value, datetime) else value


def _number_of(value: object) -> object:
    return round(value.total_seconds(), 3) if isinstance(value, timedelta) else value


Moment = Annotated[str, BeforeValidator(_text_of)]
"""A time: ISO 8601 in UTC, to the millisecond."""

Seconds = Annotated[float, BeforeValidator(_number_of)]
"""A duration in seconds, to the millisecond."""
