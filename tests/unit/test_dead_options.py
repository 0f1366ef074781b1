"""What the options of `lanework dlq` mean together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework.cli.dlq.options import Asked
from lanework.errors import InvalidOptionError
from lanework.model.job.dead_filter import DeadFilter
from lanework.testing import NOON

HOUR = timedelta(hours=1)


def test_two_ages_are_a_time_of_death() -> None:
    asked = Asked(older_than=HOUR, younger_than=2 * HOUR)

    assert DeadFilter(died_after=NOON - 2 * HOUR, died_before=NOON - HOUR) == asked.filter(NOON)


@pytest.mark.parametrize("older_than", [HOUR, 2 * HOUR])
def test_ages_that_no_job_can_have_are_refused_instead_of_finding_none(older_than: timedelta) -> None:
    asked = Asked(older_than=older_than, younger_than=HOUR)

    with pytest.raises(InvalidOptionError, match="--older-than must be shorter than --younger-than"):
        asked.filter(NOON)
