"""What pages suppose: the code of an application that they don't show. A page that supposes nothing has no entry."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import BaseModel
from sqlalchemy import NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from jobs import app as example
from lanework import Jobs, Middleware, Public, QuotaExceededError, Run, SignalTimeoutError, State, WorkflowState
from lanework.memory import MemoryLedger
from lanework.model.lifecycle.states import Cause
from lanework.testing import NOON, Clock, Notes, a_run, app_in_memory, drain, sweep
from tests.support.factories import a_record
from tests.support.fakes import break_ports
from tests.unit.docs.pages import blocks_of

Names = dict[str, Any]


class Order(BaseModel):
    """Payload of examples."""

    amount: int = 5
    customer_id: str = "customer-1"


class Nothing(BaseModel):
    """Payload of examples."""


class User(BaseModel):
    """Payload of examples."""

    user_id: str = "user-1"
    page: str = "/"


class Doubled(Exception):  # noqa: N818 - an error of an example
    """Raised by nobody."""


def _nothing(*_: Any, **__: Any) -> None: ...


@contextmanager
def _scope(*_: Any) -> Iterator[Any]:
    yield SimpleNamespace(set_tag=_nothing, set_context=_nothing)


def _readme() -> Names:
    return {"Payload": BaseModel, "Public": Public, "Run": Run, "demo": Jobs(queue="demo"), "a_run": a_run}


def _dead_letters() -> Names:
    app_in_memory(example, Clock())
    ledger = example.ports.ledger
    assert isinstance(ledger, MemoryLedger)
    for number in (1, 2, 3):
        died = NOON - timedelta(minutes=10 - number)
        record = a_record(job_id=f"order-{number}", type="demo.doomed", state=State.DEAD, created_at=died)
        ledger.records[record.job_id] = replace(
            record, ended_at=died, sweep_at=died, cause=Cause.EXHAUSTED, error="OnPurposeError: no route to host"
        )
    return {}


def _events() -> Names:
    sentry = SimpleNamespace(new_scope=_scope, capture_exception=_nothing, capture_message=_nothing)
    return {"Jobs": Jobs, "App": type(example), "Order": Order, "order": Order(), "sentry_sdk": sentry}


def _limits() -> Names:
    reports, search = Jobs(queue="reports"), Jobs(queue="search")
    return {"Order": Order, "Report": User, "Page": User, "reports": reports, "search": search, "order": Order()}


def _middleware() -> Names:
    metrics = SimpleNamespace(count=_nothing, timer=_scope)
    request_id = ContextVar("request_id", default=str(uuid.uuid4()))
    logger = Logger(service="docs", level=logging.ERROR)
    families = {"email": Jobs(queue="email"), "payments": Jobs(queue="payments")}
    return {"metrics": metrics, "request_id": request_id, "logger": logger, **families}


def _schedules() -> Names:
    return {
        "App": type(example),
        "cleanup": Jobs(queue="cleanup"),
        "stock": Jobs(queue="stock"),
        "ExpiredTokens": Nothing,
        "Nothing": Nothing,
        "Run": Run,
        "timedelta": timedelta,
    }


def _steps() -> Names:
    return {
        "orders": Jobs(queue="orders"),
        "App": type(example),
        "ask_an_agent": _nothing,
        "gateway": SimpleNamespace(refund=lambda _, *, idempotency_key: "paid" if idempotency_key else None),
        "clock": Clock(),
        "app_in_memory": app_in_memory,
        "timedelta": timedelta,
        **{one.__name__: one for one in (Order, Run, SignalTimeoutError, Notes, a_run, drain, sweep)},
    }


def _transactions() -> Names:
    folder = TemporaryDirectory()
    return {
        "folder": folder,
        "engine": create_engine(f"sqlite:///{folder.name}/shop.db"),
        "async_engine": create_async_engine(f"sqlite+aiosqlite:///{folder.name}/shop.db", poolclass=NullPool),
        "AsyncSession": AsyncSession,
        "drain": drain,
    }


def _frameworks() -> Names:
    folder = TemporaryDirectory()
    return {
        "folder": folder,
        "engine": create_async_engine(f"sqlite+aiosqlite:///{folder.name}/shop.db", poolclass=NullPool),
        "engine_of_a_migration": create_engine(f"sqlite:///{folder.name}/shop.db"),
    }


def _schemas() -> Names:
    folder = TemporaryDirectory()
    (shown,) = (block for block in blocks_of("docs/schemas.md") if block.language == "json")
    Path(folder.name, "jobs.schema.json").write_text(shown.text)
    return {"folder": folder, "__file__": f"{folder.name}/app.py", "own_family": Jobs(queue="own")}


def _writing_jobs() -> Names:
    class Table(BaseModel):
        name: str

    def count_rows(table: Table, run: Run, *, read: Callable[[str], list[str]]) -> int:
        run.progress(50, "reading")
        return len(read(table.name))

    other = {"address": "other@example.com", "provider": "github"}
    return {
        "signin": {"address": "bat@example.com", "provider": "github"},
        "other": other,
        "payments": Jobs(queue="payments"),
        "users": Jobs(queue="users"),
        "CardDeclinedError": Doubled,
        "warehouse_has": bool,
        "gateway": SimpleNamespace(capture=lambda *_, **__: "captured"),
        **{one.__name__: one for one in (Order, User, Table, count_rows)},
    }


GIVEN: dict[str, Callable[[], Names]] = {
    "README.md": _readme,
    "docs/dead-letters.md": _dead_letters,
    "docs/events.md": _events,
    "docs/frameworks.md": _frameworks,
    "docs/limits.md": _limits,
    "docs/middleware.md": _middleware,
    "docs/observability.md": lambda: {"BaseModel": BaseModel, "ops": Jobs(queue="ops"), "send_email": _nothing},
    "docs/retention.md": lambda: {"Jobs": Jobs},
    "docs/schedules.md": _schedules,
    "docs/schemas.md": _schemas,
    "docs/steps.md": _steps,
    "docs/transactions.md": _transactions,
    "docs/worker.md": lambda: {"reports": Jobs(queue="reports"), "Report": User, "timedelta": timedelta},
    "docs/writing-jobs.md": _writing_jobs,
}


def check_readme(names: Names) -> None:
    """Look at what the README's job has done."""
    drain(names["app"])
    record = names["app"].get("welcome-42")
    assert (record.state, record.result) == (State.COMPLETED, '"welcomed a free user"')


def check_steps(names: Names) -> None:
    """Look at what the refund has come to."""
    record = names["app"].get("refund-42")
    assert (record.state, record.result) == (State.COMPLETED, '"paid"')


def check_transactions(names: Names) -> None:
    """Look at whether what was committed left its rows, and take the database away."""
    assert names["outbox"].relay(names["engine"]).sent == 0
    names["engine"].dispose()
    names["folder"].cleanup()


def check_schemas(names: Names) -> None:
    """Take the document away."""
    names["folder"].cleanup()


def check_workflows(names: Names) -> None:
    """Look at what has come of each recipe."""
    app = names["app"]
    drain(app)
    assert [app.get(one).state for one in ("both", "bottom", "visits-today.2")] == [State.COMPLETED] * 3
    done = {one: app.workflows.get(one).record.state for one in ("visits-today", "etl", "crawl", "tidy", "site")}
    assert set(done.values()) == {WorkflowState.COMPLETED}
    assert app.get("crawl.on-success").result == str(sum(len(f"https://example.com/{n}") for n in range(1_000)))
    assert app.get("tidy.on-complete").state is State.COMPLETED
    assert app.get("tidy.on-failure").state is State.CANCELLED
    assert app.workflows.get("site").counts.completed == 1 + 3 + 3  # what is found twice runs once


def check_events(names: Names) -> None:
    """Look at whether a receiver that is written as shown knows its webhooks."""
    assert issubclass(names["Sentry"], Middleware)


def check_frameworks(names: Names) -> None:
    """Ask the page's applications for what it says of them."""
    from fastapi.testclient import TestClient  # noqa: PLC0415 - for this page
    from werkzeug.test import Client  # noqa: PLC0415

    app = names["app"]
    app_in_memory(app, Clock())
    names["Base"].metadata.create_all(names["engine_of_a_migration"])
    bat, nobody = {"address": "bat@example.com", "name": "Bat"}, {"address": "nobody"}
    api: Any
    site: Any
    flask, wsgi = Client(names["shop"]), Client(names["wsgi"])
    with TestClient(names["api"]) as api, TestClient(names["site"]) as site:
        asked = [api.post("/welcomes", json=bat), api.post("/teams", json=[bat] * 3), api.post("/visits", json=bat)]
        asked += [site.post("/welcomes", json=bat), api.post("/users", json=bat)]
        accepted = [one.status_code for one in asked] + [
            one.post("/welcomes", json=bat).status_code for one in (flask, wsgi)
        ]
        refused = [
            *(one.post("/welcomes", json=nobody).status_code for one in (api, site, flask, wsgi)),
            api.post("/welcomes", json=bat, headers={"Idempotency-Key": "a b"}).status_code,
            api.post("/teams", json=[bat, nobody]).status_code,
        ]
        garbage = {
            post("/welcomes", headers={"Content-Type": "application/json"}, **{name: body}).status_code
            for post, name in ((api.post, "content"), (site.post, "content"), (flask.post, "data"), (wsgi.post, "data"))
            for body in (b"[", b"[]", b"3", b"null", b'"x"', b"\xff", b"")
        }
        keyed = [api.post("/welcomes", json={**bat, "name": name}, headers={"Idempotency-Key": "a"}) for name in "AAB"]
        unknown = [one.get("/welcomes/none").status_code for one in (api, flask)]
        jobs = len(app.inspector.page().jobs)
        ledger, lanes = break_ports(app)
        ledger.broken, lanes.broken = {"put", "put_many"}, {"send", "send_many"}
        away = [one.post("/welcomes", json=bat).status_code for one in (api, site, flask, wsgi)]
        away.append(api.post("/teams", json=[bat]).status_code)

    assert (accepted, refused, unknown, away) == ([202] * 4 + [201] + [202] * 2, [422] * 6, [404] * 2, [503] * 5)
    assert garbage <= {400, 422}
    assert [one.status_code for one in keyed] == [202, 202, 409]
    assert jobs == 1 + 3 + 1 + 1 + 1 + 1 + 1 + 1
    names["engine_of_a_migration"].dispose()
    names["folder"].cleanup()
    error = QuotaExceededError("quota:email", n=10, per=timedelta(hours=1), retry_at=NOON)
    answer = asyncio.run(names["too_many"](None, error))
    assert (answer.status_code, parsedate_to_datetime(answer.headers["Retry-After"])) == (429, NOON)


CHECKS: dict[str, Callable[[Names], None]] = {
    "README.md": check_readme,
    "docs/events.md": check_events,
    "docs/frameworks.md": check_frameworks,
    "docs/steps.md": check_steps,
    "docs/schemas.md": check_schemas,
    "docs/transactions.md": check_transactions,
    "docs/workflows.md": check_workflows,
}
"""What pages promise beside what their code itself says."""
