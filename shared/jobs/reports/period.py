"""Which days a report or an export covers."""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import AliasChoices, ConfigDict, Field, model_validator

from jobs.payloads import Payload

LONGEST_DAYS: Final = 366


class Period(Payload):
    """
    Days, both ends included.

    Attributes:
        start: First day, in UTC; `startDate` is accepted, too.
        end: Last day; at most a year (366 days) in all. `endDate` is accepted, too.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"start": "2026-01-01", "end": "2026-01-31"}]})

    start: Annotated[date, Field(validation_alias=AliasChoices("start", "startDate", "start_date"))]
    end: Annotated[date, Field(validation_alias=AliasChoices("end", "endDate", "end_date"))]

    @model_validator(mode="after")
    def _start_comes_first(self) -> Self:
        msg = ""
        if self.end < self.start:
            msg = f"end ({self.end}) lies before start ({self.start})"
        elif self.days > LONGEST_DAYS:
            msg = f"a report covers at most {LONGEST_DAYS} days, {self.start} to {self.end} are {self.days}"
        if msg:
            raise ValueError(msg)
        return self

    @property
    def days(self) -> int:
        """How many days it covers."""
        return (self.end - self.start).days + 1

    def percent_at(self, day: date) -> int:
        """Return how much of the period has passed by the end of a day, 0 to 100."""
        return 100 * ((day - self.start).days + 1) // self.days
