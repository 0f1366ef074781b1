"""Forms as browsers send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from lanework.errors import InvalidOptionError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """
    What a form was sent with.

    Attributes:
        fields: Every value of every field.
    """

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, event: BaseProxyEvent) -> Form:
        """Return a request's form; an empty one, if its body is something else."""
        if not (event.headers.get("content-type") or "").startswith(FORM):
            return cls()
        return cls(parse_qs(event.decoded_body or "", keep_blank_values=True))

    def one(self, name: str) -> str | None:
        """Return a field's first value, without the blanks around it; None if it is missing or blank."""
        return next((value.strip() for value in self.fields.get(name, ()) if value.strip()), None)

    def number(self, name: str) -> float | None:
        """
        Return a field's first value as a number; None if it is missing or blank.

        Raises:
            InvalidOptionError: It is no number.
        """
        text = self.one(name)
        try:
            return None if text is None else float(text)
        except ValueError:
            msg = f"the {name} must be a number, got {shown(text)}"
            raise InvalidOptionError(msg) from None

    def moment(self, name: str) -> datetime | None:
        """
        Return a field's first value as a time in UTC; None if it is missing or blank.

        Raises:
            InvalidOptionError: It is no time with a zone.
        """
        text = self.one(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        msg = f"{name} must be a moment with its time zone, got {shown(text)}"
        raise InvalidOptionError(msg)

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(self.fields.get(name, ()))
