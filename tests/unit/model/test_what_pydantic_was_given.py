"""Of what pydantic was given nothing is in an error, for anybody: no value, no key, nothing that a validator quotes."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lanework import InvalidPayloadError
from lanework.model.job.error_text import fault_of
from lanework.model.job.payload import parsed, written
from lanework.model.job.validation_errors import problems_of

S = "ZEBRA9981"


class Lines:
    """Writes itself in several lines."""

    def __repr__(self) -> str:
        return f"<Lines\n{S}\n>"


class Cat(BaseModel):
    """A member of a union."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """Another."""

    kind: Literal["dog"]
    years: dict[str, int]


class Account(BaseModel):
    """Everything that can go wrong."""

    model_config = ConfigDict(extra="forbid")

    accounts: dict[str, int] = {}
    by_number: dict[int, int] = {}
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    pets: list[Cat] = []
    mail: EmailStr = "bat@example.com"
    id: str = Field(default="", alias="ID", pattern="^[a-z]*$")
    said: str = ""
    custom: str = ""
    checked: str = ""
    plain: str = ""

    @field_validator("said")
    @classmethod
    def _said(cls, said: str) -> str:
        msg = f"{said.lower()} is no word, nor {said}"
        raise ValueError(msg)

    @field_validator("custom")
    @classmethod
    def _custom(cls, custom: str) -> str:
        kind: Any = "odd_word"
        raise PydanticCustomError(kind, f"{custom} is odd: {{word}}", {"word": custom})

    @field_validator("checked")
    @classmethod
    def _checked(cls, checked: str) -> str:
        assert not checked, f"{checked!r} it is"
        return checked

    @field_validator("plain")
    @classmethod
    def _plain(cls, _: str) -> str:
        msg = "must not be given"
        raise ValueError(msg)

    @model_validator(mode="after")
    def _whole(self) -> Account:
        if self.accounts:
            msg = f"no {self.accounts}"
            raise ValueError(msg)
        return self


GIVEN: dict[str, tuple[dict[str, Any], str]] = {
    "key": ({"accounts": {S: "x"}}, "accounts.•••: Input should be a valid integer"),
    "number": ({"by_number": {99_819_981: "x"}}, "by_number.•••: Input should be a valid integer"),
    "tag": ({"pet": {"kind": S}}, "pet: Input tag '•••' found"),
    "nested": ({"pet": {"kind": "cat", "lives": S}}, "pet.cat.lives: Input should be a valid integer"),
    "nested key": ({"pet": {"kind": "dog", "years": {S: S}}}, "pet.dog.years.•••: Input should be a valid integer"),
    "extra": ({S: 1}, "•••: Extra inputs are not permitted"),
    "misspelt": ({"acounts": {}}, "•••: Extra inputs are not permitted, did you mean 'accounts'?"),
    "alias": ({"ID": S}, "ID: String should match pattern"),
    "mail": ({"mail": f"{S}@"}, "mail: value is not a valid email address"),
    "said": ({"said": S}, "said: Value error"),
    "custom": ({"custom": S}, "custom: odd word"),
    "checked": ({"checked": S}, "checked: Assertion failed"),
    "plain": ({"plain": S}, "plain: Value error, must not be given"),
    "whole": ({"accounts": {S: 1}}, "payload: Value error"),
}


def words_of(said: object) -> str:
    return str(said).lower()


@pytest.mark.parametrize("name", GIVEN)
def test_a_refused_payload_is_told_by_field_and_kind(name: str) -> None:
    given, expected = GIVEN[name]

    with pytest.raises(InvalidPayloadError) as refused:
        parsed("a.job", Account, given)

    assert S.lower() not in words_of(refused.value)
    assert "99819981" not in words_of(refused.value)
    assert refused.value.problems[0].startswith(expected)


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("form", ["itself", "text", "part", "lines", "errors", "json", "note", "cause"])
def test_an_error_of_a_job_holds_nothing_of_it_however_it_is_quoted(name: str, form: str) -> None:
    given, _ = GIVEN[name]
    with pytest.raises(ValidationError) as refused:
        Account.model_validate(given)
    error = refused.value

    forms: dict[str, BaseException] = {
        "itself": error,
        "text": RuntimeError(f"no card: {error}"),
        "part": RuntimeError("\n".join(str(error).splitlines()[1:])),
        "lines": RuntimeError("".join(str(error).splitlines()[1:])),
        "errors": RuntimeError(error.errors()),
        "json": RuntimeError(error.json()),
        "note": RuntimeError("no"),
        "cause": RuntimeError("no"),
    }
    raised = forms[form]
    if form == "note":
        raised.add_note(str(error))
    if form == "cause":
        raised.__cause__ = error

    said = fault_of(raised).said

    assert S.lower() not in words_of(said)
    assert "99819981" not in said
    assert "no card: 1 validation error for Account: •••" in said or form != "text"


def test_a_value_that_is_written_in_several_lines_is_in_none_of_them() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(int).validate_python(Lines())

    assert S not in fault_of(RuntimeError(f"no: {refused.value}")).said
    assert S not in fault_of(refused.value).said


@pytest.mark.parametrize("model", [dict[str, int], RootModel[dict[str, int]], list[dict[str, int]]])
def test_keys_are_masked_where_no_model_has_names(model: Any) -> None:
    given: Any = {S: "x"}
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(model).validate_python([given] if model == list[dict[str, int]] else given)

    assert S not in str(problems_of(refused.value)) + fault_of(refused.value).said


class Open(BaseModel):
    """Takes more than it names."""

    model_config = ConfigDict(extra="allow")

    field: Any = None


@pytest.mark.parametrize("given", [{"field": {S: (1,)}}, {S: (1,)}, {"field": {S: float("nan")}}, {S: float("nan")}])
def test_what_would_not_come_back_is_told_without_its_keys(given: dict[str, object]) -> None:
    with pytest.raises(InvalidPayloadError) as refused:
        written("a.job", Open, Open.model_validate(given))

    assert S not in str(refused.value)


@pytest.mark.parametrize("error", [KeyError(S), LookupError(S), TypeError(S), ZeroDivisionError(S), AttributeError(S)])
def test_a_validator_that_raises_what_pydantic_passes_on_refuses_the_payload_by_its_type(error: Exception) -> None:
    class Careless(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def _look(cls, _: str) -> str:
            raise error

    for given in ({"word": S}, json.dumps({"word": S})):
        with pytest.raises(InvalidPayloadError) as refused:
            parsed("a.job", Careless, given)
        assert refused.value.problems == (f"payload: a validator raised {type(error).__name__}",)
