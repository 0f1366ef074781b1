"""`ops.alert`: Lanework's own alerts as mails, where the template's parameter AlertJob names this job type."""

from collections.abc import Callable

from jobs.email.family import IN_VAIN, urgent
from jobs.email.notice import JobEventDocument, send_notice
from jobs.mail import Send, send_mail
from jobs.payloads import OneLine, Payload, Text, Title
from jobs.settings import OperationsSettings, operations_settings
from lanework import Discard, Public, Run


class StackAlert(Payload):
    """
    An alert that was raised, or that is over; the fields are Lanework's.

    Attributes:
        phase: `raised` or `resolved`.
        rule: Which rule found it.
        title, text: In a few words, and in a sentence.
        next_step: What to type.
    """

    phase: Public[Title]
    rule: Public[Title]
    title: Title
    text: Text
    next_step: OneLine = ""


@urgent.job("ops.alert", lane="critical", attempts=5, discard_on=IN_VAIN)
def tell_operations(
    alert: StackAlert,
    run: Run,
    *,
    send: Send = send_mail,
    settings: Callable[[], OperationsSettings] = operations_settings,
) -> None:
    """Mail an alert to whoever looks after the application."""
    to = settings().email
    if not to:
        reason = "OPS_EMAIL is not set: nobody gets alerts"
        raise Discard(reason)
    facts = {"Rule": alert.rule, "Phase": alert.phase, "Next": alert.next_step}
    send_notice(to, JobEventDocument(subject=f"[Lanework] {alert.title}", lines=(alert.text,), facts=facts), run, send)
