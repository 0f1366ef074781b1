"""What no endpoint can use is refused, and told what is wrong with it; no value is repeated that may be private."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from lanework import App, Jobs
from lanework.http.problems import Problem
from lanework.http.routing import LARGEST_BODY
from lanework.testing import app_in_memory
from tests.support.fakes import break_ports
from tests.support.gateway import a_client

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"null", b'{"type": NaN}', b'{"type": "\\ud800"}', b"[" * 100_000, b'{"a":1}}']
)
def test_a_body_that_is_no_json_object_is_refused(shop: Shop, body: bytes) -> None:
    answer = shop.api.send("POST", "/api/jobs", body, JSON)

    assert (answer.status, answer.problem) == (400, "malformed-json")


def test_a_body_that_is_no_text_is_refused(shop: Shop) -> None:
    answer = shop.api.send("POST", "/api/jobs", b"\xff\xfe\x00", JSON)

    assert (answer.status, answer.problem) == (400, "malformed-json")


def test_a_body_that_is_too_large_is_refused(shop: Shop) -> None:
    answer = shop.api.send("POST", "/api/jobs", b'{"type":"' + b"x" * LARGEST_BODY + b'"}', JSON)

    assert (answer.status, answer.problem) == (413, "too-large")


def test_a_payload_that_is_too_large_is_refused(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs", {"type": "user.greeting", "payload": {"name": "x" * 2_001}})

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert "xxx" not in answer.text


def test_a_body_of_another_kind_is_refused(shop: Shop) -> None:
    answer = shop.api.send("POST", "/api/jobs", b"type=user.greeting", {"Content-Type": "text/plain"})

    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "user.greeting", "prioritty": 1}, "prioritty"),
        ({"payload": {}}, "type"),
        ({"type": "user.greeting", "delaySeconds": -1}, "delaySeconds"),
        ({"type": "user.greeting", "delaySeconds": "soon"}, "delaySeconds"),
        ({"type": "user.greeting", "runAt": "2026-01-02T12:00:00"}, "runAt"),
        ({"type": "user.greeting", "payload": "secret"}, "payload"),
    ],
)
def test_a_field_that_is_wrong_or_unknown_is_named(shop: Shop, body: dict[str, Any], field: str) -> None:
    answer = shop.api.post("/api/jobs", body)

    assert (answer.status, answer.problem) == (422, "invalid-request")
    assert [(one["in"], one["field"]) for one in answer.json["errors"]] == [("body", field)]
    assert "secret" not in answer.text


def test_a_payload_that_does_not_fit_its_type_is_told_which_field(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs", {"type": "user.greeting", "payload": {"name": {"secret": 1}}})

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert [one["field"] for one in answer.json["errors"]] == ["payload.name"]
    assert "secret" not in answer.text


def test_a_misspelt_query_parameter_is_told_the_nearest(shop: Shop) -> None:
    answer = shop.api.get("/api/jobs?statsu=dead")

    assert (answer.status, "did you mean 'status'" in answer.json["detail"]) == (400, True)


def test_a_method_that_a_path_does_not_take_is_told_those_that_it_does(shop: Shop) -> None:
    answer = shop.api.send("DELETE", "/api/jobs")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/jobs/", "/static/0/../tokens.py", "/static/0/layout.html", "//login"]
)
def test_a_path_that_does_not_exist_is_not_found(shop: Shop, path: str) -> None:
    assert shop.api.get(path).status == 404


def test_a_service_that_does_not_answer_is_told_as_such(shop: Shop) -> None:
    _, lanes = break_ports(shop.app)
    lanes.broken.add("live")

    answer = shop.api.get("/api/stats")

    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "1")


def test_what_breaks_here_is_logged_and_not_told(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def live(self, _: object) -> None:
            msg = "the password is 1234"
            raise RuntimeError(msg)

    shop.app.use(replace(shop.app.ports, lanes=Broken()))  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        answer = a_client(shop.app).get("/api/stats")

    assert (answer.status, answer.problem) == (500, "internal")
    assert "1234" not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/api/jobs", {"type": "user.greeting", "payload": {"name": "Bat"}, "after": [7] * 100_000}, "invalid-request"),
        ("/api/jobs", {"type": "user.greeting", **{f"no{n}": 1 for n in range(5_000)}}, "invalid-request"),
        ("/api/jobs", {"type": "user.greeting", "k" * 100_000: 1}, "invalid-request"),
        ("/api/jobs", {"type": "user.greeting", "lane": "s3cret" * 20_000}, None),
        ("/api/jobs", {"type": "s3cret" * 20_000}, None),
        ("/api/jobs", {"type": "user.greeting", "onFailure": "s3cret" * 20_000}, None),
        ("/api/jobs", {"type": "user.greeting", "jobId": "s3cret " * 20_000}, None),
        ("/api/jobs/batch", {"jobs": [{"s3cret": "s3cret"}] * 1_000}, None),
    ],
)
def test_what_is_wrong_with_a_body_is_told_in_a_bounded_answer(
    shop: Shop, path: str, body: dict[str, Any], kind: str | None
) -> None:
    answer = shop.api.post(path, body)

    assert 400 <= answer.status < 500
    assert kind in (None, answer.problem)
    assert len(answer.text) < 10_000
    assert len(answer.json.get("errors", [])) <= 20
    assert answer.text.count("s3cret") < 40


def test_of_many_wrong_fields_the_answer_says_how_many_they_are(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs", {"type": "user.greeting", **{f"no{number}": 1 for number in range(5_000)}})

    assert answer.json["detail"].startswith("5,000 fields are wrong, of which the first: no0: ")


def test_whatever_a_problem_says_is_bounded() -> None:
    wrong = {"in": "body", "field": "name", "message": "x" * 10_000}
    problem = Problem(status=HTTPStatus.BAD_REQUEST, kind="odd", detail="y" * 10_000, errors=(wrong,) * 100)

    said = json.loads(str(problem.response().body))

    assert (len(said["detail"]), len(said["errors"]), len(said["errors"][0]["message"])) == (2_000, 20, 400)


def test_what_is_wrong_with_a_payload_is_told_in_a_bounded_answer_without_its_values() -> None:
    family = Jobs(queue="orders", lane="high")
    family.job("order.place")(place)
    api = a_client(app_in_memory(App(family)))
    payload = {"lines": ["s3cret"] * 30_000, "paid": {"kind": "s3cret-kind"}}

    answer = api.post("/api/jobs", {"type": "order.place", "payload": payload})

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert len(answer.json["errors"]) == 20
    assert "more problems" in answer.json["detail"]
    assert "s3cret" not in answer.text
    assert len(answer.text) < 10_000


class Card(BaseModel):
    kind: Literal["card"]


class Cash(BaseModel):
    kind: Literal["cash"]


class Order(BaseModel):
    lines: list[int]
    paid: Annotated[Card | Cash, Field(discriminator="kind")]


def place(order: Order) -> None: ...
