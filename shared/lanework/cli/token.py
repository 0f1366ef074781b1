"""Commands about the API's tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from lanework.cli.options import AsJson, group
from lanework.cli.output import out, print_json, say
from lanework.http.auth.tokens import Role, checked_scope, hash_of, new_token, role_of

app = group("token", "Tokens for the HTTP API.")


@app.callback()
def _group() -> None:
    """Keep `token` a group, though it has one command only."""


@app.command()
def new(
    role: Annotated[
        str, typer.Option(help="What it may do: viewer (read), producer (and enqueue), admin (everything).")
    ] = Role.VIEWER.value,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Of a producer: only this job type, or 'email.*'; repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Make a token, and print it with the hash to keep. It can't be shown again.

    Example: lanework token new --role producer --type 'email.*'
    """
    its_role = role_of(role)
    scope = checked_scope(its_role, types or ())
    token = new_token(its_role)
    entry = ":".join([its_role, *(["+".join(scope)] if scope else []), hash_of(token)])
    if as_json:
        print_json({"token": token, "role": its_role, "entry": entry})
        return
    say("the token, for whoever calls the API (Authorization: Bearer …); it is shown this once:")
    out().print(token, markup=False, soft_wrap=True)
    say("what the API keeps: add it to the parameter ApiTokens, or to the SSM parameter that ApiTokensParameter names:")
    out().print(entry, markup=False, soft_wrap=True)
