"""When schedules fire: over time zones, gaps and repeats, leap days and month ends; and what is refused, saying why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanework import InvalidOptionError
from lanework.model.schedule.timetable import Timetable

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Ulaanbaatar",
    "Asia/Kathmandu",
    "Pacific/Apia",
)
CRONS = (
    "0 2 * * *",
    "30 2 * * *",
    "45 1 * * *",
    "0,30 2,3 * * *",
    "*/15 * * * *",
    "* * * * *",
    "0 */3 * * *",
    "5 * * * *",
    "0 0 L * *",
    "0 12 LW * *",
    "0 0 29 2 *",
    "0 9 * * MON#1",
    "0 9 * * 5L",
    "30 4 1,15 * 5",
    "cron(0/10 2 ? * SUN *)",
    "cron(15 10 ? * 6L 2026-2028)",
)
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin, forward
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin, back
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York, forward
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # New York, back
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe, forward by half an hour
    datetime(2027, 4, 3, 15, tzinfo=UTC),  # Lord Howe, back by half an hour
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia, a whole day forward
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(timetable: Timetable, after: str, count: int) -> list[str]:
    return [f"{tick:%Y-%m-%d %H:%M}" for tick in islice(timetable.after(at(after)), count)]


def test_two_in_the_morning_is_meant_in_the_zone_of_the_schedule() -> None:
    assert ticks(Timetable(cron="0 2 * * *", tz="Asia/Ulaanbaatar"), "2026-01-02 12:00", 2) == [
        "2026-01-02 18:00",
        "2026-01-03 18:00",
    ]
    assert ticks(Timetable(cron="30 9 * * *", tz="Asia/Kathmandu"), "2026-01-02 12:00", 1) == ["2026-01-03 03:45"]


def test_what_falls_into_a_gap_runs_right_after_it_and_once() -> None:
    """In Berlin, 2026-03-29 has no 02:30: 02:00 is 03:00 already, which is 01:00 UTC."""
    daily = Timetable(cron="30 2 * * *", tz="Europe/Berlin")
    assert ticks(daily, "2026-03-28 00:00", 3) == ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]
    both = Timetable(cron="0,30 2,3 * * *", tz="Europe/Berlin")
    assert ticks(both, "2026-03-29 00:00", 3) == ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-30 00:00"]


def test_what_falls_into_a_repeated_hour_runs_the_first_time_only() -> None:
    """In New York, 2026-11-01 has 01:30 twice: at 05:30 and at 06:30 UTC."""
    daily = Timetable(cron="30 1 * * *", tz="America/New_York")

    assert ticks(daily, "2026-10-31 12:00", 2) == ["2026-11-01 05:30", "2026-11-02 06:30"]
    assert ticks(daily, "2026-11-01 06:00", 1) == ["2026-11-02 06:30"]
    assert daily.latest(at("2026-11-01 06:45")) == at("2026-11-01 05:30")
    assert daily.latest(at("2026-11-01 06:15")) == at("2026-11-01 05:30"), "though it is 01:15 again"


def test_every_quarter_of_an_hour_follows_the_time_that_really_passes() -> None:
    quarters = Timetable(cron="*/15 * * * *", tz="Europe/Berlin")

    for change in CHANGES[:2]:
        found = list(islice(quarters.after(change - 2 * HOUR), 20))
        assert [later - earlier for earlier, later in pairwise(found)] == [15 * MINUTE] * 19
        for start in (change - 70 * MINUTE, change - 10 * MINUTE, change + 20 * MINUTE):
            assert quarters.next(start) == start + 10 * MINUTE
            assert quarters.latest(start) == start - 5 * MINUTE


def test_an_hour_that_begins_in_a_half_hour_gap_is_skipped_by_every_and_made_up_by_a_fixed_time() -> None:
    """On Lord Howe, 2026-10-04 goes from 02:00 to 02:30 at 15:30 UTC."""
    hourly = Timetable(cron="0 * * * *", tz="Australia/Lord_Howe")
    assert ticks(hourly, "2026-10-03 14:00", 3) == ["2026-10-03 14:30", "2026-10-03 16:00", "2026-10-03 17:00"]
    daily = Timetable(cron="10 2 * * *", tz="Australia/Lord_Howe")
    assert ticks(daily, "2026-10-03 00:00", 2) == ["2026-10-03 15:30", "2026-10-04 15:10"]


def test_every_third_hour_is_not_lost_after_a_half_hour_change() -> None:
    third = Timetable(cron="0 */3 * * *", tz="Australia/Lord_Howe")

    assert ticks(third, "2026-10-03 15:45", 2) == ["2026-10-03 16:00", "2026-10-03 19:00"]


def test_a_day_that_a_zone_skipped_runs_at_the_start_of_the_next() -> None:
    """Samoa had no 2011-12-30."""
    noon = Timetable(cron="0 12 * * *", tz="Pacific/Apia")

    assert ticks(noon, "2011-12-29 12:00", 3) == ["2011-12-29 22:00", "2011-12-30 10:00", "2011-12-30 22:00"]


def test_leap_days_and_month_ends_are_found() -> None:
    assert ticks(Timetable(cron="0 0 29 2 *"), "2026-01-01 00:00", 2) == ["2028-02-29 00:00", "2032-02-29 00:00"]
    assert ticks(Timetable(cron="0 0 L * *"), "2028-01-15 00:00", 3) == [
        "2028-01-31 00:00",
        "2028-02-29 00:00",
        "2028-03-31 00:00",
    ]
    assert ticks(Timetable(cron="0 0 31 * *"), "2026-01-31 00:00", 2) == ["2026-03-31 00:00", "2026-05-31 00:00"]
    assert ticks(Timetable(cron="0 0 LW * *"), "2026-05-01 00:00", 1) == ["2026-05-29 00:00"]


def test_the_nth_and_the_last_weekday_of_a_month_are_found() -> None:
    assert ticks(Timetable(cron="0 9 * * MON#2"), "2026-01-01 00:00", 1) == ["2026-01-12 09:00"]
    assert ticks(Timetable(cron="0 9 * * 5L"), "2026-01-01 00:00", 1) == ["2026-01-30 09:00"]
    assert ticks(Timetable(cron="cron(0 9 ? * 6L *)"), "2026-01-01 00:00", 1) == ["2026-01-30 09:00"]
    assert ticks(Timetable(cron="0 9 ? * MON#2 *"), "2026-01-01 00:00", 1) == ["2026-01-12 09:00"]


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("1", "Sun"),
        ("SUN", "Sun"),
        ("2-6", "Mon Tue Wed Thu Fri"),
        ("2/2", "Mon Wed Fri"),
        ("L", "Sat"),
        ("7,1", "Sun Sat"),
    ],
)
def test_eventbridge_counts_weekdays_from_sunday_as_one(weekday: str, days: str) -> None:
    week = Timetable(cron=f"cron(0 0 ? * {weekday} *)").between(at("2026-01-03 23:59"), at("2026-01-10 23:59"))

    assert {f"{tick:%a}" for tick in week} == set(days.split())


def test_a_year_bounds_the_ticks_on_both_sides() -> None:
    once = Timetable(cron="cron(0 12 1 1 ? 2027,2030)")

    assert ticks(once, "2026-01-01 00:00", 5) == ["2027-01-01 12:00", "2030-01-01 12:00"]
    assert once.latest(at("2026-12-31 00:00")) is None
    assert once.latest(at("2029-12-31 00:00")) == at("2027-01-01 12:00")
    assert once.next(at("2030-01-01 12:00")) is None


@pytest.mark.parametrize("every", [MINUTE, 7 * MINUTE, 90 * MINUTE, 6 * HOUR, 7 * DAY])
def test_an_interval_counts_from_1970_so_that_nothing_shifts_it(every: timedelta) -> None:
    timetable = Timetable(every=every)
    tick = timetable.next(at("2026-01-02 12:00"))

    assert tick is not None
    assert tick.timestamp() % every.total_seconds() == 0
    assert timetable.latest(tick) == tick
    assert timetable.next(tick) == tick + every


@settings(max_examples=500)
@given(
    cron=st.sampled_from(CRONS),
    tz=st.sampled_from(ZONES),
    change=st.sampled_from(CHANGES),
    seconds=st.integers(-7_200, 7_200) | st.integers(-3 * 86_400, 3 * 86_400),
    span=st.integers(0, 2 * 86_400),
)
def test_latest_next_and_between_agree(cron: str, tz: str, change: datetime, seconds: int, span: int) -> None:
    timetable, start = Timetable(cron=cron, tz=tz), change + timedelta(seconds=seconds)
    end = start + timedelta(seconds=span)
    found = list(timetable.between(start, end))

    assert found == sorted(set(found))
    assert all(start < tick <= end and tick.second == 0 for tick in found)
    latest = timetable.latest(end)
    assert (latest if latest is not None and latest > start else None) == (found[-1] if found else None)
    assert list(islice(timetable.before(end), len(found))) == found[::-1]
    following = timetable.next(start)
    assert (following if following is not None and following <= end else None) == (found[0] if found else None)


@given(every=st.integers(1, 366 * 1440), second=st.integers(0, 2_000_000_000))
def test_an_interval_agrees_with_itself(every: int, second: int) -> None:
    timetable = Timetable(every=every * MINUTE)
    moment = datetime.fromtimestamp(second, UTC)
    latest, following = timetable.latest(moment), timetable.next(moment)

    assert latest is not None
    assert following is not None
    assert latest <= moment < following == latest + every * MINUTE


@pytest.mark.parametrize(
    ("cron", "complaint"),
    [
        ("60 2 * * *", "cron field 1 (minute) can't be '60': 0 to 59"),
        ("0 25 * * *", "cron field 2 (hour) can't be '25': 0 to 23"),
        ("0 2 0 * *", "cron field 3 (day-of-month) can't be '0': 1 to 31, L (the last day) or LW"),
        ("0 2 * 13 *", "cron field 4 (month) can't be '13': 1 to 12, or JAN to DEC"),
        ("0 2 * * MOM", "cron field 5 (day-of-week) can't be 'MOM': 0 to 7 (Sunday is 0 and 7) or SUN to SAT"),
        ("0 2 * * FRI-MON", "cron field 5 (day-of-week) can't be 'FRI-MON'"),
        ("*/0 2 * * *", "cron field 1 (minute) can't be '*/0'"),
        ("0 2 15W * ? *", "cron field 3 (day-of-month) can't be '15W': the nearest weekday is not supported"),
        ("0 2 ? * 8 *", "cron field 5 (day-of-week) can't be '8': 1 to 7 (Sunday is 1)"),
        ("0 2 ? * 0 *", "cron field 5 (day-of-week) can't be '0': 1 to 7 (Sunday is 1)"),
        ("0 2 ? * 2#6 *", "cron field 5 (day-of-week) can't be '2#6'"),
        ("0 2 * * ? 1969", "cron field 6 (year) can't be '1969': 1970 to 2199"),
        ("0 2 * * ? soon", "cron field 6 (year) can't be 'SOON'"),
        ("0 2 * * * *", "cron fields 3 (day-of-month) and 5 (day-of-week) can't be '*' and '*'"),
        ("0 2 ? * ? *", "exactly one of the two is '?'"),
        ("0 0 31 2 *", "cron '0 0 31 2 *' never fires: no month it names has such a day"),
        ("0 0 29 2 ? 2026", "cron '0 0 29 2 ? 2026' never fires"),
        ("@daily", "cron '@daily' has 1 fields: write five (minute hour day-of-month month day-of-week)"),
        ("cron(0 2 * * *)", "or EventBridge's six, such as 'cron(0 2 * * ? *)'"),
        ("", "has 0 fields"),
        ("1-30000000 * * * *", "holds '30000000', which no field can: 0 to 59"),
        ("cron(0 2 * * ? 1970-30000000)", "holds '30000000', which no field can"),
        ("0 " * 200, "it is a text of at most 256 characters"),
    ],
)
def test_a_bad_cron_is_refused_by_field_with_what_it_may_hold(cron: str, complaint: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        Timetable(cron=cron)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("tz", "complaint"),
    [
        ("Asia/Ulaanbatar", "unknown time zone 'Asia/Ulaanbatar', did you mean 'Asia/Ulaanbaatar'?"),
        ("europe/berln", "did you mean 'Europe/Berlin'?"),
        ("Asia", "unknown time zone 'Asia'"),
        ("BST", "unknown time zone 'BST'; write an IANA name, such as 'Europe/Berlin'"),
        ("../../etc/passwd", "unknown time zone"),
        ("", "unknown time zone ''"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest(tz: str, complaint: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        Timetable(cron="0 2 * * *", tz=tz)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({}, "either cron= or every=: give one of them"),
        ({"cron": "0 2 * * *", "every": HOUR}, "either cron= or every=: give one of them"),
        ({"every": timedelta(seconds=90)}, "every must be whole minutes, from 1 minute to 366 days, got 0:01:30"),
        ({"every": timedelta(0)}, "every must be whole minutes"),
        ({"every": -HOUR}, "every must be whole minutes"),
        ({"every": 367 * DAY}, "every must be whole minutes"),
        ({"every": HOUR, "tz": "Europe/Berlin"}, "tz='Europe/Berlin' goes with cron="),
    ],
)
def test_a_timetable_that_makes_no_sense_is_refused(facts: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        Timetable(**facts)  # type: ignore[arg-type]

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [
        (Timetable(cron="0 2 * * *", tz="Asia/Ulaanbaatar"), ("cron(0 2 * * ? *)", "Asia/Ulaanbaatar")),
        (Timetable(cron="*/15 9-17 * * MON-FRI"), ("cron(0/15 9-17 ? * MON,TUE,WED,THU,FRI *)", "UTC")),
        (Timetable(cron="0 4 * * 0"), ("cron(0 4 ? * SUN *)", "UTC")),
        (Timetable(cron="0 4 * * 7"), ("cron(0 4 ? * SUN *)", "UTC")),
        (Timetable(cron="0 0 L * *"), ("cron(0 0 L * ? *)", "UTC")),
        (Timetable(cron="0 9 * * MON#2"), ("cron(0 9 ? * 2#2 *)", "UTC")),
        (Timetable(cron="0 9 * * 5L"), ("cron(0 9 ? * 6L *)", "UTC")),
        (Timetable(cron="0 0 1 JAN,jul *"), ("cron(0 0 1 1,7 ? *)", "UTC")),
        (Timetable(cron="10-40/10 * */2 * *"), ("cron(10,20,30,40 * 1/2 * ? *)", "UTC")),
        (Timetable(cron="cron(0 9 ? * 2-6 2027)"), ("cron(0 9 ? * 2-6 2027)", "UTC")),
        (Timetable(every=MINUTE), ("cron(* * * * ? *)", "UTC")),
        (Timetable(every=5 * MINUTE), ("cron(0/5 * * * ? *)", "UTC")),
        (Timetable(every=HOUR), ("cron(0 * * * ? *)", "UTC")),
        (Timetable(every=6 * HOUR), ("cron(0 0/6 * * ? *)", "UTC")),
        (Timetable(every=DAY), ("cron(0 0 * * ? *)", "UTC")),
        (Timetable(every=90 * MINUTE), ("rate(90 minutes)", "UTC")),
        (Timetable(every=7 * HOUR), ("rate(7 hours)", "UTC")),
        (Timetable(every=2 * DAY), ("rate(2 days)", "UTC")),
    ],
)
def test_eventbridge_is_told_the_same_ticks(timetable: Timetable, expected: tuple[str, str]) -> None:
    expression = timetable.expression_for_eventbridge()

    assert (expression.text, expression.timezone) == expected
    if expression.text.startswith("cron"):
        read_back = Timetable(cron=expression.text, tz=expression.timezone)
        assert ticks(read_back, "2026-11-24 00:00", 50) == ticks(timetable, "2026-11-24 00:00", 50)


@pytest.mark.parametrize(
    ("cron", "complaint"),
    [
        (
            "30 4 1,15 * 5",
            "restricts both day-of-month and day-of-week, unsupported by EventBridge; write two schedules",
        ),
        ("0 0 15,L * *", "EventBridge doesn't support '15,L' beside other days"),
        ("0 0 * * MON#1,MON#3", "EventBridge takes one '#' or 'L' as day-of-week"),
    ],
)
def test_what_eventbridge_cannot_say_is_refused_with_what_to_write_instead(cron: str, complaint: str) -> None:
    with pytest.raises(InvalidOptionError) as refused:
        Timetable(cron=cron).expression_for_eventbridge()

    assert complaint in str(refused.value)


def test_a_timetable_is_told_in_words() -> None:
    assert Timetable(cron="0 2 * * *").words == "At 02:00 every day"
    assert Timetable(cron="cron(0 2 ? * MON 2027)").words == "At 02:00 on Monday, in 2027"
    assert Timetable(every=6 * HOUR).words == "Every 6 hours"
    assert Timetable(every=DAY).words == "Every day"


@pytest.mark.parametrize("tz", ZONES)
@pytest.mark.parametrize("change", CHANGES)
def test_what_says_every_fires_whenever_the_clock_on_the_wall_shows_it(tz: str, change: datetime) -> None:
    minutes = [change + n * MINUTE for n in range(-1440, 1441)]
    local = {one: one.astimezone(ZoneInfo(tz)) for one in minutes}
    third = [one for one, shown in local.items() if shown.hour % 3 == 0 and shown.minute == 10]

    assert list(Timetable(cron="10 */3 * * *", tz=tz).between(minutes[0] - MINUTE, minutes[-1])) == third
