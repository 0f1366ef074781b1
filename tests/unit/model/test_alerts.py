from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework.model.lanes import Lane, LaneDepth
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.alert_rules import Finding, Rule, Situation, Thresholds, findings_of
from lanework.model.stats.alerts import CALM_FOR, KEPT_RESOLVED, Alerts, Phase
from lanework.model.stats.buckets import Incident, Kind
from lanework.model.stats.numbers import Count, Key, Numbers
from lanework.testing import NOON

if TYPE_CHECKING:
    from datetime import datetime

KEY = Key(lane=Lane.HIGH, queue="email", type="user.greeting")
CALM = Situation(hour={}, minutes={}, deaths_in_a_day=0, incidents=(), depths={})
MINUTE = timedelta(minutes=1)


def rules(situation: Situation) -> list[tuple[str, str]]:
    return [(one.rule.value, one.subject) for one in findings_of(situation, Thresholds())]


def a_finding(number: int = 1) -> Finding:
    return Finding(rule=Rule.DEATH, subject=f"type-{number}", text="it died", next_step="lanework dlq list")


def test_where_nothing_happens_nothing_is_found() -> None:
    assert findings_of(CALM, Thresholds()) == ()


def test_a_death_names_type_lane_id_attempts_and_cause_of_the_latest() -> None:
    death = Incident(
        kind=Kind.DEATH,
        at=NOON,
        job_id="job-7",
        type="user.greeting",
        queue="email",
        lane=Lane.HIGH,
        attempt=3,
        cause=Cause.EXHAUSTED,
    )
    hour = {KEY: Numbers({Count.DEAD: 2})}

    (found,) = findings_of(replace(CALM, hour=hour, incidents=(death, replace(death, job_id="job-1"))), Thresholds())

    assert (Rule.DEATH, "user.greeting", "lanework dlq list --type user.greeting") == (
        *(found.rule, found.subject),
        found.next_step,
    )
    assert found.text == (
        "2 jobs of type user.greeting died within an hour, "
        "the latest job-7 in lane high after 3 attempts, cause exhausted"
    )


def test_a_death_that_is_known_by_number_only_is_told_without_a_name() -> None:
    (found,) = findings_of(replace(CALM, hour={KEY: Numbers({Count.DEAD: 1})}), Thresholds())

    assert found.text == "1 job of type user.greeting died within an hour"


@pytest.mark.parametrize(("deaths", "found"), [(10, []), (11, [("deaths", "")])])
def test_more_than_ten_deaths_in_a_day_are_an_alert(deaths: int, found: list[tuple[str, str]]) -> None:
    assert rules(replace(CALM, deaths_in_a_day=deaths)) == found


@pytest.mark.parametrize(
    ("depth", "found"),
    [
        (LaneDepth(waiting=1000, dead=100), []),
        (LaneDepth(waiting=1001), [("waiting", "low")]),
        (LaneDepth(dead=101), [("failed", "low")]),
    ],
)
def test_a_lane_that_holds_too_much_is_an_alert(depth: LaneDepth, found: list[tuple[str, str]]) -> None:
    assert rules(replace(CALM, depths={Lane.LOW: depth})) == found


@pytest.mark.parametrize(
    ("hour", "minutes", "is_found"),
    [
        ((20, 2), (5, 1), True),
        ((20, 1), (5, 1), False),  # too few in the hour
        ((20, 2), (5, 0), False),  # it is over
        ((20, 2), (0, 0), False),  # nothing starts any more: others tell of that
        ((9, 9), (5, 5), False),  # too few to say
    ],
)
def test_a_lane_that_misses_its_sla_and_goes_on_is_an_alert(
    hour: tuple[int, int], minutes: tuple[int, int], is_found: bool
) -> None:
    def starts(count: int, late: int) -> dict[Key, Numbers]:
        return {KEY: Numbers({Count.FIRST_STARTS: count, Count.LATE: late})}

    found = rules(replace(CALM, hour=starts(*hour), minutes=starts(*minutes)))

    assert found == ([("sla", "high")] if is_found else [])


def test_what_is_told_of_late_starts_is_as_true_once_it_is_over() -> None:
    late = {KEY: Numbers({Count.FIRST_STARTS: 20, Count.LATE: 2})}
    (found,) = findings_of(replace(CALM, hour=late, minutes=late), Thresholds())

    assert found.text == "2 of 20 jobs of lane high missed the SLA of 5 s within an hour"


def calmed(standing: Alerts, *, now: datetime) -> Alerts:
    """Return what stands once nothing has been found for long enough, from a moment on."""
    return standing.after([], now=now).after([], now=now + CALM_FOR)


def test_an_alert_is_raised_once_and_is_over_once() -> None:
    raised = Alerts().after([a_finding()], now=NOON)
    still = raised.after([replace(a_finding(), text="it died again")], now=NOON + MINUTE)
    over = calmed(still, now=NOON + 2 * MINUTE)

    assert [(NOON, "it died again")] == [(one.since, one.text) for one in still.active]
    assert over.active == ()
    assert [(NOON, NOON + 2 * MINUTE)] == [(one.since, one.until) for one in over.resolved]
    assert over.after([], now=NOON + 9 * MINUTE) == over


def test_what_comes_and_goes_minute_by_minute_is_told_once() -> None:
    standing = Alerts()
    for minute in range(20):
        standing = standing.after([a_finding()] if minute % 3 == 0 else [], now=NOON + minute * MINUTE)
        standing = Alerts.at_text(standing.text)

    assert [NOON] == [one.since for one in standing.active]
    assert standing.resolved == ()


def test_the_same_thing_is_another_alert_once_it_was_over() -> None:
    over = calmed(Alerts().after([a_finding()], now=NOON), now=NOON + MINUTE)
    again = over.after([a_finding()], now=NOON + 9 * MINUTE)

    assert (1, 1) == (len(again.active), len(again.resolved))


def test_each_channel_is_told_of_each_phase_once() -> None:
    standing = Alerts().after([a_finding()], now=NOON)
    (alert,) = standing.undelivered("sns")
    standing = standing.delivered(alert, "sns")
    assert standing.undelivered("sns") == ()
    assert [Phase.RAISED] == [one.phase for one in standing.undelivered("webhook")]

    standing = calmed(standing, now=NOON + MINUTE)

    (over,) = standing.undelivered("sns")
    assert over.phase is Phase.RESOLVED
    assert standing.undelivered("webhook") == (), "that never knew of it, and needs no word that it is over"
    assert standing.delivered(over, "sns").undelivered("sns") == ()


def test_so_many_that_are_over_are_kept() -> None:
    standing = Alerts()
    for number in range(KEPT_RESOLVED + 3):
        standing = calmed(standing.after([a_finding(number)], now=NOON + number * MINUTE), now=NOON + number * MINUTE)

    assert KEPT_RESOLVED == len(standing.resolved)
    assert f"type-{KEPT_RESOLVED + 2}" == standing.resolved[0].subject


def test_alerts_survive_being_text() -> None:
    standing = Alerts().after([a_finding(1), a_finding(2)], now=NOON).after([a_finding(2)], now=NOON + MINUTE)
    standing = standing.delivered(standing.active[0], "sns")

    assert standing == Alerts.at_text(standing.text)
    assert Alerts() == Alerts.at_text(None)
