"""A job's item has all of its record: the attributes are made of the record's fields, and no list names them again."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanework.aws.ledger.item import FIELDS, JobItem, to_item
from lanework.aws.ledger.read_back import to_record
from lanework.model.job.headers import Headers
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import Failure, JobRecord

HINTS = get_type_hints(JobRecord, localns={"Lane": Lane, "Headers": Headers})

words = st.text("abcxyz-0189", min_size=1, max_size=20)
moments = st.integers(0, 4_000_000_000_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms))
numbers = st.integers(1, 2**31)  # a new item leaves zero out
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    int: numbers,
    bool: st.booleans(),
    datetime: moments,
    timedelta: numbers.map(lambda ms: timedelta(milliseconds=ms)),
    Headers: st.dictionaries(words, words).map(lambda pairs: tuple(pairs.items())),
    tuple[str, ...]: st.lists(words).map(tuple),
    tuple[Failure, ...]: st.lists(
        st.builds(Failure, attempt=numbers, life=numbers, at=moments, error=st.text(), error_type=words | st.none())
    ).map(tuple),
}


def value_of(name: str) -> st.SearchStrategy[Any]:
    """Return the values that a field may have, by its type; of the expiry the seconds only, as the TTL has it."""
    hint = HINTS[name]
    options = get_args(hint) if NoneType in get_args(hint) else (hint,)
    of_type = next(one for one in options if one is not NoneType)
    is_word = isinstance(of_type, type) and issubclass(of_type, StrEnum)
    values = st.sampled_from(of_type) if is_word else VALUES[of_type]
    if name == "expires_at":
        values = values.map(lambda moment: moment.replace(microsecond=0))
    return values | st.none() if NoneType in options else values


@settings(max_examples=25)
@given(record=st.builds(JobRecord, **{name: value_of(name) for name in FIELDS}))
def test_what_is_read_back_is_the_record_that_was_written(record: JobRecord) -> None:
    assert to_record(to_item(record, JobItem), JobItem) == record


@pytest.mark.parametrize("name", [one.name for one in fields(JobRecord) if one.name != "damage"])
def test_every_field_of_a_record_has_an_attribute(name: str) -> None:
    assert name in JobItem.get_attributes()
