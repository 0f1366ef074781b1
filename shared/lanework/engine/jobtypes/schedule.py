"""A job type's own schedule, as declared in code, and whether it can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from pydantic import BaseModel, ValidationError

from lanework.errors import DeclarationError, InvalidOptionError, InvalidPayloadError, shown, word_of
from lanework.model.job.payload import written
from lanework.model.schedule.schedule import CatchUp, Overlap, Schedule
from lanework.model.schedule.timetable import Timetable

if TYPE_CHECKING:
    from datetime import timedelta

    from lanework.model.schedule.schedule import CatchUpName, OverlapName


class Timing(TypedDict, total=False):
    """
    When a schedule enqueues its job.

    Attributes:
        cron: Enqueued by itself, at these times: five fields, or EventBridge's six. Its payload is then `{}`. The
            template needs it too; `lanework check --write` writes it.
        every: Or at this interval, in whole minutes, counted from 1970-01-01T00:00Z: no deployment shifts it.
        tz: Zone of `cron`, an IANA name; UTC if nobody says.
        overlap: `skip`, the default, passes a tick over while the one before still runs; `allow` doesn't look.
        catch_up: Of ticks that were missed, `latest`, the default, runs the newest; `skip` none that is over 5
            minutes late; `all` each of them, at most 1,000, and needs overlap="allow".
    """

    cron: str | None
    every: timedelta | None
    tz: str | None
    overlap: OverlapName | None
    catch_up: CatchUpName | None


def schedule_of(name: str, job_type: str, timing: Timing, *, payload: str = "{}") -> Schedule:
    """Return the schedule that these words make, None leaving one at its default; what can't be used is refused."""
    tz, overlap, catch_up = timing.get("tz"), timing.get("overlap"), timing.get("catch_up")
    return Schedule(
        name=name,
        job_type=job_type,
        timetable=Timetable(cron=timing.get("cron"), every=timing.get("every"), tz="UTC" if tz is None else tz),
        payload=payload,
        overlap=Overlap.SKIP if overlap is None else word_of("overlap", Overlap, overlap),
        catch_up=CatchUp.LATEST if catch_up is None else word_of("catch_up", CatchUp, catch_up),
    )


def declared_schedule(name: str, timing: Timing) -> Schedule | None:
    """Return the schedule of a job type's declaration, if it has one; a word without `cron` or `every` is refused."""
    if timing.get("cron") is not None or timing.get("every") is not None:
        return schedule_of(name, name, timing)
    for word in ("tz", "overlap", "catch_up"):
        if timing.get(word) is not None:
            value = shown(timing.get(word))
            msg = f"job {name!r}: {word}={value} goes with cron= or every=: give one, or leave it out"
            raise InvalidOptionError(msg)
    return None


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
