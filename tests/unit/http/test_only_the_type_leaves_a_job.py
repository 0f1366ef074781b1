"""
A canary in every place that a job's words can come from, and every place that they may not come to.

What a payload keeps private, and what a job says when it ends, stays with the job: logs, metrics, events on the bus,
webhooks and alerts have the type of its error alone, and a viewer reads no private value, whatever quotes it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from aws_lambda_powertools import Logger
from pydantic import BaseModel, ValidationError, field_validator

from lanework import App, Cancel, Discard, Jobs, Public, RetryAfter, Run, Snooze, State
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.ports.webhooks import Webhooks
from lanework.engine.stats.view import Alert as AlertView
from lanework.engine.webhooks.notify import WebhookPayload
from lanework.http.auth.tokens import Role
from lanework.model.events import Action
from lanework.model.job.job_event_document import notice_of, notice_of_end
from lanework.model.job.validation_errors import MASK
from lanework.model.lifecycle.states import ENDED
from lanework.model.stats.alerts import Alert
from lanework.observe.emf import EmfSink
from lanework.observe.logs import LogSink
from lanework.testing import Clock, app_in_memory, drain
from tests.support.gateway import Client, a_client

WORDS = {"address": "canary.4711@example.com", "word": "ZEBRA9981"}
"""An address is masked wherever it stands; a word only where it is known to be private."""

LONG = 1_100
NOTHING: dict[str, str] = {}
SECOND = timedelta(seconds=1)


class Secret(BaseModel):
    """A payload of which one field may be told."""

    way: Public[str]
    secret: str
    filling: str = ""


class Card(BaseModel):
    """What some jobs read."""

    number: int
    pins: dict[str, int] = {}
    name: str = ""

    @field_validator("name")
    @classmethod
    def _refuse(cls, name: str) -> str:
        msg = f"{name[:5].lower()} is no name: {name}"
        raise ValueError(msg)


class LostError(Exception):
    """An error of a job's own."""


def _noted(word: str) -> None:
    error = LostError("lost")
    error.add_note(f"was it {word}")
    raise error


def _caused(word: str) -> None:
    try:
        NOTHING[word]
    except KeyError as error:
        msg = "lost"
        raise LostError(msg) from error


def _handled(word: str) -> None:
    try:
        int(word)
    except ValueError:
        raise LostError  # noqa: B904 - what is handled is told, too


def _grouped(word: str) -> None:
    raise ExceptionGroup("both", [LostError(word), ValueError(word)])


def _pydantic(word: str) -> None:
    Card.model_validate({"number": word, "pins": {word: word}, "name": word})


def _pydantic_as_text(word: str) -> None:
    try:
        _pydantic(word)
    except ValueError as error:
        msg = f"lost: {error}"
        raise LostError(msg) from None


def _pydantic_as_list(word: str) -> None:
    try:
        _pydantic(word)
    except ValidationError as error:
        raise LostError(error.errors()) from None


def _raise(make: Callable[[str], BaseException]) -> Callable[[str], None]:
    def call(word: str) -> None:
        raise make(word)

    return call


WAYS: dict[str, Callable[[str], object]] = {
    "returns": lambda word: {"sent": word, word: [word]},
    "returns_cut_off": lambda word: ["…" * 1_000, f"{word[:6]}…"],
    "raises": _raise(lambda word: LostError(f"no mailbox {word}")),
    "raises_at_length": _raise(lambda word: LostError("x" * 481 + word)),
    "raises_bytes": _raise(lambda word: LostError(word[:5].encode(), bytearray(word[:5].encode()))),
    "raises_lines": _raise(lambda word: LostError(f"no '{word[:5]}\n{word[:5]}' and no «{word[:5]}»")),
    "discards": _raise(lambda word: Discard(f"no mailbox {word}")),
    "discards_like_a_type": _raise(lambda word: Discard(f"{word}: no mailbox")),
    "cancels": _raise(lambda word: Cancel(f"no mailbox {word}")),
    "retries": _raise(lambda word: RetryAfter(SECOND, reason=word)),
    "snoozes": _raise(lambda _: Snooze(SECOND)),
    "key": lambda word: NOTHING[word],
    "number": int,
    "json": lambda word: json.loads(f'{{"{word}": '),
    "bytes": lambda word: word.encode().join([b"", b"\xff"]).decode(),
    "pydantic": _pydantic,
    "pydantic_as_text": _pydantic_as_text,
    "pydantic_as_list": _pydantic_as_list,
    "noted": _noted,
    "caused": _caused,
    "handled": _handled,
    "grouped": _grouped,
    "exits": _raise(SystemExit),
    "library": _raise(BaseException),  # no Exception
    "nameless": _raise(lambda word: type(f"Error {word}", (OSError,), {})(word)),
    "unwritable": lambda word: {"sent": object(), "to": word},
    "unwritable_key": lambda word: {(word, 1): object()},
}

tasks = Jobs(queue="tasks", lane="high", attempts=2)


@tasks.job("task.sync")
def end(secret: Secret, run: Run) -> object:
    run.log(f"to {secret.secret}")
    run.progress(50, f"to {secret.secret}")
    run.once("step", lambda: secret.secret)
    return WAYS[secret.way](secret.secret)


@tasks.job("task.async")
async def end_later(secret: Secret, run: Run) -> object:
    run.log(f"to {secret.secret}")
    await asyncio.sleep(0)
    return WAYS[secret.way](secret.secret)


@tasks.job("task.signal")
def wait(_: Secret, run: Run) -> None:
    raise LostError(run.wait_for("address", timeout=SECOND))


@tasks.job("task.stubborn", attempts=1, version=2)
def never(_: Secret) -> None:
    """Never run, of a newer version than its worker."""


class Ear:
    """A channel of alerts."""

    name = "ear"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def notify(self, alert: Alert) -> None:
        self.heard.append(json.dumps(AlertView.of(alert).to_json()))


def everything_has_ended(app: App, clock: Clock, word: str) -> list[str]:
    """Run a job for each way, alone and beside the event loop, with its payload in the record and apart; their ids."""
    ids: list[str] = []
    for way in WAYS:
        for job, filling in ((end, ""), (end_later, "x" * LONG)):
            ids.append(f"{way}-{len(ids)}")
            payload = {"way": way, "secret": word, "filling": filling}
            job.enqueue(payload, job_id=ids[-1], webhook="https://hooks.example.com")
    wait.enqueue({"way": "signal", "secret": word}, job_id="signal")
    app.signal("signal", "address", word)
    end.enqueue({"way": "late", "secret": word}, job_id="expired", start_by=SECOND)
    clock.advance(2 * SECOND)
    end.enqueue({"way": "returns", "secret": "none"}, job_id="after", after=[at("raises")], on_failure="die")
    end.enqueue({"way": "raises", "secret": word}, job_id="edited", attempts=1)
    drain(app)
    app.dead_letters.redrive_job("edited", payload='{"way":"json","secret":"other"}')
    for _ in range(6):
        drain(app)
        clock.advance(5 * SECOND)
    return [*ids, "signal", "expired", "after", "edited"]


def at(way: str) -> str:
    """Return the id of the job that ends so."""
    return f"{way}-{2 * list(WAYS).index(way)}"


@pytest.fixture(name="word", params=WORDS)
def a_word(request: pytest.FixtureRequest) -> str:
    return WORDS[request.param]


@pytest.fixture(name="told")
def what_was_told(
    word: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> tuple[App, list[str], dict[str, str]]:
    clock, lines, ear = Clock(), StringIO(), Ear()
    app = app_in_memory(App(tasks), clock)
    app.use(replace(app.ports, webhooks=Webhooks(stack="shop", webhook="https://hooks.example.com")))
    logger = Logger(service=f"shop-{len(word)}", level="DEBUG", location=None, stream=lines)
    app.runtime.observe(LogSink(logger), EmfSink("shop"))
    app.on_event(lambda event: _raise(LostError)(str(event.error)))
    with caplog.at_level(logging.DEBUG):
        ids = everything_has_ended(app, clock, word)
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
    told: tuple[App, list[str], dict[str, str]], word: str
) -> None:
    app, ids, said = told
    here = word.partition("@")[0]

    assert [where for where, text in said.items() if here in text or not text] == []
    types = {one.error_type for one in map(app.get, ids) if one.state is State.DEAD}
    assert types >= {"LostError", "Discard", "KeyError", "ValueError", "ValidationError", "JSONDecodeError"}
    assert types >= {"ExceptionGroup", "RuntimeError", "BaseException", "OSError", "RetryAfter", None}
    assert all(f'"errorType":"{one}"' in said["bus"] for one in types if one is not None)


def test_a_canary_is_read_by_nobody_who_may_not_read_payloads(
    told: tuple[App, list[str], dict[str, str]], word: str
) -> None:
    app, ids, _ = told
    here = word.partition("@")[0][:5]

    read = read_all(a_client(app).as_(Role.VIEWER), ids)

    assert [path for path, text in read.items() if here.lower() in text.lower()] == []
    assert all(text and not re.search(r'"status":[45]', text) for text in read.values())
    assert json.loads(read[f"api/jobs/{at('raises')}"])["error"] == "LostError: no mailbox •••"
    assert json.loads(read[f"api/jobs/{at('key')}"])["error"] == "KeyError: '•••'"
    assert json.loads(read["api/jobs/after"])["error"] == f"'{MASK}', which it waits for, has not completed: LostError"
    assert "JSONDecodeError" in read["api/jobs?limit=100"]


def test_an_admin_reads_all_but_what_pydantic_was_given(told: tuple[App, list[str], dict[str, str]], word: str) -> None:
    app, ids, _ = told
    read = read_all(a_client(app).as_(Role.ADMIN), ids)

    for way in ("raises", "discards", "key", "number", "noted", "caused"):
        assert word in read[f"api/jobs/{at(way)}"]
    for way in ("pydantic", "pydantic_as_text", "pydantic_as_list"):
        assert word[:5].lower() not in str(app.get(at(way)).error).lower()
        assert "Card" in str(app.get(at(way)).error) or way == "pydantic_as_list"
