"""The Idempotency-Key header where the work is unique, too: another job in its way is none of the key's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, State
from lanework.memory import MemoryLedger
from lanework.testing import app_in_memory
from tests.support.gateway import a_client

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.model.lifecycle.states import JobRecord
    from tests.support.gateway import Answer, Client


class Mail(BaseModel):
    """Payload of the jobs; one with the same `to` is the same work."""

    to: str
    text: str = ""


def a_mailing_app() -> App:
    """Return an application with a job type of unique work, and one without."""
    family = Jobs(queue="mail")

    @family.job("mail.weekly", key="to", unique_for=timedelta(hours=1))
    def weekly(_: Mail) -> None: ...

    @family.job("mail.plain")
    def plain(_: Mail) -> None: ...

    return app_in_memory(App(family))


def a_mailer() -> Client:
    return a_client(a_mailing_app())


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


class RacingLedger(MemoryLedger):
    """Lets another request through right after the first look for what a key went with."""

    meanwhile: Callable[[], object] | None = None

    def get_many(self, job_ids: Sequence[str], *, consistent: bool = False) -> dict[str, JobRecord]:
        found = super().get_many(job_ids, consistent=consistent)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


TWO, THREE = {"jobs": [PLAIN] * 2}, {"jobs": [PLAIN] * 3}


@pytest.mark.parametrize(
    ("path", "body", "others"),
    [("/api/jobs/batch", TWO, 2), ("/api/jobs", PLAIN, 1), ("/api/jobs/batch", {"jobs": [weekly("one"), PLAIN]}, 2)],
    ids=["many", "one", "unique work"],
)
def test_of_two_requests_at_one_moment_under_one_key_one_wins_and_the_other_leaves_no_job(
    path: str, body: dict[str, Any], others: int
) -> None:
    """Both left jobs: the one that was refused had recorded those that the other hadn't."""
    app, ledger = a_mailing_app(), RacingLedger()
    app.use(replace(app.ports, ledger=ledger))
    api = a_client(app)
    answers: list[Answer] = []
    ledger.meanwhile = lambda: answers.append(api.post(path, body, Idempotency_Key="k1"))

    late = api.post("/api/jobs/batch", THREE, Idempotency_Key="k1")

    assert [one.status for one in answers] == [202]
    assert (late.status, late.problem) == (422, "idempotency-key-reused")
    assert len(api.get("/api/jobs").json["jobs"]) == others


def test_the_same_request_twice_at_one_moment_has_one_answer() -> None:
    app, ledger = a_mailing_app(), RacingLedger()
    app.use(replace(app.ports, ledger=ledger))
    api = a_client(app)
    answers: list[Answer] = []
    ledger.meanwhile = lambda: answers.append(api.post("/api/jobs/batch", THREE, Idempotency_Key="k1"))

    answers.append(api.post("/api/jobs/batch", THREE, Idempotency_Key="k1"))

    assert [one.status for one in answers] == [202, 200]
    ids = [[job["jobId"] for job in one.json["jobs"]] for one in answers]
    assert ids[0] == ids[1]
    assert [[job["status"] for job in one.json["jobs"]] for one in answers] == [["enqueued"] * 3, ["duplicate"] * 3]
    assert len(api.get("/api/jobs").json["jobs"]) == 3


def test_a_key_whose_jobs_have_expired_is_free_again() -> None:
    app = a_mailing_app()
    api, ledger = a_client(app), app.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    api.post("/api/jobs/batch", TWO, Idempotency_Key="k1")
    over: dict[str, Any] = {"state": State.COMPLETED, "expires_at": app.ports.clock()}
    ledger.records = {one: replace(record, **over) for one, record in ledger.records.items()}

    answer = api.post("/api/jobs/batch", THREE, Idempotency_Key="k1")

    assert [one["status"] for one in answer.json["jobs"]] == ["enqueued"] * 3


def test_the_same_body_of_another_path_is_another_request() -> None:
    api = a_mailer()
    body = {"to": "bat"}
    assert api.post("/api/jobs/mail-plain", body, Idempotency_Key="k1").status == 202

    answer = api.post("/api/jobs/plain", body, Idempotency_Key="k1")

    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")


def test_debounced_work_takes_no_key() -> None:
    family = Jobs(queue="mail")

    @family.job("mail.digest", key="to", debounce=timedelta(minutes=1))
    def digest(_: Mail) -> None: ...

    body = {"type": "mail.digest", "payload": {"to": "bat"}}
    answer = a_client(app_in_memory(App(family))).post("/api/jobs", body, Idempotency_Key="k1")

    assert (answer.status, "leave out the Idempotency-Key" in answer.json["detail"]) == (400, True)
