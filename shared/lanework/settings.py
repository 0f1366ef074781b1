"""The only module that reads the environment: once, into a frozen value."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lanework.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(BaseModel):
    """
    Where an application's stack is.

    Attributes:
        stack: Name of the CloudFormation stack; every queue and table name follows from it (`LANEWORK_STACK`).
        region: AWS region (`AWS_REGION`, else `AWS_DEFAULT_REGION`).
        endpoint: Another endpoint than AWS's, such as an emulator's (`AWS_ENDPOINT_URL`).
        account: The account's id, in queue addresses (`LANEWORK_ACCOUNT`); None asks STS once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,47}$")
    region: str = Field(min_length=1)
    endpoint: str | None = None
    account: str | None = Field(default=None, pattern=r"^\d{12}$")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """
        Read the environment.

        Args:
            environ: What to read; the process's environment by default.

        Raises:
            ConfigError: Something is missing or malformed; the message names the variable.
        """
        env = os.environ if environ is None else environ
        values = {
            "stack": env.get("LANEWORK_STACK"),
            "region": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
            "endpoint": env.get("AWS_ENDPOINT_URL") or None,
            "account": env.get("LANEWORK_ACCOUNT") or None,
        }
        missing = [_VARIABLES[name] for name in ("stack", "region") if not values[name]]
        if missing:
            msg = f"set {' and '.join(missing)}, or start the embedded stack with `lanework dev`"
            raise ConfigError(msg)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(f"{_VARIABLES[str(one['loc'][0])]}: {one['msg']}" for one in error.errors())
            raise ConfigError(problems) from None


_VARIABLES = {
    "stack": "LANEWORK_STACK (the stack's name, such as shop-prod)",
    "region": "AWS_REGION",
    "endpoint": "AWS_ENDPOINT_URL",
    "account": "LANEWORK_ACCOUNT",
}
