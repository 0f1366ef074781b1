"""What the embedded stack signs webhooks with."""

from __future__ import annotations

from base64 import b64encode
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from lanework.engine.webhooks.signature import PREFIX

if TYPE_CHECKING:
    from lanework.local.clients import Clients

PARAMETER: Final = "/lanework/webhook-secret"


def new_secret() -> str:
    """Return a new secret."""
    return f"{PREFIX}{b64encode(token_bytes(32)).decode()}"


def kept_secret(clients: Clients) -> str:
    """Return the embedded stack's own secret; made when there is none."""
    ssm = clients.ssm
    try:
        return ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        made = new_secret()
        ssm.put_parameter(Name=PARAMETER, Value=made, Type="SecureString")
        return made
