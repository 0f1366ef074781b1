from __future__ import annotations

from typing import Annotated, Optional

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field

from lanework import DeclarationError, InvalidPayloadError, Jobs, Public
from lanework.model.job.payload import masked, parsed, public_part, written


class Aliased(BaseModel):
    """A payload with names that Python can't write, one of them within another."""

    model_config = ConfigDict(extra="forbid")

    class Inner(BaseModel):
        """A part of it."""

        of_user: str = Field(alias="ofUser")

    e_mail: str = Field(alias="e-mail")
    inner: Inner = Field(validation_alias="in")


class Shown(BaseModel):
    """Public fields in all their spellings, and private ones."""

    plain: Public[str] = "plain"
    within: Public[str | None] = "within"
    beside: Public[str] | None = "beside"
    optional: Optional[Public[int]] = 1  # noqa: UP045 - as older code writes it
    described: Annotated[Public[str], Field(max_length=20)] = "described"
    several: Public[int] | Public[str] = "several"
    private: str | None = "private"


SEEN = {"e-mail": "bat@example.com", "in": {"ofUser": "bat"}}


def test_a_field_with_an_alias_comes_back_as_it_was_written() -> None:
    payload = Aliased.model_validate(SEEN)

    text = written("a.job", Aliased, payload)

    assert text == '{"e_mail":"bat@example.com","inner":{"of_user":"bat"}}'
    assert parsed("a.job", Aliased, text) == payload


@pytest.mark.parametrize("given", [SEEN, {"e_mail": "bat@example.com", "inner": {"of_user": "bat"}}])
def test_a_field_with_an_alias_may_be_given_by_either_name(given: dict[str, object]) -> None:
    assert parsed("a.job", Aliased, given) == Aliased.model_validate(SEEN)


def test_neither_name_is_missing_and_a_third_one_is_refused() -> None:
    with pytest.raises(InvalidPayloadError, match="e-mail: Field required"):
        parsed("a.job", Aliased, {"email": "bat@example.com", "in": {"ofUser": "bat"}})


def test_a_field_is_public_in_every_spelling() -> None:
    shown = {name: getattr(Shown(), name) for name in Shown.model_fields if name != "private"}

    assert shown == public_part(Shown())
    assert {**shown, "private": "•••"} == masked(written("a.job", Shown, Shown()), Shown)


class InPart(BaseModel):
    """A list of which the items are public."""

    names: list[Public[str]]


class OrNot(BaseModel):
    """A text that is public, or a number that isn't."""

    which: Public[str] | int | None


@pytest.mark.parametrize(("model", "field"), [(InPart, "InPart.names"), (OrNot, "OrNot.which")])
def test_a_field_that_is_public_in_part_is_refused_where_it_is_declared(model: type[BaseModel], field: str) -> None:
    def job(payload: BaseModel) -> None: ...

    job.__annotations__["payload"] = model
    with pytest.raises(DeclarationError, match=rf"{field} is Public in part only.*Public\[list\[str\]\]"):
        Jobs(queue="email").job("a.job")(job)


def test_a_problem_in_a_union_is_named_by_the_field_and_not_by_pydantics_name_for_the_member() -> None:
    class Mail(BaseModel):
        to: Annotated[str, Field(min_length=3), AfterValidator(str.lower)] | tuple[EmailStr, ...]

    with pytest.raises(InvalidPayloadError) as refused:
        parsed("email.send", Mail, {"to": ["bat@example.com", "bat"]})

    assert "to: Input should be a valid string; to.1: value is not a valid email address" in str(refused.value)
