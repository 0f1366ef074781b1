"""The event that others get: as its published schema says, and the same however often it is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lanework import Cause, State
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.model.notices import Notice, notice_of, notice_of_end
from lanework.testing import NOON
from tests.factories import a_record

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "job-event.v1.schema.json").read_text())
ENDED = {"due_at": None, "ended_at": NOON, "attempts": 1}


def test_the_published_schema_is_that_of_the_code() -> None:
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}

    assert {**dialect, **Notice.model_json_schema(by_alias=True)} == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "notice",
    [
        notice_of_end(a_record(state=State.COMPLETED, **ENDED), stack="shop"),
        notice_of_end(a_record(state=State.DEAD, cause=Cause.EXHAUSTED, error="ValueError: x", **ENDED), stack="shop"),
        notice_of(
            Event(
                action=Action.RETRYING,
                at=NOON,
                job_id="job-1",
                type="user.greeting",
                queue="email",
                lane=Lane.HIGH,
                attempt=1,
                error="ValueError: bat@example.com",
                wait=timedelta(seconds=2),
            ),
            stack="shop",
        ),
    ],
)
def test_what_is_told_fits_the_schema_and_its_example_does_too(notice: Notice | None) -> None:
    assert notice is not None
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

    validator.validate(json.loads(notice.written()))
    example = (DOCS / "events.md").read_text().partition("```json\n")[2].partition("```")[0]
    validator.validate(json.loads(example))
    assert set(json.loads(example)) <= set(SCHEMA["properties"])
    assert "bat@example.com" not in notice.written()


def test_an_event_about_no_job_is_told_to_nobody() -> None:
    assert notice_of(Event(action=Action.UNDECODABLE, at=NOON, lane=Lane.HIGH), stack="shop") is None


def test_two_lives_and_two_kinds_of_end_have_ids_of_their_own() -> None:
    ends = [a_record(state=state, life=life, **ENDED) for state in (State.DEAD, State.CANCELLED) for life in (1, 2)]

    assert len({notice_of_end(one, stack="shop").id for one in ends}) == 4
