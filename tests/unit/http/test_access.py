"""Who gets an answer: tokens and their roles, a browser's session, and where a request comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Discard, Jobs, Run
from lanework.engine.queries.search import JobFilter
from lanework.errors import ConfigError
from lanework.http.auth.sessions import Session, Sessions
from lanework.http.auth.tokens import Role, Tokens, hash_of, is_within, key_of, new_token
from lanework.model.lifecycle.states import State
from lanework.testing import app_in_memory, drain
from tests.support.browsers import BROWSER, csrf_of, logged_in
from tests.support.fakes import Flaky
from tests.support.gateway import FORM, HOST, TOKENS, a_client, a_form, an_event
from tests.support.http_shop import Nothing

if TYPE_CHECKING:
    from tests.support.gateway import Client
    from tests.support.http_shop import Shop

ASKED_IN = 303
"""Who is nobody, and comes with a browser, is sent to the login page."""


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/jobs"), ("GET", "/nothing-here"), ("POST", "/api/jobs"), ("GET", "/openapi.json")],
)
def test_a_stranger_learns_nothing_not_even_which_paths_exist(shop: Shop, method: str, path: str) -> None:
    answer = shop.api.as_(None).send(method, path)

    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="lanework"'
    assert "lanework token new" in answer.json["detail"]


@pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer", "Basic YTpi", "Bearer ü", f"Token {TOKENS[Role.ADMIN]}"])
def test_a_token_that_is_not_accepted_is_told_so_and_not_repeated(shop: Shop, shown: str) -> None:
    answer = shop.api.as_(None).get("/api/jobs", Authorization=shown)

    assert (answer.status, answer.problem) == (401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "wrong" not in answer.text


def test_the_key_that_a_browser_holds_is_no_token(shop: Shop) -> None:
    key = key_of(TOKENS[Role.ADMIN])

    assert shop.api.as_(None).get("/api/jobs", Authorization=f"Bearer {key}").status == 401


@pytest.mark.parametrize(
    ("role", "method", "path", "expected"),
    [
        (Role.VIEWER, "GET", "/api/jobs", 200),
        (Role.VIEWER, "POST", "/api/jobs/greeting", 403),
        (Role.PRODUCER, "POST", "/api/jobs/greeting", 202),
        (Role.PRODUCER, "GET", "/api/jobs", 200),
        (Role.PRODUCER, "POST", "/api/jobs/pause", 403),
        (Role.PRODUCER, "GET", "/api/jobs/job-1/payload", 403),
        (Role.ADMIN, "GET", "/api/jobs/job-1/payload", 200),
    ],
)
def test_each_role_may_what_those_below_it_may(shop: Shop, role: Role, method: str, path: str, expected: int) -> None:
    shop.enqueue()

    answer = shop.api.as_(role).send(method, path, {"name": "Bat"} if method == "POST" else None)

    assert answer.status == expected
    if expected == 403:
        assert f"your token has the role {role}" in answer.json["detail"]


def test_health_is_for_everybody(shop: Shop) -> None:
    assert shop.api.as_(None).get("/health").json == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health", "/api/jobs", "/nothing-here", "/"])
@pytest.mark.parametrize("role", [None, Role.ADMIN])
def test_head_is_get_without_a_body(shop: Shop, path: str, role: Role | None) -> None:
    api = shop.api.as_(role)
    full, head = api.get(path), api.send("HEAD", path)

    assert (head.status, head.headers, head.text) == (full.status, full.headers, "")


def test_every_answer_keeps_its_content_to_itself(shop: Shop) -> None:
    for answer in (shop.api.get("/docs"), shop.api.as_(None).get("/api/jobs"), shop.api.get("/static/0/pages.css")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_browser_without_a_session_is_sent_to_the_login_page(shop: Shop) -> None:
    answer = shop.api.as_(None).get("/docs", **BROWSER)

    assert (answer.status, answer.headers["location"]) == (303, "./login")


def test_links_climb_to_the_root_since_a_prefix_is_not_told(shop: Shop) -> None:
    answer = shop.api.as_(None).get("/api/jobs/job-1", **BROWSER)

    assert answer.headers["location"] == "../../login"


def test_logging_in_trades_the_token_for_a_cookie_that_no_script_reads(shop: Shop) -> None:
    answer = shop.api.as_(None).send("POST", "/login", a_form(token=TOKENS[Role.VIEWER]), {**BROWSER, **FORM})

    (cookie,) = answer.cookies
    assert cookie.startswith("__Host-lanework=")
    for attribute in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert attribute in cookie
    assert TOKENS[Role.VIEWER] not in cookie
    assert hash_of(TOKENS[Role.VIEWER]) not in cookie


def test_on_plain_http_as_an_emulator_speaks_it_the_cookie_is_not_secure(shop: Shop) -> None:
    headers = {**BROWSER, **FORM, "X-Forwarded-Proto": "http"}
    answer = shop.api.as_(None).send("POST", "/login", a_form(token=TOKENS[Role.VIEWER]), headers)

    assert answer.cookies[0].startswith("lanework=")
    assert "Secure" not in answer.cookies[0]


def test_a_wrong_token_at_the_login_page_is_told_there(shop: Shop) -> None:
    answer = shop.api.as_(None).send("POST", "/login", a_form(token="<script>"), {**BROWSER, **FORM})

    assert (answer.status, answer.cookies) == (401, ())
    assert "This token is not accepted." in answer.text
    assert "<script>" not in answer.text


def test_another_origins_page_can_log_nobody_in(shop: Shop) -> None:
    headers = {**BROWSER, **FORM, "Sec-Fetch-Site": "cross-site"}
    answer = shop.api.as_(None).send("POST", "/login", a_form(token=TOKENS[Role.ADMIN]), headers)

    assert (answer.status, answer.cookies) == (403, ())
    assert "this request comes from a page of another origin" in answer.text


def test_a_session_reads_as_its_token_does(shop: Shop) -> None:
    assert logged_in(shop.api).get("/api/jobs").status == 200


def test_an_action_of_a_session_needs_its_csrf_token(shop: Shop) -> None:
    browser = logged_in(shop.api)

    refused = browser.post("/api/jobs/pause", {"lane": "low"})
    done = browser.post("/api/jobs/pause", {"lane": "low"}, X_CSRF_Token=csrf_of(browser))

    assert (refused.status, refused.problem) == (403, "wrong-origin")
    assert (done.status, done.json["paused"]) == (200, ["lane:low"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
    ],
)
def test_an_action_from_another_origin_is_refused_even_with_the_csrf_token(shop: Shop, headers: dict[str, str]) -> None:
    browser = logged_in(shop.api)
    token = csrf_of(browser)
    if "Origin" in headers:
        browser.headers.pop("Sec-Fetch-Site")

    answer = browser.send("POST", "/api/jobs/pause", {"lane": "low"}, {**headers, "X-CSRF-Token": token})

    assert (answer.status, answer.problem) == (403, "wrong-origin")


def test_an_old_browser_that_names_our_own_origin_may_act(shop: Shop) -> None:
    browser = logged_in(shop.api)
    token = csrf_of(browser)
    browser.headers.pop("Sec-Fetch-Site")

    answer = browser.post("/api/jobs/pause", {"lane": "low"}, X_CSRF_Token=token, Origin=f"https://{HOST}")

    assert answer.status == 200


def test_a_viewers_session_can_not_act(shop: Shop) -> None:
    browser = logged_in(shop.api, Role.VIEWER)

    answer = browser.post("/api/jobs/pause", {"lane": "low"}, X_CSRF_Token=csrf_of(browser))

    assert (answer.status, answer.problem) == (403, "wrong-role")


def test_logging_out_takes_the_cookie_away(shop: Shop) -> None:
    browser = logged_in(shop.api)

    answer = browser.send("POST", "/logout", a_form(csrf=csrf_of(browser)), FORM)

    assert (answer.status, answer.headers["location"]) == (303, "./login")
    assert "=; Path=/; Max-Age=0" in answer.cookies[0]


def test_a_copy_of_a_sessions_cookie_is_worth_nothing_after_the_logout(shop: Shop) -> None:
    browser, other = logged_in(shop.api), logged_in(shop.api)
    copy = browser.as_(None)
    copy.headers |= browser.headers
    assert copy.get("/api/jobs").status == 200

    browser.send("POST", "/logout", a_form(csrf=csrf_of(browser)), FORM)

    assert copy.get("/api/jobs").status == ASKED_IN
    assert other.get("/api/jobs").status == 200, "the same token's other session goes on"


def test_a_session_ends_after_twelve_hours_whatever_the_browser_keeps(shop: Shop) -> None:
    browser = logged_in(shop.api)
    shop.clock.advance(timedelta(hours=11, minutes=59))
    assert browser.get("/api/jobs").status == 200

    shop.clock.advance(timedelta(minutes=2))

    assert browser.get("/api/jobs").status == ASKED_IN


def test_each_login_makes_another_cookie_and_another_csrf_token_and_ends_the_session_before(shop: Shop) -> None:
    first = logged_in(shop.api)
    csrf = csrf_of(first)
    answer = first.send("POST", "/login", a_form(token=TOKENS[Role.ADMIN]), FORM)
    second = first.as_(None)
    second.headers |= {**first.headers, "Cookie": answer.cookies[0].partition(";")[0]}

    assert second.headers["Cookie"] != first.headers["Cookie"]
    assert csrf_of(second) != csrf
    assert first.get("/api/jobs").status == ASKED_IN
    assert second.post("/api/jobs/pause", {"lane": "low"}, X_CSRF_Token=csrf).status == 403


def test_sessions_of_a_token_are_bounded_and_the_oldest_ends_first(shop: Shop) -> None:
    first = logged_in(shop.api)
    for _ in range(20):
        shop.clock.advance(timedelta(seconds=1))
        latest = logged_in(shop.api)

    assert (first.get("/api/jobs").status, latest.get("/api/jobs").status) == (ASKED_IN, 200)


def test_a_session_is_what_its_token_is_now_and_ends_with_it(shop: Shop) -> None:
    token = "mine"
    accepted = [Tokens(hashes=((Role.ADMIN, hash_of(token)),))]
    sessions = Sessions(shop.app)
    session = sessions.open(token)

    roles = [sessions.role(session, accepted[0])]
    later = (((Role.VIEWER, hash_of(token)),), ((Role.ADMIN, hash_of("other")),), ())
    roles += [sessions.role(session, Tokens(hashes=kept)) for kept in later]

    assert roles == [Role.ADMIN, Role.VIEWER, None, None]


def test_what_is_kept_of_a_session_opens_nothing(shop: Shop) -> None:
    token = "mine"
    tokens, sessions = Tokens(hashes=((Role.ADMIN, hash_of(token)),)), Sessions(shop.app)
    session = sessions.open(token)

    for guess in (session.digest, session.handle, f"{session.handle}.{session.digest}", f"{session.handle}.", "."):
        assert sessions.role(Session(key=guess), tokens) is None
    assert sessions.role(Session(key=key_of(token)), tokens) is None


@pytest.mark.parametrize("handle", ["x" * 5_000, "../jobs", "a" * 31, "A" * 32])
def test_the_end_of_a_session_that_nobody_opened_is_looked_for_nowhere(shop: Shop, handle: str) -> None:
    flags = Flaky(shop.app.ports.flags)
    stand_in: Any = flags
    shop.app.use(replace(shop.app.ports, flags=stand_in))

    Sessions(shop.app).end(Session(key=f"{handle}.secret"))

    assert flags.calls == []


@pytest.mark.parametrize("cookie", ["__Host-lanework=", "__Host-lanework=wrong", 'x="', "lanework=abc; ="])
def test_a_cookie_that_opens_nothing_is_nobodys(shop: Shop, cookie: str) -> None:
    assert shop.api.as_(None).get("/api/jobs", Cookie=cookie).status == 401


def test_a_new_token_is_accepted_by_its_hash_alone() -> None:
    token = new_token(Role.PRODUCER)
    tokens = Tokens.read(f"viewer:{hash_of('other')}, producer:{hash_of(token)}")

    assert (tokens.role_of_token(token), tokens.role_of_token("other!")) == (Role.PRODUCER, None)


@pytest.mark.parametrize(("text", "says"), [("admin", "entry 1"), (f"amin:{hash_of('x')}", "did you mean 'admin'")])
def test_a_list_of_tokens_that_makes_no_sense_is_refused(text: str, says: str) -> None:
    with pytest.raises(Exception, match=says):
        Tokens.read(text)


def test_a_producers_token_may_be_for_some_job_types(shop: Shop) -> None:
    token = "mine"
    tokens = Tokens.read(f"producer:user.*+sms.send:{hash_of(token)}")

    assert (tokens.role_of_token(token), tokens.scope_of_token(token)) == (Role.PRODUCER, ("user.*", "sms.send"))
    within = [
        is_within(name, tokens.scope_of_token(token)) for name in ("user.greeting", "users.x", "sms.send", "sms.x")
    ]
    assert within == [True, False, True, False]
    assert is_within("anything", Tokens.read(f"producer:{hash_of(token)}").scope_of_token(token))
    api = a_client(shop.app, tokens=tokens).as_(None)
    headers = {"Authorization": f"Bearer {token}"}
    for path, body, status in (
        ("/api/jobs", {"type": "user.greeting", "payload": {"name": "Bat"}}, 202),
        ("/api/jobs", {"type": "upkeep.sweep", "payload": {}}, 403),
        ("/api/jobs/batch", {"jobs": [{"type": "upkeep.sweep", "payload": {}}]}, 403),
        ("/api/jobs/upkeep-sweep", {}, 403),
        ("/api/jobs/greeting", {"name": "Bat"}, 202),
    ):
        assert api.send("POST", path, body, headers).status == status, path
    browser = logged_in(api, token=token)
    csrf = csrf_of(browser)
    for type_, status in (("user.greeting", 202), ("upkeep.sweep", 403)):
        body = {"type": type_, "payload": {"name": "Bat"} if status == 202 else {}}
        assert browser.post("/api/jobs", body, X_CSRF_Token=csrf).status == status, "nor may its session"


@pytest.mark.parametrize(
    "entry", ["admin:email.*", "viewer:email.send", "producer:*", "producer:Email", "producer:a.*.b"]
)
def test_a_scope_that_makes_no_sense_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="entry 1"):
        Tokens.read(f"{entry}:{hash_of('x')}")


def test_a_job_type_may_be_kept_from_http() -> None:
    family = Jobs(queue="pay")

    @family.job("payment.book", api=False)
    def book(_: Nothing) -> None: ...

    app = app_in_memory(App(family))
    api = a_client(app, is_development=True)

    for path, body in (
        ("/api/jobs", {"type": "payment.book", "payload": {}}),
        ("/api/jobs/batch", {"jobs": [{"type": "payment.book", "payload": {}}]}),
        ("/api/jobs/payment.book", {}),
        ("/api/jobs/book", {}),
        ("/api/jobs/test/payment.book", {}),
    ):
        assert api.post(path, body).status in (400, 404, 422), path
    assert book.enqueue(Nothing()).job_id


class Booking(BaseModel):
    """Payload of a job whose type is kept from HTTP."""

    amount: int


def a_till() -> tuple[App, Client]:
    """Return an application whose jobs of `payment.book` are kept from HTTP: one waits, one is dead."""
    family = Jobs(queue="pay", attempts=1)

    @family.job("payment.book", api=False)
    def book(booking: Booking, run: Run) -> Any:
        if booking.amount < 0:
            return run.wait_for("approved", timeout=timedelta(days=1))
        msg = "no such account"
        raise Discard(msg)

    app = app_in_memory(App(family))
    book.enqueue({"amount": -1}, job_id="waits")
    book.enqueue({"amount": 1}, job_id="dead")
    app.schedules.add("monthly", "payment.book", {"amount": 1}, cron="0 2 1 * *")
    drain(app)
    return app, a_client(app)


BOOKING = {"type": "payment.book", "payload": {"amount": 999_999}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/jobs/waits/signal", {"name": "approved", "payload": 999_999}),
        ("POST", "/api/jobs/dead/retry", {"payload": {"amount": 999_999}}),
        ("POST", "/api/schedules/monthly/run", None),
        ("PUT", "/api/schedules/mine", {**BOOKING, "cron": "0 2 * * *"}),
        (
            "PUT",
            "/api/schedules/monthly",
            {"type": "payment.book", "payload": {"amount": 999_999}, "cron": "0 * * * *"},
        ),
    ],
)
def test_nobody_brings_data_over_http_to_a_job_that_is_kept_from_it(method: str, path: str, body: object) -> None:
    app, api = a_till()

    answer = api.send(method, path, body)

    assert answer.problem in ("kept-from-http", "unknown-job-type")
    assert {one.job_id for one in app.runtime.search.page(JobFilter(), limit=10).jobs} == {"waits", "dead"}
    assert (app.get("waits").state, app.get("dead").state) == (State.PARKED, State.DEAD)
    assert [one.record.schedule.payload for one in app.schedules.list()] == ['{"amount":1}']


def test_a_page_runs_no_schedule_whose_jobs_are_kept_from_http() -> None:
    app, api = a_till()
    browser = logged_in(api)

    assert "Run now" not in browser.get("/schedules").text
    answer = browser.send("POST", "/schedules/monthly/run", a_form(csrf=csrf_of(browser)), FORM)

    assert answer.status == 303
    assert len(app.runtime.search.page(JobFilter(), limit=10).jobs) == 2


def test_an_admin_redrives_a_job_that_is_kept_from_http_as_it_is_and_cancels_it() -> None:
    app, api = a_till()

    assert api.post("/api/jobs/dead/retry").status == 202
    assert api.post("/api/jobs/waits/reschedule", {}).status == 200
    assert api.post("/api/jobs/waits/cancel").json["outcome"] == "cancelled"
    assert app.ports.ledger.payload_of(app.get("dead")) == '{"amount":1}'


LET_IN: dict[str, Any] = {
    "JWT": {"jwt": {"claims": {"iss": "https://login.example.com/", "sub": "bat"}, "scopes": None}},
    "IAM": {"iam": {"accountId": "123456789012", "userArn": "arn:aws:sts::123456789012:assumed-role/ops/bat"}},
}


def asked_by(shop: Shop, method: str, path: str, authorizer: Any, *, authorized: Role | None) -> int:
    """Return the status of what a caller gets whom API Gateway's authorizer let in, or who comes without one."""
    event = an_event(method, path, headers={"Authorization": "Bearer eyJhbGciOi.of-an.issuer"})
    event["requestContext"]["authorizer"] = authorizer
    answer = a_client(shop.app, authorized=authorized).handler(event, None)  # type: ignore[arg-type]
    status: int = answer["statusCode"]
    return status


@pytest.mark.parametrize("authorizer", LET_IN.values(), ids=LET_IN)
def test_whom_the_gateways_authorizer_lets_in_has_the_role_of_the_deployment(shop: Shop, authorizer: Any) -> None:
    assert asked_by(shop, "GET", "/api/jobs", authorizer, authorized=Role.VIEWER) == 200
    assert asked_by(shop, "POST", "/api/jobs/pause", authorizer, authorized=Role.VIEWER) == 403


@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": {"jwt": "no"}}])
def test_where_no_authorizer_of_the_gateways_spoke_its_role_is_nobodys(shop: Shop, authorizer: Any) -> None:
    assert asked_by(shop, "GET", "/api/jobs", authorizer, authorized=Role.ADMIN) == 401


def test_an_authorizer_that_the_deployment_did_not_ask_for_opens_nothing(shop: Shop) -> None:
    assert asked_by(shop, "GET", "/api/jobs", LET_IN["JWT"], authorized=None) == 401
