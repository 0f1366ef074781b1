"""The Idempotency-Key header where the work is unique, too: another job in its way is none of the key's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.testing import app_in_memory
from tests.support.gateway import a_client

if TYPE_CHECKING:
    from tests.support.gateway import Client


class Mail(BaseModel):
    """Payload of the jobs; one with the same `to` is the same work."""

    to: str
    text: str = ""


def a_mailer() -> Client:
    """Return a client of an application with a job type of unique work, and one without."""
    family = Jobs(queue="mail")

    @family.job("mail.weekly", key="to", unique_for=timedelta(hours=1))
    def weekly(_: Mail) -> None: ...

    @family.job("mail.plain")
    def plain(_: Mail) -> None: ...

    return a_client(app_in_memory(App(family)))


def weekly(text: str = "", *, to: str = "bat") -> dict[str, Any]:
    return {"type": "mail.weekly", "payload": {"to": to, "text": text}}


PLAIN = {"type": "mail.plain", "payload": {"to": "bat"}}


@pytest.mark.parametrize("long", ["", "x" * 2_000])
def test_a_new_key_is_not_reused_because_other_unique_work_waits(long: str) -> None:
    api = a_mailer()
    first = api.post("/api/jobs", weekly(f"one{long}"))

    other, same = (
        api.post("/api/jobs", weekly(f"{text}{long}"), Idempotency_Key=f"a new key for {text}")
        for text in ("two", "one")
    )

    assert [(one.status, one.json["status"], one.json["jobId"]) for one in (other, same)] == [
        (202, "duplicate", first.json["jobId"])
    ] * 2
    assert (other.json["payloadDiffers"], same.json["payloadDiffers"]) == (True, False)


def test_many_under_a_new_key_of_which_one_is_a_repetition_are_accepted() -> None:
    api = a_mailer()
    api.post("/api/jobs", weekly("one"))

    answer = api.post("/api/jobs/batch", {"jobs": [weekly("two"), PLAIN]}, Idempotency_Key="new")

    assert answer.status == 202
    assert [one["status"] for one in answer.json["jobs"]] == ["duplicate", "enqueued"]
    assert len(api.get("/api/jobs").json["jobs"]) == 2


def test_many_under_a_used_key_are_refused_before_any_is_enqueued_whichever_of_them_the_key_went_with() -> None:
    api = a_mailer()
    api.post("/api/jobs", weekly("one"))
    api.post("/api/jobs/batch", {"jobs": [weekly("two"), PLAIN]}, Idempotency_Key="k1")

    answer = api.post("/api/jobs/batch", {"jobs": [PLAIN, PLAIN]}, Idempotency_Key="k1")

    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")
    assert len(api.get("/api/jobs").json["jobs"]) == 2


def test_what_a_repetition_says_of_its_payload_is_the_same_with_a_key_and_without() -> None:
    body = {"jobs": [weekly("one"), weekly("two"), weekly("one")]}

    said = [
        [one["payloadDiffers"] for one in a_mailer().post("/api/jobs/batch", body, **headers).json["jobs"]]
        for headers in ({}, {"Idempotency_Key": "k1"})
    ]

    assert said == [[False, True, False]] * 2
