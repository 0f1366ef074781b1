"""`lanework webhooks`, on a stack that the AWS variables name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lanework import App
from lanework.engine.execution.attempt import in_order
from lanework.engine.messaging.delivery import Delivery
from lanework.engine.webhooks.signature import secrets_in, secrets_of
from lanework.errors import LaneworkError
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import LANES, Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.commands import said
from tests.support.small_world import Greeting, World, a_world

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["a_world"]

URL = "https://hooks.example.com/lanework"


@pytest.fixture
def lanework(stack: str, world: World) -> Callable[..., str]:  # noqa: ARG001 - it is there
    """Let the application be on a stack, and run a command there; return what it printed."""
    world.app.use(aws_ports(Settings.from_env()))
    return lambda *words: said("webhooks", *words)


def complete(app: App, job_id: str) -> None:
    """Run a job to its end, as its worker would."""
    record = app.get(job_id)
    body = record.payload or "{}"
    message = Envelope.of(record, body).encode()
    delivery = Delivery(body=message, lane=Lane.HIGH, time_left=LANES[Lane.HIGH].timeout)
    app.runtime.executor(in_order).execute(delivery)


def test_a_secret_is_one_that_webhooks_can_be_signed_with(lanework: Callable[..., str]) -> None:
    made = json.loads(lanework("secret", "--json"))["secret"]

    assert len(secrets_in(made)[0]) == 32
    assert lanework("secret").strip().splitlines()[-1] != made


def test_a_receiver_is_shown_the_secret_that_its_own_messages_are_signed_with(
    lanework: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (json.loads(lanework("secret", "--json"))["secret"] for _ in range(2))
    monkeypatch.setenv("LANEWORK_WEBHOOK_SECRET", new)

    shown = json.loads(lanework("secret", f"{URL}?token=1", "--json"))
    assert shown == {
        "endpoint": "https://hooks.example.com:443/lanework",
        "secrets": list(secrets_of(URL, secrets_in(new))),
        "secret": secrets_of(URL, secrets_in(new))[0],
    }
    assert shown["secret"] in lanework("secret", URL)
    assert new not in lanework("secret", URL)
    monkeypatch.setenv("LANEWORK_WEBHOOK_SECRET", f"{old} {new}")
    assert len(json.loads(lanework("secret", URL, "--json"))["secrets"]) == 2


def test_without_a_secret_of_the_stack_no_receiver_has_one(lanework: Callable[..., str]) -> None:
    with pytest.raises(LaneworkError, match="no secret to sign webhooks with"):
        lanework("secret", URL)
    with pytest.raises(LaneworkError, match="an https:// address"):
        lanework("secret", "http://hooks.example.com/")


def test_deliveries_are_listed_and_sent_once_more(lanework: Callable[..., str], world: World) -> None:
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", webhook=URL)
    complete(world.app, "job-1")

    (first,) = json.loads(lanework("list", "--json"))["deliveries"]
    assert (first["type"], first["status"], first["correlationId"]) == ("lanework.webhook", "queued", "job-1")
    assert "job-1" in lanework("list")
    again = json.loads(lanework("redeliver", "job-1", "--json"))
    assert again["jobId"] == "job-1"
    assert again["delivery"] != first["jobId"]
    assert "job-1: on its way as webhook-" in lanework("redeliver", "job-1", "--url", "https://other.example.com")
    assert len(json.loads(lanework("list", "--json"))["deliveries"]) == 3


def test_what_can_not_be_sent_once_more_says_why(lanework: Callable[..., str], world: World) -> None:
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1")
    with pytest.raises(LaneworkError, match="is queued: webhooks are sent for completions and deaths"):
        lanework("redeliver", "job-1")

    complete(world.app, "job-1")

    with pytest.raises(LaneworkError, match="has no webhook: give its address"):
        lanework("redeliver", "job-1")
