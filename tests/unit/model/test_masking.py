"""What of a job's words a viewer reads: whatever is private, in every form that a text quotes it in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

import pytest
from pydantic import BaseModel, RootModel, TypeAdapter

from lanework import Public
from lanework.model.job.masking import Private, private_values, veiled, veiled_error, veiled_log, veiled_record
from lanework.model.job.payload import masked
from lanework.model.job.quotes import without_quoted
from lanework.model.job.validation_errors import MASK
from lanework.model.lifecycle.states import Failure, State
from lanework.testing import NOON
from tests.support.factories import a_record

S = "ZEBRA9981"
KNOWN = (S,)


class Address(BaseModel):
    """Part of a payload."""

    street: str = ""


class Order(BaseModel):
    """A payload of which one field is public."""

    shop: Public[str] = ""
    address: Address = Address()
    pins: dict[str, int] = {}
    many: list[str] = []
    note: str = ""


def known(**fields: object) -> Private:
    return private_values(json.dumps(fields), Order)


@pytest.mark.parametrize(
    "text",
    [
        f"KeyError: b'{S}'",
        f"KeyError: bytearray(b'{S}')",
        f"no r'{S}'",
        f"no Rb'{S}'",
        f"no «{S}»",
        f"no “{S}”",
        f"no ‘{S}’",
        f"no „{S}“",
        f"no `{S}`",
        f'no "{S}"',
        f"no 'a\n{S}\nb'",
        f'no "a\n{S}"',
        f"no 'it's {S}'",
        f"no 'it\\'s {S}'",
        f"no 'it\\' {S}'",
        f'5" of it\nno "{S}"',
        f"no '{S[:6]}…",
        f"can't take \"{S[:6]}…\ncaused by OSError: no",
    ],
)
def test_what_an_error_quotes_is_masked_in_quotes_of_any_kind(text: str) -> None:
    assert S[:5] not in veiled_error(text, ())


@pytest.mark.parametrize(
    "text",
    ["can't reach it, won't retry", "the shops' door", "5 o'clock", "no route to 10.0.0.1", "rock 'n roll", "…", ""],
)
def test_an_apostrophe_quotes_nothing(text: str) -> None:
    assert text == veiled_error(text, ())


def test_what_is_quoted_is_masked_between_its_marks() -> None:
    assert veiled_error("""KeyError: b'x', "y", «z» and 'it's'""", ()) == """KeyError: b'•••', "•••", «•••» and '•••'"""


@pytest.mark.parametrize(
    "text", ["'" * 40_000, " 'a" * 20_000, '"' * 40_001, "\\" * 40_000 + "'", "“" * 40_000, "…'" * 20_000]
)
def test_quotes_cost_in_proportion_to_the_text(text: str) -> None:
    began = perf_counter()
    without_quoted(text, MASK)

    assert perf_counter() - began < 1


@pytest.mark.parametrize(
    "value",
    ["a\nline and ZEBRA9981", "tab\tZEBRA9981", 'it\'s "ZEBRA9981" \\', "Зебра ZEBRA9981", "ZEBRA9981 \x1b[31m"],
)
def test_a_private_value_is_masked_as_repr_json_and_a_line_of_an_error_write_it(value: str) -> None:
    found = known(note=value)

    texts = [
        f"to {value}",
        f"to {value!r}",
        f"to {value!a}",
        f"to {json.dumps(value)}",
        " ".join(f"to {value}".split()),
    ]
    assert [text for text in texts if S in veiled(text, found)] == []


@pytest.mark.parametrize("moment", [date(1999, 3, 4), datetime(1999, 3, 4, 5, 6, 7, tzinfo=UTC), NOON])
def test_a_private_time_is_masked_as_python_writes_it(moment: date) -> None:
    found = private_values(TypeAdapter(dict[str, date | datetime]).dump_json({"a": moment}).decode(), None)

    said = veiled(f"born {moment}, {moment!r}, {moment.isoformat()}", found)
    assert "1999" not in said
    assert str(NOON.year) not in said


def test_keys_of_private_mappings_are_private_and_names_of_fields_are_not() -> None:
    found = known(pins={S: 4711}, address={"street": "Long Road 5"})

    assert veiled(f"no {S} of 4711, in Long Road 5", found) == "no ••• of •••, in •••"
    assert veiled("no street of this note", found) == "no street of this note"
    assert private_values(f'{{"{S}":1}}', RootModel[dict[str, int]]) == (S,)


def test_of_more_than_200_private_values_nothing_is_known() -> None:
    assert known(many=[f"value {number}" for number in range(201)]) is None
    assert known(many=[f"value{number}" for number in range(200)]) is not None


@pytest.mark.parametrize("payload", ["not json", "1" * 5_000, "[" * 5_000, ""])
def test_of_a_payload_that_cant_be_read_nothing_is_known(payload: str) -> None:
    assert private_values(payload, Order) is None


def test_what_isnt_known_to_be_private_is_masked_whole_and_an_error_keeps_its_type() -> None:
    record = a_record(state=State.DEAD, error=f"OSError: {S}", error_type="OSError", ended_at=NOON)
    record = replace(record, progress_note=S, result=f'"{S}"', result_omitted=S, damage=S)

    seen = veiled_record(record, None)

    assert S not in repr(replace(seen, payload=None))
    assert (seen.error, seen.progress_note, seen.result) == (f"OSError: {MASK}", MASK, f'"{MASK}"')
    assert veiled_log([f"to {S}"], record, None) == (MASK,)


@pytest.mark.parametrize("result", ["not json", "1" * 5_000, "[" * 5_000 + "]" * 5_000])
def test_a_result_that_cant_be_read_is_left_out(result: str) -> None:
    seen = veiled_record(replace(a_record(state=State.COMPLETED, ended_at=NOON), result=result), KNOWN)

    assert seen.result is None
    assert "can't be shown" in str(seen.result_omitted)


def test_a_thousand_dots_are_read_like_any_others() -> None:
    assert veiled("…" * 5_000 + f"to {S[:6]}…" + "…" * 5_000, KNOWN) == "…" * 5_000 + f"to {MASK}…" + "…" * 5_000


def test_the_beginning_of_a_private_value_costs_in_proportion_to_the_text() -> None:
    private = tuple("a" * 2_000 + f"b{number}" for number in range(200))
    began = perf_counter()
    veiled(("a" * 1_000 + "c" + "a" * 1_000 + "…") * 8, private)

    assert perf_counter() - began < 1


def lives(life: int, *failed: int, state: State = State.RETRYING) -> list[bool]:
    """Return of each failure, and of the error, whether a viewer reads more than its type."""
    failures = tuple(
        Failure(attempt=1, life=one, at=NOON + timedelta(minutes=one), error="OSError: no", error_type="OSError")
        for one in failed
    )
    record = replace(a_record(state=state), life=life, failures=failures, error="OSError: no", error_type="OSError")
    seen = veiled_record(record, KNOWN)
    return ["no" in one.error for one in seen.failures] + ["no" in str(seen.error)]


def test_of_lives_before_an_edit_of_the_payload_only_types_are_read() -> None:
    assert lives(1, 1, 1) == [True, True, True]
    assert lives(3, 1, 2, 3) == [True, True, True, True]
    assert lives(2, 1, state=State.QUEUED) == [True, True]
    assert lives(3, 1, state=State.QUEUED) == [False, False]
    assert lives(3, 1, 3) == [False, True, True]
    assert lives(6, 1, 2, 4, 5, 6) == [False, False, True, True, True, True]
    assert lives(3, 1, state=State.DEAD) == [False, True]


def test_of_what_a_job_said_before_an_edit_nothing_is_read() -> None:
    failed = Failure(attempt=1, life=1, at=NOON, error="OSError: no", error_type="OSError")
    record = replace(a_record(state=State.RUNNING), life=3, failures=(failed,))
    lines = ["2026-01-02T11:59:59.000Z old", "2026-01-02T12:00:01.000Z new", "no time"]

    assert NOON.isoformat().startswith("2026-01-02T12:00:00")
    assert veiled_log(lines, record, KNOWN) == (MASK, "2026-01-02T12:00:01.000Z new", MASK)
    assert veiled_log(lines, replace(record, life=2), KNOWN) == tuple(lines)


def test_names_of_what_is_no_field_are_masked_in_a_payload() -> None:
    assert masked(f'{{"{S}":1}}', RootModel[dict[str, int]]) == {"root": MASK}
    assert masked(f'{{"shop":"a","{S}":1}}', Order) == {"shop": "a", MASK: MASK}
