"""What a change of job types breaks for producers that have the older document."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from lanework import App, Jobs
from lanework.schema.diff import Change, changes
from lanework.schema.document import Document, document_of
from lanework.schema.narrowing import narrowed


class Inner(BaseModel):
    a: int = 0


class Narrower(BaseModel):
    a: Annotated[int, Field(le=5)] = 0


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class SmallTree(BaseModel):
    name: Annotated[str, Field(max_length=3)]
    children: list[SmallTree] = []


def of(*, forbid: bool = False, **fields: Any) -> type[BaseModel]:
    """Return a model with these fields; a bare type is required."""
    pairs: Any = {name: one if isinstance(one, tuple) else (one, ...) for name, one in fields.items()}
    return create_model("Payload", __config__=ConfigDict(extra="forbid") if forbid else None, **pairs)


def document(model: type[BaseModel], name: str = "report.month", **said: Any) -> Document:
    family = Jobs(queue=said.pop("queue", "report"))

    def run(payload: Any) -> None: ...

    run.__annotations__["payload"] = model
    family.job(name, **said)(run)
    return document_of(App(family).registry.types)


HARMLESS: list[tuple[type[BaseModel], type[BaseModel], str]] = [
    (of(a=int), of(a=int, b=(str, "")), "payload.b: is a new optional field"),
    (of(a=int, b=str), of(a=int), "payload.b: is no field any more, and is ignored"),
    (of(a=int), of(a=(int, 1)), "payload: takes all that it took"),
    (of(a=int), of(a=float), "payload: takes all that it took"),
    (of(a=str), of(a=str | None), "payload: takes all that it took"),
    (of(a=Literal["x"]), of(a=Literal["x", "y"]), "payload: takes all that it took"),
    (of(a=Annotated[int, Field(le=5)]), of(a=Annotated[int, Field(le=9)]), "payload: takes all that it took"),
    (of(a=Annotated[str, Field(pattern="x")]), of(a=str), "payload: takes all that it took"),
    (of(a=int, forbid=True), of(a=int), "payload: takes all that it took"),
    (of(a=list[Narrower]), of(a=list[Inner]), "payload: takes all that it took"),
    (of(a=date), of(a=str), "payload: takes all that it took"),
    (of(a=int), of(a=Any), "payload: takes all that it took"),
    (SmallTree, Tree, "payload: takes all that it took"),
]

BREAKING: list[tuple[type[BaseModel], type[BaseModel], str, Any]] = [
    (of(a=int), of(a=int, b=str), "payload.b: is a new required field", {"a": 1}),
    (of(a=(int, 1)), of(a=int), "payload.a: is required now", {}),
    (of(a=int), of(a=str), "payload.a: must be string now, not integer", {"a": 1}),
    (of(a=float), of(a=int), "payload.a: must be integer now, not number", {"a": 1.5}),
    (of(a=str | None), of(a=str), "payload.a: must be string now, not null", {"a": None}),
    (of(a=Any), of(a=str), "payload.a: must be string now, not anything", {"a": 1}),
    (of(a=Literal["x", "y"]), of(a=Literal["x"]), "payload.a: no longer takes 'y'", {"a": "y"}),
    (of(a=str), of(a=Literal["x", "z"]), "payload.a: takes only 'x', 'z' now", {"a": "y"}),
    (of(a=int), of(a=Annotated[int, Field(le=5)]), "payload.a: maximum is 5 now", {"a": 6}),
    (
        of(a=Annotated[int, Field(ge=1)]),
        of(a=Annotated[int, Field(ge=2)]),
        "payload.a: minimum is 2 now, was 1",
        {"a": 1},
    ),
    (of(a=str), of(a=Annotated[str, Field(max_length=2)]), "payload.a: maxLength is 2 now", {"a": "xyz"}),
    (of(a=str), of(a=Annotated[str, Field(pattern="^x")]), "payload.a: pattern is '^x' now", {"a": "y"}),
    (of(a=str), of(a=date), "payload.a: format is 'date' now", {"a": "y"}),
    (of(a=list[int]), of(a=Annotated[list[int], Field(max_length=1)]), "payload.a: maxItems is 1 now", {"a": [1, 2]}),
    (of(a=list[int]), of(a=set[int]), "payload.a: must be unique now", {"a": [1, 1]}),
    (of(a=list[int]), of(a=list[str]), "payload.a[]: must be string now, not integer", {"a": [1]}),
    (of(a=tuple[int, int]), of(a=tuple[int, str]), "payload.a[1]: must be string now, not integer", {"a": [1, 1]}),
    (of(a=dict[str, int]), of(a=dict[str, str]), "payload.a.*: must be string now, not integer", {"a": {"k": 1}}),
    (of(a=Inner), of(a=Narrower), "payload.a.a: maximum is 5 now", {"a": {"a": 6}}),
    (of(a=Inner | str), of(a=Narrower | str), "payload.a.a: maximum is 5 now", {"a": {"a": 6}}),
    (
        of(a=int, b=str),
        of(a=int, forbid=True),
        "payload.b: is no field any more, and what is no field is refused",
        {"a": 1, "b": "x"},
    ),
    (of(a=int), of(a=int, forbid=True), "payload: what is no field is refused now", {"a": 1, "c": 1}),
    (Tree, SmallTree, "payload.name: maxLength is 3 now", {"name": "long", "children": []}),
    (of(a=list[Any]), of(a=list[int]), "payload.a[]: must be integer now, not anything", {"a": ["x"]}),
    (of(a=dict), of(a=dict[str, int]), "payload.a.*: takes less than anything now", {"a": {"k": "x"}}),
    (of(a=Literal["x", 1]), of(a=Literal["x"]), "payload.a: must be string now, not anything", {"a": 1}),
    (RootModel[int], RootModel[str], "payload: must be string now, not integer", 1),
]


@pytest.mark.parametrize(("old", "new", "says"), HARMLESS)
def test_what_takes_all_that_it_took_breaks_nobody(old: Any, new: Any, says: str) -> None:
    assert changes(document(old), document(new)) == [Change(job_type="report.month", breaking=False, what=says)]


@pytest.mark.parametrize(("old", "new", "says", "sample"), BREAKING)
def test_what_refuses_something_that_it_took_breaks_producers(old: Any, new: Any, says: str, sample: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(sample, old.model_json_schema(), format_checker=checker)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(sample, new.model_json_schema(), format_checker=checker)

    found = changes(document(old), document(new))

    assert says in [one.what for one in found if one.breaking]


@pytest.mark.parametrize("model", [*(one[0] for one in HARMLESS), *(one[0] for one in BREAKING)])
def test_a_model_takes_what_it_takes(model: Any) -> None:
    schema = model.model_json_schema()

    assert narrowed(schema, schema) == []


def test_a_keyword_that_is_not_compared_is_taken_for_a_break() -> None:
    assert narrowed({"type": "string"}, {"type": "string", "not": {"const": "x"}}) == [
        "payload: not has changed, which can't be compared"
    ]


MODEL = of(a=int)


def test_nothing_has_changed() -> None:
    assert changes(document(MODEL), document(MODEL)) == []


@pytest.mark.parametrize(
    ("old", "new", "breaking", "says"),
    [
        ({"name": "report.year"}, {}, True, "is removed: give its successor the name in aliases=(…)"),
        ({}, {"lane": "low"}, True, "lane: medium → low; jobs of older producers go to medium"),
        ({"version": 2}, {}, True, "version: 2 → 1; jobs of older producers wait for code that isn't there"),
        ({}, {"version": 2}, False, "version: 1 → 2"),
        ({}, {"queue": "other"}, False, "queue: report → other"),
        ({}, {"attempts": 5}, False, "attempts: none → 5"),
        (
            {"name": "report.monthly"},
            {"aliases": ("report.monthly",)},
            False,
            "is called report.month now, and runs under both names",
        ),
    ],
)
def test_what_a_declaration_says_beside_its_payload(old: Any, new: Any, breaking: bool, says: str) -> None:
    found = changes(document(MODEL, **old), document(MODEL, **new))

    assert (breaking, says) in [(one.breaking, one.what) for one in found]
    assert any(one.breaking for one in found) == breaking


def test_a_new_type_is_harmless() -> None:
    assert changes(Document(), document(MODEL)) == [Change(job_type="report.month", breaking=False, what="is new")]


def test_a_change_whose_older_version_is_upcast_is_harmless() -> None:
    old, other = document(MODEL), of(b=str)
    upcast: Any = {1: lambda payload: payload}

    found = changes(old, document(other, version=2, upcast=upcast))
    assert [(one.breaking, one.what) for one in found] == [
        (False, "version: 1 → 2"),
        (False, "payload.b: is a new required field (version 1 is upcast)"),
    ]
    assert any(one.breaking for one in changes(old, document(other, version=2)))
