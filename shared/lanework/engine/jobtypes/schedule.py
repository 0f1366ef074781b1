"""A job type's own schedule, as declared in code, and whether it can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from lanework.errors import DeclarationError, InvalidOptionError, InvalidPayloadError, shown
from lanework.model.job.payload import written
from lanework.model.schedule.schedule import CatchUp, Overlap, Schedule, word_of
from lanework.model.schedule.timetable import Timetable

if TYPE_CHECKING:
    from datetime import timedelta


def schedule_of(
    name: str,
    *,
    job_type: str,
    cron: str | None,
    every: timedelta | None,
    tz: str | None,
    overlap: str | None,
    catch_up: str | None,
    payload: str = "{}",
) -> Schedule:
    """Return the schedule that these words make, None leaving one at its default; what can't be used is refused."""
    return Schedule(
        name=name,
        job_type=job_type,
        timetable=Timetable(cron=cron, every=every, tz="UTC" if tz is None else tz),
        payload=payload,
        overlap=Overlap.SKIP if overlap is None else word_of("overlap", Overlap, overlap),
        catch_up=CatchUp.LATEST if catch_up is None else word_of("catch_up", CatchUp, catch_up),
    )


def declared_schedule(
    name: str,
    *,
    cron: str | None,
    every: timedelta | None,
    tz: str | None,
    overlap: str | None,
    catch_up: str | None,
) -> Schedule | None:
    """Return the schedule of a job type's declaration, if it has one; a word without `cron` or `every` is refused."""
    if cron is None and every is None:
        for word, value in (("tz", tz), ("overlap", overlap), ("catch_up", catch_up)):
            if value is not None:
                msg = f"job {name!r}: {word}={shown(value)} goes with cron= or every=: give one, or leave it out"
                raise InvalidOptionError(msg)
        return None
    return schedule_of(name, job_type=name, cron=cron, every=every, tz=tz, overlap=overlap, catch_up=catch_up)


def check_declared(schedule: Schedule, model: type[BaseModel], *, debounce: timedelta | None) -> None:
    """Refuse a job type that no schedule can enqueue: debounced, or with a payload that can't be empty."""
    if debounce is not None:
        msg = (
            f"job {schedule.name!r}: a debounced job starts under an id of its own, not its tick's; leave out debounce="
        )
        raise DeclarationError(msg)
    try:
        written(schedule.name, model, model.model_validate({}))
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})) or str(error.title)
        msg = (
            f"job {schedule.name!r} has a schedule, so its payload is {{}}, which {model.__name__} doesn't accept: "
            f"give {fields} a default, or add a schedule with a payload (app.schedules.add)"
        )
        raise DeclarationError(msg) from None
    except InvalidPayloadError as error:
        msg = f"job {schedule.name!r} has a schedule, so its payload is {{}}, and {error}"
        raise DeclarationError(msg) from None
