"""Commands about webhooks: secret, list, redeliver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lanework.cli.connect import connected, signing_keys
from lanework.cli.options import AsJson, Cursor, group, limit_option
from lanework.cli.output import answer, out, print_json, say, say_more, table_of
from lanework.cli.param_types import job_id as existing
from lanework.cli.times import stamp
from lanework.engine.jobtypes.builtin import WEBHOOK
from lanework.engine.queries.job_view import as_json as job_json
from lanework.engine.webhooks.notify import ABOUT
from lanework.engine.webhooks.signature import secrets_of
from lanework.local.webhook_secret import new_secret
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.webhooks import checked_webhook, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Sequence

app = group("webhooks", "Webhooks: the signing secret, deliveries, redelivery.")


@app.command()
def secret(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="An address: show the secret that its receiver checks with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Show the secret of one receiver, which is derived from the stack's; without an address, make one for a stack.

    Messages to an address are signed for it alone: no receiver can sign for another. Two are shown while the stack's
    secret is being changed; either will do. What is made here for a stack nothing else knows.

    Examples: lanework webhooks secret https://hooks.example.com/lanework · lanework webhooks secret
    """
    if url is not None:
        _show_secrets(url, secrets_of(checked_webhook(url), signing_keys()), as_json=as_json)
        return
    made = new_secret()
    if as_json:
        print_json({"secret": made})
        return
    say(
        "for the SSM parameter that WebhookSecretParameter names; receivers get their own: give this command an address"
    )
    out().print(made, markup=False, soft_wrap=True)


def _show_secrets(url: str, secrets: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"endpoint": endpoint_of(url), "secrets": secrets, "secret": secrets[-1]})
        return
    say(f"for the receiver at {endpoint_of(url)}:")
    for one in secrets:
        out().print(one, markup=False, soft_wrap=True)


@app.command("list")
def list_(
    limit: Annotated[int, limit_option("deliveries of a page")] = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List deliveries, newest first; each is a job, so `lanework get ID` says more."""
    page = connected().inspector.page(type_=WEBHOOK, queue=QUEUE_OF_OURS, limit=limit, cursor=cursor)
    if as_json:
        print_json({"deliveries": [job_json(one) for one in page.jobs], "cursor": page.cursor})
        return
    columns = ("id", "of job", "state", "attempts", "error", "created")
    rows = (
        (one.job_id, dict(one.headers).get(ABOUT), one.state, one.attempts, one.error, stamp(one.created_at))
        for one in page.jobs
    )
    out().print(table_of(columns, rows))
    say_more(page.cursor)


@app.command()
def redeliver(
    job_id: Annotated[str, typer.Argument(metavar="ID", parser=existing, help="The job that completed or died.")],
    url: Annotated[str | None, typer.Option(help="Another address than the job's.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    Send the webhook of a job's end once more: the same event with the same id, so that a receiver can recognise it.

    Example: lanework webhooks redeliver payment-42
    """
    receipt = connected(changes=True).runtime.webhooks.redeliver(job_id, url=url)
    answer({"jobId": job_id, "delivery": receipt.job_id}, f"{job_id}: on its way as {receipt.job_id}", as_json=as_json)
