"""What `lanework dev` suggests to try: a job of the application's own, with a payload that is valid."""

from __future__ import annotations

from pydantic import BaseModel, EmailStr

from lanework import App, Jobs
from lanework.cli.dev import to_try


class Report(BaseModel):
    month: int
    title: str
    wide: bool = False


class Mail(BaseModel):
    to: EmailStr


def an_app(*payloads: type[BaseModel]) -> App:
    family = Jobs(queue="shop")
    for payload in payloads:

        def work(_: BaseModel) -> None: ...

        work.__annotations__["_"] = payload
        family.job(f"shop.{payload.__name__.lower()}")(work)
    return App(family)


def test_a_type_of_ones_own_is_suggested_with_a_value_for_each_field_that_it_requires() -> None:
    assert to_try(an_app(Report)) == (
        """lanework enqueue shop.report --job-id try-1 --payload '{"month": 1, "title": "text"}'"""
    )


def test_a_payload_of_which_no_example_can_be_made_leaves_the_words_to_the_user() -> None:
    assert to_try(an_app(Mail)) == "lanework enqueue TYPE --job-id try-1 --payload '{…}'"
