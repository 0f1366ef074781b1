"""Which of the recently dead jobs still are dead: an alert ends once its jobs were redriven or dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lifecycle.states import State
from lanework.model.stats.numbers import Count

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.model.stats.alert_rules import Situation, Thresholds

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MOST_READ: Final = 100
"""Dead jobs of an hour that are read. Of a type that isn't among so many, all are taken to be dead still."""


def still_dead(situation: Situation, limits: Thresholds, ports: Ports) -> Situation:
    """
    Return a situation without the deaths that were dealt with.

    Where nobody dealt with any, nothing is read; otherwise an index, and the records of an hour's dead, 100 at most.
    """
    now = ports.clock()
    if situation.deaths_in_a_day > limits.deaths and situation.dealt_with_in_a_day:
        page = ports.ledger.dead(before=None, limit=limits.deaths + 1, since=now - _DAY)
        situation = replace(situation, deaths_in_a_day=_at_most(len(page.keys), situation, limits))
    if any(one[Count.DEALT_WITH] for one in situation.hour.values()) and _dead(situation):
        return replace(situation, still_dead=_by_type(situation, now - _HOUR, ports))
    return situation


def _at_most(found: int, situation: Situation, limits: Thresholds) -> int:
    return situation.deaths_in_a_day if found > limits.deaths else found


def _dead(situation: Situation) -> set[str]:
    return {key.type for key, one in situation.hour.items() if one[Count.DEAD]}


def _by_type(situation: Situation, since: datetime, ports: Ports) -> dict[str, int]:
    """Return how many of each type that died in the hour are dead; no word of a type means that it isn't known."""
    page = ports.ledger.dead(before=None, limit=_MOST_READ, since=since)
    records = ports.ledger.get_many([key.job_id for key in page.keys]) if page.keys else {}
    found = Counter(one.type for one in records.values() if one.state is State.DEAD)
    return dict(found) if page.cursor is not None else {type_: found[type_] for type_ in _dead(situation)}
