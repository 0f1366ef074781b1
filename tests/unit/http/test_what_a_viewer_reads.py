"""What a viewer reads of jobs: no private value, whichever way a record, a request or a fault holds it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, field_validator

from lanework import App, InvalidPayloadError, JobFailedError, Jobs, Public, Quota, Run, chain, group
from lanework.http.auth.tokens import Role
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.job.validation_errors import MASK
from lanework.testing import app_in_memory, drain
from tests.support.gateway import FORM, Client, a_client, a_form

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

S = "ZEBRA9981"
BEYOND = "x" * 1_100


class Order(BaseModel):
    """A payload; `way` says what happens."""

    way: Public[str] = ""
    secret: str = S
    filling: str = ""
    got: Any = None


class Careless(BaseModel):
    """A payload whose validator raises what pydantic passes on."""

    word: str

    @field_validator("word")
    @classmethod
    def _look(cls, word: str) -> str:
        return {"known": "x"}[word]


class LostError(Exception):
    """An error of a job's own."""


shop_jobs = Jobs(queue="shop", attempts=1)


@shop_jobs.job("shop.order")
def order(given: Order, run: Run) -> object:
    run.log(f"to {given.secret}")
    run.progress(50, f"{'to ' * 65}{given.secret}")
    if given.way == "dies":
        msg = f"no {given.secret}"
        raise LostError(msg)
    if given.way == "keeps nothing":
        return {(given.secret, 1): object()}
    return f"sent to {given.secret}"


@shop_jobs.job("shop.counted", quota=Quota(5, per=timedelta(hours=1), key="secret"))
def counted(_: Order) -> None:
    """Do nothing."""


@shop_jobs.job("shop.after")
def after(given: Order) -> object:
    return application[0].result(given.way, timeout=timedelta(0))


application: list[App] = []


@shop_jobs.job("shop.careless")
def careless(_: Careless) -> None:
    """Do nothing."""


@pytest.fixture(name="app")
def app_of_the_shop() -> App:
    application[:] = [app_in_memory(App(shop_jobs))]
    return application[0]


@pytest.fixture(name="viewer")
def a_viewer(app: App) -> Client:
    return a_client(app).as_(Role.VIEWER)


def enqueue(app: App, job_id: str, way: str = "", *, filling: str = "", **more: Any) -> None:
    app.enqueue("shop.order", {"way": way, "filling": filling}, job_id=job_id, **more)


@pytest.mark.parametrize("way", ["", "dies", "keeps nothing"])
def test_a_list_shows_no_more_of_a_job_whose_payload_lies_apart(app: App, viewer: Client, way: str) -> None:
    enqueue(app, "order-1", way, filling=BEYOND)
    drain(app)

    paths = [
        "/api/jobs",
        "/api/admin/dlq",
        "/api/admin/dlq/groups",
        "/api/v1/jobs/queues/shop/failed",
        "/jobs",
        "/dead",
    ]
    texts = {path: viewer.get(path).text for path in [*paths, "/api/jobs/order-1", "/api/jobs/order-1/logs"]}

    assert [path for path, text in texts.items() if S[:4] in text] == []
    assert S in a_client(app).get("/api/jobs").text or way == "keeps nothing"


def test_a_child_that_dies_of_its_parent_says_which_and_of_what_type_its_error_was(app: App, viewer: Client) -> None:
    enqueue(app, "order-1", "dies")
    app.enqueue("shop.order", {"secret": "other"}, job_id="order-2", after=["order-1"], on_failure="die")
    drain(app)

    assert app.get("order-2").error == "'order-1', which it waits for, has not completed: LostError"
    assert S not in viewer.get("/api/jobs/order-2").text


@pytest.mark.parametrize(("way", "said"), [("dies", "dead: LostError"), ("keeps nothing", "completed: no error")])
def test_a_job_that_asks_for_anothers_result_fails_without_the_others_words(app: App, way: str, said: str) -> None:
    enqueue(app, "order-1", way)
    drain(app)
    app.enqueue("shop.after", {"way": "order-1", "secret": "other"}, job_id="after")
    drain(app)

    assert app.get("after").error == f"JobFailedError: job 'order-1' is {said}"
    with pytest.raises(JobFailedError, match=S if way == "dies" else "was not kept"):
        app.result("order-1", timeout=timedelta(0))


def test_a_child_that_takes_what_was_not_kept_says_only_so(app: App) -> None:
    plan = chain(app.request("shop.order", {"way": "keeps nothing"}), order.link(takes="got"))
    app.workflows.enqueue(plan, workflow_id="w")
    drain(app)

    (dead,) = app.dead_letters.jobs.page(DeadFilter()).jobs
    assert str(dead.error).endswith("which was not kept")


def test_a_redrive_with_another_payload_doesnt_uncover_what_the_first_one_held(app: App, viewer: Client) -> None:
    enqueue(app, "order-1", "dies")
    drain(app)
    a_client(app).post("/api/jobs/order-1/retry", {"payload": {"way": "dies", "secret": "other"}})
    assert S not in viewer.get("/api/jobs/order-1").text
    drain(app)

    shown = viewer.get("/api/jobs/order-1").json
    assert [one["error"] for one in shown["failures"]] == [f"LostError: {MASK}", f"LostError: no {MASK}"]
    assert shown["error"] == f"LostError: no {MASK}"
    assert S not in viewer.get("/api/jobs/order-1/logs").text + viewer.get("/jobs/order-1").text


@pytest.mark.parametrize("path", ["/api/admin/dlq?error=Z", "/api/admin/dlq/groups?error=ZE"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.PRODUCER])
def test_errors_arent_searched_letter_by_letter_by_who_reads_them_masked(app: App, path: str, role: Role) -> None:
    enqueue(app, "order-1", "dies")
    drain(app)

    refused = a_client(app).as_(role).get(path)

    assert (refused.status, refused.problem) == (403, "wrong-role")
    assert "admin" in refused.json["detail"]
    assert a_client(app).get(path).status == 200


def test_results_of_a_workflow_are_masked_and_so_is_why_one_was_not_kept(app: App, viewer: Client) -> None:
    links = [
        app.request("shop.order", {"way": way, "filling": filling})
        for way in ("", "keeps nothing")
        for filling in ("", BEYOND)
    ]
    app.workflows.enqueue(group(links), workflow_id="w")
    drain(app)

    shown = viewer.get("/api/workflows/w/results")

    assert S not in shown.text
    assert [one["result"] for one in shown.json["results"]] == [f"sent to {MASK}", MASK, None, None]
    assert f"sent to {S}" in a_client(app).get("/api/workflows/w/results").text


def test_one_odd_result_breaks_no_list_of_a_workflows_results(app: App, viewer: Client) -> None:
    app.workflows.enqueue(group([app.request("shop.order", {})]), workflow_id="w")
    drain(app)
    ledger: Any = app.ports.ledger
    (record,) = [one for one in ledger.records.values() if one.workflow == "w"]
    ledger.records[record.job_id] = replace(record, result="not json")

    for api in (viewer, a_client(app)):
        assert "can't be shown" in api.get("/api/workflows/w/results").json["results"][0]["resultOmitted"]


def test_a_group_of_errors_shows_no_part_of_a_private_value_that_has_numbers_in_it(app: App, viewer: Client) -> None:
    app.enqueue("shop.order", {"way": "dies", "secret": "Long Road 15 North"}, job_id="order-1")
    drain(app)

    assert viewer.get("/api/admin/dlq/groups").json["groups"][0]["error"] == "LostError: no •••"
    assert "Long" not in viewer.get("/dead").text


def test_a_fault_of_the_api_is_logged_without_its_text(
    app: App, viewer: Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    enqueue(app, "order-1")

    def broken(job_id: str) -> None:
        msg = f"{S} of {job_id}"
        raise LostError(msg)

    app.ports.ledger.get = broken  # type: ignore[method-assign]
    with caplog.at_level(logging.DEBUG):
        assert viewer.get("/api/jobs/order-1").status == 500

    logged = capsys.readouterr().out + "".join(str(vars(one)) for one in caplog.records)
    assert S not in logged
    assert "LostError in broken, test_what_a_viewer_reads.py:" in logged


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/careless"])
def test_a_validator_that_raises_what_pydantic_passes_on_is_a_422(
    app: App, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = {"word": S}
    answer = a_client(app).post(path, {"type": "shop.careless", "payload": payload} if path == "/api/jobs" else payload)

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert "KeyError" in answer.text
    assert S not in answer.text + capsys.readouterr().out
    with pytest.raises(InvalidPayloadError, match="a validator raised KeyError"):
        app.enqueue("shop.careless", payload)


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//[", "null", "http://elsewhere.example.com"])
def test_a_login_from_an_origin_that_is_none_is_refused(shop: Shop, origin: str) -> None:
    answer = shop.api.as_(None).send("POST", "/login", a_form(token="x"), {**FORM, "Origin": origin})

    assert answer.status == 403


@pytest.mark.parametrize("zone", ["Asia/" * 1_000 + "x", "x" * 65, "Asia", "../x", "a\0b", "\udcff", "", "/etc/passwd"])
def test_a_schedule_in_a_zone_that_is_none_is_refused(shop: Shop, zone: str) -> None:
    body = {"type": "user.greeting", "payload": {"name": "Bat"}, "cron": "0 9 * * *", "tz": zone}

    answer = shop.api.send("PUT", "/api/schedules/greet-daily", json.dumps(body).encode())

    assert answer.status == 400, answer.text[:300]


def test_a_link_whose_fields_arent_checked_yet_warns_of_no_value(app: App, recwarn: pytest.WarningsRecorder) -> None:
    app.workflows.enqueue(chain(app.request("shop.order", {}), counted.link(takes="got", given={"secret": [S]})))

    assert [str(one.message) for one in recwarn] == []
