"""
A canary in every place that a job's words can come from, and every place that they may not come to.

What a payload keeps private, and what a job says when it ends, stays with the job: logs, metrics, events on the bus,
webhooks and alerts have the type of its error alone, and a viewer reads no private value, whatever quotes it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from aws_lambda_powertools import Logger
from pydantic import BaseModel

from lanework import App, Cancel, Discard, Jobs, Public, RetryAfter, Run, Snooze, State
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.ports.webhooks import World as Outside
from lanework.engine.stats.alerting import alert_as_json
from lanework.engine.webhooks.notify import WebhookPayload
from lanework.http.auth.tokens import Role
from lanework.model.events import Action
from lanework.model.job.job_event_document import notice_of, notice_of_end
from lanework.model.lifecycle.states import ENDED
from lanework.model.stats.alerts import Alert
from lanework.observe.emf import EmfSink
from lanework.observe.logs import LogSink
from lanework.testing import Clock, app_in_memory, drain
from tests.support.gateway import Client, a_client

CANARY = "canary.4711@example.com"
LONG = 1_100
NOTHING: dict[str, str] = {}
SECOND = timedelta(seconds=1)


class Secret(BaseModel):
    """A payload of which one field may be told."""

    way: Public[str]
    secret: str = CANARY
    filling: str = ""


class Card(BaseModel):
    """What some jobs read."""

    number: int


class CanaryError(Exception):
    """An error of a job's own."""


def _noted() -> None:
    error = CanaryError("lost")
    error.add_note(f"was it {CANARY}")
    raise error


def _caused() -> None:
    try:
        NOTHING[CANARY]
    except KeyError as error:
        msg = "lost"
        raise CanaryError(msg) from error


def _handled() -> None:
    try:
        int(CANARY)
    except ValueError:
        raise CanaryError  # noqa: B904 - what is handled is told, too


def _grouped() -> None:
    raise ExceptionGroup("both", [CanaryError(CANARY), ValueError(CANARY)])


def _pydantic() -> None:
    Card.model_validate({"number": CANARY})


def _pydantic_as_text() -> None:
    try:
        Card.model_validate({"number": CANARY})
    except ValueError as error:
        raise CanaryError(str(error)) from None


def _raise(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def _cut_off() -> None:
    raise CanaryError("x" * 485 + CANARY)


WAYS: dict[str, Callable[[], object]] = {
    "returns": lambda: {"sent": CANARY, CANARY: [CANARY]},
    "raises": _raise(CanaryError(f"no mailbox {CANARY}")),
    "raises_at_length": _cut_off,
    "discards": _raise(Discard(f"no mailbox {CANARY}")),
    "discards_like_a_type": _raise(Discard(f"{CANARY}: no mailbox")),
    "cancels": _raise(Cancel(f"no mailbox {CANARY}")),
    "retries": _raise(RetryAfter(SECOND, reason=CANARY)),
    "snoozes": _raise(Snooze(SECOND)),
    "key": lambda: NOTHING[CANARY],
    "number": lambda: int(CANARY),
    "json": lambda: json.loads(f'{{"{CANARY}": '),
    "bytes": lambda: CANARY.encode().replace(b"@", b"\xff").decode(),
    "pydantic": _pydantic,
    "pydantic_as_text": _pydantic_as_text,
    "noted": _noted,
    "caused": _caused,
    "handled": _handled,
    "grouped": _grouped,
    "exits": _raise(SystemExit(CANARY)),
    "library": _raise(BaseException(CANARY)),  # no Exception
    "nameless": _raise(type(f"Error {CANARY}", (OSError,), {})(CANARY)),
    "unwritable": lambda: {"sent": object(), "to": CANARY},
}

tasks = Jobs(queue="tasks", lane="high", attempts=2)


@tasks.job("task.sync")
def end(secret: Secret, run: Run) -> object:
    run.log(f"to {secret.secret}")
    run.progress(50, f"to {secret.secret}")
    run.once("step", lambda: secret.secret)
    return WAYS[secret.way]()


@tasks.job("task.async")
async def end_later(secret: Secret, run: Run) -> object:
    run.log(f"to {secret.secret}")
    await asyncio.sleep(0)
    return WAYS[secret.way]()


@tasks.job("task.signal")
def wait(_: Secret, run: Run) -> None:
    raise CanaryError(run.wait_for("address", timeout=SECOND))


@tasks.job("task.stubborn", attempts=1, version=2)
def never(_: Secret) -> None:
    """Never run, of a newer version than its worker."""


class Ear:
    """A channel of alerts."""

    name = "ear"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def notify(self, alert: Alert) -> None:
        self.heard.append(json.dumps(alert_as_json(alert)))


def everything_has_ended(app: App, clock: Clock) -> list[str]:
    """Run a job for each way, alone and beside the event loop, with its payload in the record and apart; their ids."""
    ids: list[str] = []
    for way in WAYS:
        for job, filling in ((end, ""), (end_later, "x" * LONG)):
            ids.append(f"{way}-{len(ids)}")
            job.enqueue({"way": way, "filling": filling}, job_id=ids[-1], webhook="https://hooks.example.com")
    wait.enqueue({"way": "signal"}, job_id="signal")
    app.signal("signal", "address", CANARY)
    end.enqueue({"way": "late"}, job_id="expired", start_by=SECOND)
    clock.advance(2 * SECOND)
    end.enqueue({"way": "returns"}, job_id="after", after=["raises-2"], on_failure="die")
    for _ in range(6):
        drain(app)
        clock.advance(5 * SECOND)
    return [*ids, "signal", "expired", "after"]


@pytest.fixture(name="told")
def what_was_told(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> tuple[App, list[str], dict[str, str]]:
    clock, lines, ear = Clock(), StringIO(), Ear()
    app = app_in_memory(App(tasks), clock)
    app.use(replace(app.ports, world=Outside(stack="shop", webhook="https://hooks.example.com")))
    app.runtime.observe(LogSink(Logger(service="canary", level="DEBUG", location=None, stream=lines)), EmfSink("shop"))
    app.on_event(lambda event: _raise(CanaryError(str(event.error)))())
    with caplog.at_level(logging.DEBUG):
        ids = everything_has_ended(app, clock)
    app.ports.events.flush()
    app.runtime.alert_manager([ear]).tick({})
    records = list(app.ports.ledger.records.values())  # type: ignore[attr-defined]
    bus = [notice_of(one, Action.JOB_RETRYING, at=clock.now, key="k", stack="shop").written() for one in records]
    bus += [notice_of_end(one, stack="shop").written() for one in records if one.state in ENDED]
    hooks = [WebhookPayload.model_validate_json(one.payload or "").body for one in records if one.type == WEBHOOK]
    said = {
        "log": lines.getvalue(),
        "python's log": "\n".join(str(vars(one)) for one in caplog.records if one.name != "tests"),
        "metrics": capsys.readouterr().out,
        "bus": "\n".join(bus),
        "webhooks": "\n".join(hooks),
        "alerts": "\n".join(ear.heard),
    }
    return app, ids, said


PAGES = ("", "jobs", "jobs?status=dead", "dead", "dead?all=1", "limits", "workflows", "cost")
ENDPOINTS = (
    "api/jobs?limit=100",
    "api/admin/dlq?limit=100",
    "api/admin/dlq/groups",
    "api/v1/jobs/queues/tasks/failed",
    "api/stats",
    "api/alerts",
    "api/sla",
    "metrics",
)


def read_all(api: Client, ids: list[str]) -> dict[str, str]:
    paths = [*PAGES, *ENDPOINTS]
    for one in ids:
        paths += [f"jobs/{one}", f"api/jobs/{one}", f"api/jobs/{one}/logs", f"api/jobs/{one}/progress"]
    paths += [f"dead/{one['fingerprint']}" for one in api.get("/api/admin/dlq/groups").json["groups"]]
    return {path: api.get(f"/{path}", Accept="text/html" if path in PAGES else "*/*").text for path in paths}


def test_a_canary_is_told_nowhere_and_each_failure_has_its_type(
    told: tuple[App, list[str], dict[str, str]],
) -> None:
    app, ids, said = told
    here = CANARY.partition("@")[0]

    assert [where for where, text in said.items() if here in text or not text] == []
    types = {one.error_type for one in map(app.get, ids) if one.state is State.DEAD}
    assert types >= {"CanaryError", "Discard", "KeyError", "ValueError", "ValidationError", "JSONDecodeError"}
    assert types >= {"ExceptionGroup", "RuntimeError", "BaseException", "OSError", "RetryAfter", None}
    assert all(f'"errorType":"{one}"' in said["bus"] for one in types if one is not None)


def test_a_canary_is_read_by_nobody_who_may_not_read_payloads(
    told: tuple[App, list[str], dict[str, str]],
) -> None:
    app, ids, _ = told
    here = CANARY.partition("@")[0]

    read = read_all(a_client(app).as_(Role.VIEWER), ids)

    assert [path for path, text in read.items() if here in text] == []
    assert all(text and '"status":4' not in text for text in read.values())
    assert json.loads(read["api/jobs/raises-2"])["error"] == "CanaryError: no mailbox •••"
    assert json.loads(read["api/jobs/key-16"])["error"] == "KeyError: '•••'"
    assert "JSONDecodeError" in read["api/jobs?limit=100"]


def test_an_admin_reads_all_but_what_pydantic_was_given(told: tuple[App, list[str], dict[str, str]]) -> None:
    app, ids, _ = told
    read = read_all(a_client(app).as_(Role.ADMIN), ids)
    by_way = {one.partition("-")[0]: f"api/jobs/{one}" for one in ids}

    assert all(CANARY in read[by_way[way]] for way in ("raises", "discards", "key", "number", "noted", "caused"))
    assert not any(CANARY in app.get(one).error for one in ids if one.startswith("pydantic"))  # type: ignore[operator]
