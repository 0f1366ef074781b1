"""A producer that has the document of job types, and no code of them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field

from lanework import (
    App,
    ConfigError,
    InvalidOptionError,
    InvalidPayloadError,
    Jobs,
    Quota,
    QuotaExceededError,
    State,
    UnknownJobTypeError,
)
from lanework.schema import load_schema
from lanework.schema.document import document_of
from lanework.testing import Clock, drain, memory_ports

HOUR = timedelta(hours=1)
NO_SCHEMA = {"version": 1, "queue": "a", "lane": "low", "payload": {"type": 5}}


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: Annotated[str, Field(min_length=2, pattern="^[a-z]+$")]
    count: Annotated[int, Field(ge=1, le=9)] = 1


class Report(BaseModel):
    month: date
    format: Literal["pdf", "csv"] = "pdf"
    lines: list[Line] = []
    id: UUID | None = None
    total: Decimal | None = None
    at: datetime | None = None
    owner: str = Field("bat", alias="Owner")


class Sheet(BaseModel):
    customer: str


class World:
    """A side that declares and runs, and a side that has the document."""

    def __init__(self, folder: Path) -> None:
        self.seen: list[BaseModel] = []
        family = Jobs(queue="report", attempts=4)

        @family.job("report.month", lane="low", timeout=timedelta(seconds=40), version=2, aliases=("report.monthly",))
        def month(report: Report) -> str:
            self.seen.append(report)
            return report.format

        @family.job("report.sheet", key="customer", unique_for=HOUR, quota=Quota(2, per=HOUR, key="customer"))
        def sheet(sheet: Sheet) -> None:
            self.seen.append(sheet)

        ports = memory_ports(Clock())
        self.worker = App(family)
        file = folder / "jobs.schema.json"
        file.write_text(document_of(self.worker.registry.types).text())
        self.producer = App(load_schema(file))
        for app in (self.worker, self.producer):
            app.use(ports)


@pytest.fixture(name="world")
def a_world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_job_is_enqueued_as_its_declaration_says_and_runs(world: World) -> None:
    receipt = world.producer.enqueue("report.month", {"month": "2026-11-01", "lines": [{"sku": "ab"}]}, job_id="nov")

    record = world.producer.get("nov")
    assert (record.lane, record.queue, record.max_attempts, record.version) == ("low", "report", 4, 2)
    assert record.timeout == timedelta(seconds=40)
    drain(world.worker)
    assert world.seen == [Report(month=date(2026, 11, 1), lines=[Line(sku="ab")])]
    assert world.producer.enqueue("report.month", {"month": "2026-11-01"}, job_id="nov").payload_differs
    assert receipt.result(timeout=timedelta(0)) == "pdf"


def test_values_of_python_are_written_as_json(world: World) -> None:
    at, id_ = datetime(2026, 11, 30, 12, tzinfo=UTC), UUID(int=7)
    payload = {"month": date(2026, 11, 1), "id": id_, "total": Decimal("5.20"), "at": at}

    world.producer.enqueue("report.month", payload)

    drain(world.worker)
    assert world.seen == [Report(month=date(2026, 11, 1), id=id_, total=Decimal("5.20"), at=at)]


def test_the_whole_policy_can_be_said_in_the_call_as_with_the_code(world: World) -> None:
    world.producer.enqueue("report.sheet", {"customer": "a"}, lane="low", job_id="in-code")
    world.worker.enqueue("report.sheet", {"customer": "b"}, lane="low", job_id="by-schema")

    records = [world.producer.get(one) for one in ("in-code", "by-schema")]
    assert len({(one.lane, one.max_attempts, one.timeout, one.backoff_base) for one in records}) == 1


def test_keys_and_quotas_count_on_both_sides(world: World) -> None:
    first = world.worker.enqueue("report.sheet", {"customer": "acme"})
    second = world.producer.enqueue("report.sheet", {"customer": "acme"})

    assert (second.job_id, second.duplicate) == (first.job_id, True)
    world.producer.enqueue("report.sheet", {"customer": "acme"}, unique_for=None)
    with pytest.raises(QuotaExceededError):
        world.producer.enqueue("report.sheet", {"customer": "acme"}, unique_for=None)
    world.producer.enqueue("report.sheet", {"customer": "else"})


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({}, "month: is missing"),
        ({"moth": "2026-11-01"}, "month: is missing; 'moth' is no field"),
        ({"month": 11}, "month: must be string"),
        ({"month": "2026-11"}, "month: is no date"),
        ({"month": "2026-11-01", "format": "doc"}, "format: must be one of 'pdf', 'csv'"),
        ({"month": "2026-11-01", "lines": [{"sku": "ab", "count": 0}]}, "lines.0.count: must be at least 1"),
        ({"month": "2026-11-01", "lines": [{"sku": "ab", "count": 10}]}, "lines.0.count: must be at most 9"),
        ({"month": "2026-11-01", "lines": [{"sku": "a"}]}, "lines.0.sku: must have 2 characters or more"),
        ({"month": "2026-11-01", "lines": [{"sku": "A1"}]}, "lines.0.sku: must match ^[a-z]+$"),
        (
            {"month": "2026-11-01", "lines": [{"sku": "ab", "cuont": 1}]},
            "lines.0: has a field that is none, did you mean 'count'?",
        ),
        ({"month": "2026-11-01", "id": 5}, "id: must be string"),
        ("not an object", "payload: must be object"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field_before_anything_is_written(
    world: World, payload: Any, problem: str
) -> None:
    with pytest.raises(InvalidPayloadError) as refused:
        world.producer.enqueue("report.month", json.dumps(payload))

    assert problem in str(refused.value.problems[0])
    with pytest.raises(InvalidPayloadError):
        world.worker.enqueue("report.month", json.dumps(payload))
    assert drain(world.worker) == 0


def test_no_value_is_repeated_in_an_error(world: World) -> None:
    with pytest.raises(InvalidPayloadError) as refused:
        world.producer.enqueue("report.month", {"month": "secret-1", "format": "secret-2", "lines": "secret-3"})

    assert "secret" not in str(refused.value)


def test_a_misspelt_name_is_answered_with_the_nearest(world: World) -> None:
    with pytest.raises(UnknownJobTypeError, match=r"'report\.mont', did you mean 'report\.month'\?"):
        world.producer.enqueue("report.mont", {})
    with pytest.raises(InvalidOptionError):
        world.producer.enqueue("report.month", {"month": "2026-11-01"}, dealy=HOUR)  # type: ignore[call-arg]


def test_an_old_name_is_known(world: World) -> None:
    world.producer.enqueue("report.monthly", {"month": "2026-11-01"})
    drain(world.worker)
    assert len(world.seen) == 1


def test_both_sides_can_be_one_application(tmp_path: Path) -> None:
    World(tmp_path)
    own = Jobs(queue="own")

    @own.job("own.job")
    def job(_: Sheet) -> None: ...

    app = App(own, load_schema(tmp_path / "jobs.schema.json"))

    assert {"own.job", "report.month"} <= {one.name for one in app.registry.types}


def test_its_code_is_nowhere_and_says_so(world: World) -> None:
    receipt = world.producer.enqueue("report.sheet", {"customer": "acme"})
    drain(world.producer)

    record = world.producer.get(receipt.job_id)
    assert record.state is State.RETRYING
    assert "knows its job types from a schema and has no code of them" in str(record.failures[0].error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "is no document of job types"),
        ('{"lanework": "schema.v2", "types": {}}', "lanework: Input should be 'schema.v1'"),
        ('{"lanework": "schema.v1", "types": {"a.b": {}}}', "Field required"),
        (
            json.dumps({"lanework": "schema.v1", "types": {"a.b": NO_SCHEMA}}),
            "the payload of a.b in the document is not a JSON Schema",
        ),
    ],
)
def test_what_is_no_document_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)

    with pytest.raises(ConfigError) as refused:
        load_schema(file)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_same_code_writes_the_same_text(world: World) -> None:
    types = world.worker.registry.types

    assert document_of(types).text() == document_of(reversed(types)).text()
    assert [*json.loads(document_of(types).text())["types"]] == ["report.month", "report.sheet"]


def test_without_jsonschema_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    World(tmp_path)
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    monkeypatch.delitem(sys.modules, "lanework.schema.check")

    with pytest.raises(ConfigError, match=r"needs jsonschema; try: pip install 'lanework\[schema\]'"):
        load_schema(tmp_path / "jobs.schema.json")
