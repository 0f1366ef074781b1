"""Sessions for an emulator, LocalStack's own way: its endpoint and its credentials for every service."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.config import Config
from localstack_client.session import Session

REGION = "eu-west-1"


def session_for(endpoint: str, *, attempts: int = 5) -> Any:
    """Return a session whose clients reach the emulator, as often as `attempts` says; what makes them has no types."""
    session = Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=REGION,
        localstack_host=endpoint.removeprefix("http://"),
    )
    config = Config(retries={"total_max_attempts": attempts})
    return SimpleNamespace(client=partial(session.client, config=config))
