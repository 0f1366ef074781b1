"""A number that a document gives and the code has, too, is the same number."""

from __future__ import annotations

import inspect
import re
from typing import Final

import pytest

from lanework.cli.worker import worker
from lanework.engine.builtin_jobs import definitions
from lanework.engine.deadletters import query
from lanework.engine.ports import messages
from lanework.engine.queries import search
from lanework.http.dashboard.schedules import TICKS
from lanework.model import lanes, limits
from lanework.model import limits as quota
from lanework.model.job import envelope, payload
from lanework.model.schedule import schedule as schedules
from lanework.model.stats import alerts, buckets
from lanework.model.workflow import shard, workflow
from tests.unit.docs.pages import text_of

KB: Final = 1024
WORDS: Final = {1: "one", 2: "two", 3: "three", 5: "five", 7: "seven", 14: "fourteen"}

NUMBERS: Final = (
    ("docs/writing-jobs.md", f"at most {envelope.LARGEST_PAYLOAD // KB} KB"),
    ("docs/guarantees.md", f"a payload over {payload.INLINE_PAYLOAD // KB} KB is an item of its own"),
    ("docs/guarantees.md", f"more than {messages.LONGEST_SQS_DELAY.seconds // 60} minutes away"),
    ("docs/guarantees.md", f"differ by up to {lanes.WRITE_MARGIN.seconds} seconds"),
    ("docs/limits.md", f"(per + {limits.SLOT_LASTS.seconds} s) / n"),
    ("docs/limits.md", f"per / {quota.BUCKETS}"),
    ("docs/workflows.md", f"{workflow.MOST_JOBS:,}"),
    ("docs/architecture.md", f"an item for each {shard.SHARD} jobs of a workflow"),
    ("README.md", f"batches of up to {workflow.MOST_JOBS:,}"),
    ("docs/schedules.md", f"more than {schedules.LATE_AFTER.seconds // 60} minutes late"),
    ("docs/schedules.md", f"the newest {schedules.MOST_CAUGHT_UP:,} at most"),
    ("docs/retention.md", f"({WORDS[lanes.QUEUE_RETENTION.days]} days in a lane's queue"),
    ("docs/retention.md", f"{WORDS[lanes.DLQ_RETENTION.days]} in a dead-letter queue"),
    ("docs/retention.md", f"before it ever died | {lanes.QUEUE_RETENTION.days + 1} days later |"),
    ("docs/retention.md", f"in a later life | {lanes.DLQ_RETENTION.days + 1} days later |"),
    ("docs/events.md", f"tried up to {definitions.WEBHOOK_ATTEMPTS} times"),
    ("docs/events.md", f"from {definitions.WEBHOOK_BACKOFF.seconds} s to"),
    ("docs/observability.md", f"has been over for {WORDS[alerts.CALM_FOR.seconds // 60]} minutes"),
    ("docs/observability.md", f"the last {alerts.KEPT_RESOLVED} that are over"),
    ("docs/dashboard.md", f"of each minute {buckets.MOST_INCIDENTS} (deaths included)"),
    ("docs/dashboard.md", f"{search.MOST_LOOKED_AT:,} of them are read"),
    ("docs/dashboard.md", f"all of them counted ({query.MOST_COUNTED:,} at most)"),
    ("docs/dashboard.md", f"Dead letters are the latest {query.PAGE} by error"),
    ("docs/dashboard.md", f"its next {WORDS[TICKS]} times"),
)
"""What a page says, made of what the code has."""


@pytest.mark.parametrize(("page", "says"), NUMBERS)
def test_a_page_gives_the_codes_number(page: str, says: str) -> None:
    assert says in " ".join(text_of(page).split())


def test_the_table_of_lanes_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \((\d).*?\) \| (.*?) \| \**(\d+)\** \| (.*?) \| (\d+) \|$",
        text_of("docs/writing-jobs.md"),
        flags=re.MULTILINE,
    )

    written = {
        name: (int(number), within, int(attempts), took, int(batch))
        for name, number, within, attempts, took, batch in rows
    }
    assert written == {
        lane.value: (number, _within(terms), terms.attempts, _takes(terms), terms.batch_size)
        for number, (lane, terms) in enumerate(lanes.LANES.items(), start=1)
    }


def test_what_a_worker_does_by_default_is_what_its_page_says() -> None:
    page = " ".join(text_of("docs/worker.md").split())
    defaults = {name: one.default for name, one in inspect.signature(worker).parameters.items()}

    assert f"`--grace` ({defaults['grace']})".replace("s)", " s)") in page
    assert str(defaults["lease"]).replace("s", " s") in page


def _within(terms: lanes.LaneTerms) -> str:
    if terms.start_within is None:
        return "no SLA"
    seconds = terms.start_within.total_seconds()
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"


def _takes(terms: lanes.LaneTerms) -> str:
    usual, longest = terms.usual_job.total_seconds(), terms.longest_job.total_seconds()
    return f"{usual:g} s" if usual == longest else f"{usual:g} s, by `timeout=` up to {longest:g} s"
