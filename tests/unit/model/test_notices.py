"""The event that others get: as its published schema says, and the same however often it is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lanework import Cause, State
from lanework.model.events import Action
from lanework.model.job.job_event_document import JobEventDocument, notice_of, notice_of_end
from lanework.model.lifecycle.states import Failure
from lanework.testing import NOON
from tests.support.factories import a_record

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "job-event.v1.schema.json").read_text())
ENDED = {"due_at": None, "ended_at": NOON, "attempts": 1}


def test_the_published_schema_is_that_of_the_code() -> None:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}

    assert {**dialect, **JobEventDocument.model_json_schema(by_alias=True)} == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "notice",
    [
        notice_of_end(a_record(state=State.COMPLETED, **ENDED), stack="shop"),
        notice_of_end(a_record(state=State.DEAD, cause=Cause.EXHAUSTED, error="ValueError: x", **ENDED), stack="shop"),
        notice_of(
            a_record(
                state=State.RETRYING,
                attempts=1,
                due_at=NOON + timedelta(seconds=2),
                error="ValueError: bat@example.com",
                failures=(Failure(attempt=1, life=1, at=NOON, error="ValueError: bat@example.com"),),
            ),
            Action.JOB_RETRYING,
            at=NOON,
            key="1",
            stack="shop",
        ),
    ],
)
def test_what_is_told_fits_the_schema_and_its_example_does_too(notice: JobEventDocument) -> None:
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

    validator.validate(json.loads(notice.written()))
    example = (DOCS / "events.md").read_text().partition("```json\n")[2].partition("```")[0]
    validator.validate(json.loads(example))
    assert set(json.loads(example)) <= set(SCHEMA["properties"])
    assert "bat@example.com" not in notice.written()


def test_two_lives_and_two_kinds_of_end_have_ids_of_their_own() -> None:
    ends = [a_record(state=state, life=life, **ENDED) for state in (State.DEAD, State.CANCELLED) for life in (1, 2)]

    assert len({notice_of_end(one, stack="shop").id for one in ends}) == 4


def test_a_transition_is_told_at_the_moment_that_the_record_knows_and_by_the_number_of_its_write() -> None:
    started = a_record(state=State.RUNNING, attempts=2, started_at=NOON, first_started_at=NOON)
    later = NOON + timedelta(seconds=1)

    told = [notice_of(started, Action.JOB_STARTED, at=later, key=key, stack="shop") for key in ("7", "7", "8")]

    assert [one.time for one in told] == [NOON, NOON, NOON]
    assert (told[0].id == told[1].id, told[0].id == told[2].id, told[0].attempt) == (True, False, 2)
