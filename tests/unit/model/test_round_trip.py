"""What is enqueued comes back the same, or is refused by its field."""

from __future__ import annotations

from collections import Counter, OrderedDict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_serializer,
    field_validator,
)

from lanework.errors import InvalidPayloadError, TooLargeError
from lanework.model.job.payload import parsed, part_of, written
from lanework.model.job.validation_errors import MASK

NAN, INF = float("nan"), float("inf")
PARIS = ZoneInfo("Europe/Paris")


TWICE = datetime(2026, 10, 25, 2, 30, fold=1)  # noqa: DTZ001 - a naive one is the point
"""A time of day that comes twice, the second one."""


class Local(BaseModel):
    field: datetime | time | list[datetime]


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    SMALL = 1


class Port(IntEnum):
    HTTP = 80


class Animal(BaseModel):
    name: str = "Bat"


class Cat(Animal):
    lives: int = 9


class Tame(Animal):
    """No field beyond its base's."""


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    barks: bool = True


class Fish(BaseModel):
    kind: Literal["fish"] = "fish"


class Ordinary(BaseModel):
    whole: int = 10**30
    part: float = 1.0
    either: bool | int | float | str = 1
    other: bool | int | float | str = True
    third: int | str = "1"
    moment: datetime = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=PARIS)
    twice: datetime = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=PARIS)
    naive: datetime = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - a naive one is the point
    first: datetime = datetime(1, 1, 1, tzinfo=UTC)
    last: datetime = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    day: date = date(2026, 1, 1)
    hour: time = time(12, 30, tzinfo=UTC)
    wait: timedelta = timedelta(days=-1, seconds=1, microseconds=999999)
    price: Decimal = Decimal("0.10")
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    id: UUID = Field(default_factory=uuid4)
    numbers: set[int] = {3, 1, 2}
    words: frozenset[str] = frozenset({"a"})  # one: the order of several follows the hash seed, and is in the text
    pair: tuple[int, str] = (1, "a")
    by_number: dict[int, str] = {1: "a"}
    by_day: dict[date, int] = {date(2026, 1, 1): 1}
    pet: Annotated[Dog | Fish, Field(discriminator="kind")] = Fish()
    animal: Animal = Tame()
    place: Path = Path("/srv")
    text: bytes = b"plain"
    nothing: None = None
    anything: Any = {"a": [1, 2.5, None, True, "\uffff\x00"]}


class Root(RootModel[list[int]]):
    pass


class Aliased(BaseModel):
    name: str = Field(validation_alias="givenName", serialization_alias="n")


class Computed(BaseModel):
    name: str = "a"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def upper(self) -> str:
        return self.name.upper()


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str = "a"


class Made(BaseModel):
    _cache: dict[str, int] = PrivateAttr(default_factory=dict)
    name: str = "a"


def used() -> Made:
    payload = Made()
    payload._cache["seen"] = 1  # noqa: SLF001 - pydantic's private fields are what it is about
    return payload


@pytest.mark.parametrize(
    "payload",
    [
        Ordinary(),
        Root([1, 2]),
        used(),
        Aliased(givenName="a"),
        Computed(),
        Open.model_validate({"name": "a", "more": {"b": [1, "x"]}}),
        Made(),
        Ordinary.model_construct(**Ordinary().__dict__),
        Tame(),
    ],
)
def test_what_can_be_written_and_read_again_comes_back_the_same(payload: BaseModel) -> None:
    text = written("a.job", type(payload), payload)

    assert text == written("a.job", type(payload), parsed("a.job", type(payload), text))


def _deep() -> Any:
    found: dict[str, Any] = {}
    for _ in range(3_000):
        found = {"a": found}
    return found


def _circle() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


class Anything(BaseModel):
    field: Any = None


class Number(BaseModel):
    field: float = 0


class Loud(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")
    field: float | list[float] = 0


class Money(BaseModel):
    field: Decimal = Field(default=Decimal(0), allow_inf_nan=True)


class Hidden(BaseModel):
    field: str = Field(default="", exclude=True)


class Secret(BaseModel):
    field: SecretStr


class Raw(BaseModel):
    field: bytes = b""


class OneWay(BaseModel):
    field: datetime

    @field_serializer("field")
    def _short(self, value: datetime) -> str:
        return value.date().isoformat()


class Broken(BaseModel):
    field: int = 1

    @field_serializer("field")
    def _broken(self, _: int) -> int:
        raise KeyError


class Telling(BaseModel):
    field: str

    @field_serializer("field")
    def _telling(self, value: str) -> str:
        raise ValueError(value)


class Filling(BaseModel):
    field: dict[str, int]

    @field_validator("field")
    @classmethod
    def _fill(cls, value: dict[str, int]) -> dict[str, int]:
        return {**value, "more": 1}


class Growing(BaseModel):
    field: str

    @field_validator("field")
    @classmethod
    def _suffix(cls, value: str) -> str:
        return f"{value}!"


class Zoo(BaseModel):
    field: Animal | list[Animal] = Animal()


class Private(BaseModel):
    _field: int = PrivateAttr(default=1)


class Strict(Computed):
    model_config = ConfigDict(extra="forbid")


class Ambiguous(BaseModel):
    class One(BaseModel):
        x: int = 1

    class Two(BaseModel):
        x: int = 1

    field: One | Two


class Whole(BaseModel):
    field: SerializeAsAny[Animal]


class Later(BaseModel):
    field: datetime | str


def construct(model: type[BaseModel], **fields: Any) -> BaseModel:
    """Make a payload that nothing has validated."""
    return model.model_construct(**fields)


def _private() -> Private:
    payload = Private()
    payload._field = 2  # noqa: SLF001 - pydantic's private fields are what it is about
    return payload


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (Number(field=NAN), "field"),
        (Number(field=INF), "field"),
        (Number(field=-INF), "field"),
        (Loud(field=NAN), "field"),
        (Loud(field=[1, INF]), "field.1"),
        (Money(field=Decimal("NaN")), "field"),
        (Money(field=Decimal("sNaN")), ""),
        (Anything(field={"a": [1, NAN]}), f"field.{MASK}.1"),
        (Hidden(field="x"), "field"),
        (Secret(field=SecretStr("x")), "field"),
        (Raw(field=b"\xff"), "field"),
        (OneWay(field=datetime(2026, 1, 1, 12, tzinfo=UTC)), "field"),
        (Local(field=TWICE), "field"),
        (Local(field=TWICE.time()), "field"),
        (Local(field=[TWICE.replace(fold=0), TWICE]), "field.1"),
        (Broken(), "field"),
        (Growing(field="x"), "field"),
        (Zoo(field=Cat()), "field.lives"),
        (Zoo(field=[Animal(), Cat()]), "field.1.lives"),
        (Whole(field=Cat()), "field.lives"),
        (_private(), "_field"),
        (construct(Filling, field={}), "field"),
        (Strict(), MASK),
        (Ambiguous(field=Ambiguous.Two()), "field"),
        (Later(field="2026-01-01T00:00:00Z"), "field"),
        (construct(Number, field="x"), "field"),
        (construct(Secret), "field"),
        (Ordinary.model_construct(**{**Ordinary().__dict__, "whole": "x"}), "whole"),
        (Ordinary.model_construct(**{**Ordinary().__dict__, "colour": "blue"}), "colour"),
        (Open.model_validate({"more": (1, 2)}), MASK),
        (Open.model_validate({"more": datetime(2026, 1, 1, tzinfo=UTC)}), MASK),
        *(
            (Anything(field=odd), "field")
            for odd in [(1, 2), {1, 2}, b"a", Decimal(1), date(2026, 1, 1), uuid4(), Animal(), "\ud800", object(), len]
        ),
        (Anything(field={1: 2}), f"field.{MASK}"),
        (Anything(field=[{"a": (1,)}]), f"field.0.{MASK}"),
        (Anything(field=_deep()), "field"),
        (Anything(field=_circle()), "field"),
        (Anything(field=10**5_000), ""),
    ],
)
def test_what_would_not_come_back_is_refused_by_its_field(payload: BaseModel, place: str) -> None:
    with pytest.raises(InvalidPayloadError) as raised:
        written("a.job", type(payload), payload)

    assert raised.value.problems[0].startswith(f"{place}: " if place else "")
    assert raised.value.job_type == "a.job"


def test_a_time_without_a_zone_that_comes_twice_is_refused_with_what_to_write() -> None:
    with pytest.raises(InvalidPayloadError, match=r"field: without a time zone, .*\(fold=1\).*: give it its zone"):
        written("a.job", Local, Local(field=TWICE))
    assert written("a.job", Local, Local(field=TWICE.replace(fold=0)))
    assert written("a.job", Local, Local(field=TWICE.replace(tzinfo=PARIS)))


def test_a_subclass_loses_what_the_jobs_model_has_no_field_for() -> None:
    with pytest.raises(InvalidPayloadError, match=r"lives: is no field of Animal, which the job reads"):
        written("a.job", Animal, Cat())
    assert written("a.job", Animal, Tame()) == '{"name":"Bat"}'


def test_no_value_is_repeated_in_a_refusal() -> None:
    secret = "hunter2"
    for payload in (
        Secret(field=SecretStr(secret)),
        construct(Number, field=secret),
        Hidden(field=secret),
        Anything(field=(secret,)),
        Anything(field=f"\ud800{secret}"),
        Telling(field=secret),
    ):
        with pytest.raises(InvalidPayloadError) as raised:
            written("a.job", type(payload), payload)
        assert secret not in str(raised.value)


class ById(BaseModel):
    """Compares by one field, as an entity does."""

    id: int
    value: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ById) and self.id == other.id

    def __hash__(self) -> int:
        return self.id


class Around(BaseModel):
    field: list[ById]


class Painted(BaseModel):
    field: str | Colour


class Further(BaseModel):
    model_config = ConfigDict(extra="allow")

    field: int = Field(0, validation_alias=AliasChoices("x", "y"))


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        (ById(id=1, value={1, 2, 3}), "value"),
        (ById(id=1, value=b"x"), "value"),
        (Around(field=[ById(id=1), ById(id=2, value=(1, 2))]), r"field\.1\.value"),
        (Anything(field=Colour.RED), "field"),
        (Anything(field=[Colour.RED]), r"field\.0"),
        (Anything(field=Counter("aab")), "field"),
        (Anything(field=OrderedDict(a=1)), "field"),
        (Anything.model_construct(field=Port.HTTP), "field"),
        (Painted.model_construct(field=Colour.RED), "field"),
        (Further.model_validate({"x": 1, "field": 3}), "field"),
    ],
)
def test_a_value_that_is_equal_to_what_comes_back_and_is_another_is_refused(payload: BaseModel, where: str) -> None:
    with pytest.raises(InvalidPayloadError, match=rf"payload of a\.job is not valid: {where}: "):
        written("a.job", type(payload), payload)


@pytest.mark.parametrize(
    "payload",
    [
        ById(id=1, value=[1, {"a": True}]),
        Around(field=[ById(id=1, value="x")]),
        Anything(field={"a": [1, 2.5, None, "x", True]}),
        Painted(field="green"),
        Further.model_validate({"x": 1, "z": 3}),
    ],
)
def test_a_model_that_is_looked_at_closely_takes_what_comes_back(payload: BaseModel) -> None:
    text = written("a.job", type(payload), payload)

    assert parsed("a.job", type(payload), text).model_dump() == payload.model_dump()


def test_a_payload_that_is_too_large_is_told_so_before_it_is_read_back() -> None:
    with pytest.raises(TooLargeError):
        written("a.job", Anything, Anything(field="x" * 300_000))


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (Ordinary, {"moment": "2026-01-01T00:00:00Z", "price": "1.5", "numbers": [1, 2], "day": date(2026, 1, 1)}),
        (Ordinary, {"price": Decimal("0.10"), "wait": timedelta(seconds=5), "colour": Colour.RED}),
    ],
)
def test_the_given_part_of_a_link_may_be_written_as_json_is(model: type[BaseModel], given: dict[str, Any]) -> None:
    assert written("a.job", model, part_of("a.job", model, given), partly=True)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Number, NAN),
        (Anything, [NAN]),
        (Hidden, "x"),
        (Secret, SecretStr("x")),
        (Raw, b"\xff"),
        (Anything, "\ud800"),
        (Anything, {NAN}),
        (Anything, Open(more=NAN)),
        (OneWay, datetime(2026, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_the_given_part_of_a_link_is_refused_by_its_field_too(model: type[BaseModel], value: object) -> None:
    with pytest.raises(InvalidPayloadError, match=r"payload of a\.job is not valid: field"):
        written("a.job", model, part_of("a.job", model, {"field": value}), partly=True)
