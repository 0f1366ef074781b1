"""The family `notification`: text messages and push notifications, ten at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from jobs.gateways import Gateway, GatewayRefusedError, gateway
from jobs.payloads import Id, Payload, Text, Title
from lanework import Jobs, Public, Run

notification = Jobs(
    queue="notification",
    lane="medium",
    attempts=3,
    timeout=timedelta(seconds=15),
    concurrency=10,
    keep_completed=100,
    keep_failed=500,
)

IN_VAIN = (GatewayRefusedError,)
LONGEST_SMS = 1_600


class Sms(Payload):
    """
    A text message.

    Attributes:
        to: A number as E.164 writes it: `+97699112233`.
        text: Up to 1,600 characters, ten messages' worth.
    """

    to: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
    text: Annotated[Text, Field(max_length=LONGEST_SMS)]


class Push(Payload):
    """
    A push notification.

    Attributes:
        user_id: On whose devices.
        title: A single line.
        body: Up to 1,000 characters.
        topic: What it is about; may be logged.
    """

    user_id: Id
    title: Title
    body: Annotated[Text, Field(max_length=1_000)]
    topic: Public[str] = "general"


@notification.job("sms.send", discard_on=IN_VAIN)
def send_sms(sms: Sms, run: Run, *, to: Callable[[str], Gateway] = gateway) -> None:
    """Send a text message; the job's id lets the other side tell a repetition."""
    to("sms").post({"to": sms.to, "text": sms.text}, key=run.job_id)


@notification.job("push.send", discard_on=IN_VAIN)
def send_push(push: Push, run: Run, *, to: Callable[[str], Gateway] = gateway) -> None:
    """Send a push notification; the job's id lets the other side tell a repetition."""
    body = {"userId": push.user_id, "title": push.title, "body": push.body, "topic": push.topic}
    to("push").post(body, key=run.job_id)
