"""The only module that reads the environment: once, into a frozen value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
        look_ahead_s: What is due within so many seconds is held by SQS, the rest by the sweep; 1 to 900
            (`LANEWORK_LOOK_AHEAD`).
        archive_bucket: S3 bucket for jobs whose records are to expire (`LANEWORK_ARCHIVE_BUCKET`); None keeps none.
        webhook: Address of webhooks for jobs that name none (`LANEWORK_WEBHOOK`).
        webhook_parameter: SSM parameter that holds that address instead (`LANEWORK_WEBHOOK_PARAMETER`): it may hold a
            token.
        webhook_secret: What webhooks are signed with (`LANEWORK_WEBHOOK_SECRET`).
        webhook_secret_parameter: SSM parameter that holds it instead (`LANEWORK_WEBHOOK_SECRET_PARAMETER`).
        webhooks_to_private: Webhooks may go to this machine and other private addresses; for development
            (`LANEWORK_WEBHOOKS_TO_PRIVATE`, true or false).
        account: The account's id, in queue addresses (`LANEWORK_ACCOUNT`); None asks STS once.
        is_embedded: It is the embedded stack that runs in the folder of this process: no credentials and no proxy of
            the user's are for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,47}$")
    region: str = Field(min_length=1)
    endpoint: str | None = None
    look_ahead_s: int = Field(default=900, ge=1, le=900)
    archive_bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    webhook: str | None = None
    webhook_parameter: str | None = None
    webhook_secret: str | None = Field(default=None, repr=False)
    webhook_secret_parameter: str | None = None
    webhooks_to_private: bool = False
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    is_embedded: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """
        Read the environment; if it names no stack, find the embedded one that runs in the working directory or above.

        Args:
            environ: What to read; the process's environment by default.

        Raises:
            ConfigError: Something is missing or malformed; the message names the variable.
        """
        env = os.environ if environ is None else environ
        if environ is None and not env.get("LANEWORK_STACK"):
            from lanework.embedded import running_at  # noqa: PLC0415 - for who has named no stack

            running = running_at(Path.cwd())
            if running is not None:
                return cls(stack=running.stack, region=running.region, endpoint=running.endpoint, is_embedded=True)
        values = {
            "stack": env.get("LANEWORK_STACK"),
            "region": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
            "endpoint": env.get("AWS_ENDPOINT_URL") or None,
            "archive_bucket": env.get("LANEWORK_ARCHIVE_BUCKET") or None,
            "webhook": env.get("LANEWORK_WEBHOOK") or None,
            "webhook_parameter": env.get("LANEWORK_WEBHOOK_PARAMETER") or None,
            "webhook_secret": env.get("LANEWORK_WEBHOOK_SECRET") or None,
            "webhook_secret_parameter": env.get("LANEWORK_WEBHOOK_SECRET_PARAMETER") or None,
            "account": env.get("LANEWORK_ACCOUNT") or None,
            "webhooks_to_private": env.get("LANEWORK_WEBHOOKS_TO_PRIVATE") or "false",
        }
        if env.get("LANEWORK_LOOK_AHEAD"):
            values["look_ahead_s"] = env["LANEWORK_LOOK_AHEAD"]
        missing = [_VARIABLES[name] for name in ("stack", "region") if not values[name]]
        if missing:
            msg = f"set {' and '.join(missing)}, or start the embedded stack with `lanework dev`"
            raise ConfigError(msg)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(f"{_VARIABLES[str(one['loc'][0])]}: {one['msg']}" for one in error.errors())
            raise ConfigError(problems) from None


class ApiSettings(BaseModel):
    """
    How the API is to be served.

    Attributes:
        tokens: Those that are accepted, as `role:hash`, separated by commas or white space (`LANEWORK_API_TOKENS`).
        tokens_parameter: SSM parameter that holds them instead (`LANEWORK_API_TOKENS_PARAMETER`); None: there is none.
        is_development: Whether there are endpoints to try job types with (`LANEWORK_DEVELOPMENT`, true or false).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: str = ""
    tokens_parameter: str | None = None
    is_development: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> ApiSettings:
        """
        Read the environment.

        Args:
            environ: What to read; the process's environment by default.

        Raises:
            ConfigError: Tokens are given in both places, or something is malformed.
        """
        env = os.environ if environ is None else environ
        tokens, parameter = env.get("LANEWORK_API_TOKENS", ""), env.get("LANEWORK_API_TOKENS_PARAMETER") or None
        if tokens and parameter:
            msg = "LANEWORK_API_TOKENS and LANEWORK_API_TOKENS_PARAMETER both say which tokens count: set one of them"
            raise ConfigError(msg)
        return cls(tokens=tokens, tokens_parameter=parameter, is_development=_flag("LANEWORK_DEVELOPMENT", env))


class MetricSettings(BaseModel):
    """
    Which metrics workers write beside the numbers in the table.

    Attributes:
        has_emf: CloudWatch's, in the embedded metric format (`LANEWORK_EMF`, true or false). Each costs extra.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    has_emf: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> MetricSettings:
        """
        Read the environment.

        Raises:
            ConfigError: The word is neither true nor false.
        """
        env = os.environ if environ is None else environ
        return cls(has_emf=_flag("LANEWORK_EMF", env))


class EventSettings(BaseModel):
    """
    What is put on EventBridge's bus.

    Attributes:
        which: Nothing (`off`), how jobs end (`ends`), or every transition (`all`) (`LANEWORK_EVENTS`).
        bus: The bus's name (`LANEWORK_EVENT_BUS`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    which: Literal["off", "ends", "all"] = "off"
    bus: str = "default"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> EventSettings:
        """
        Read the environment.

        Raises:
            ConfigError: The word is none of the three.
        """
        env = os.environ if environ is None else environ
        try:
            return cls.model_validate(
                {"which": env.get("LANEWORK_EVENTS") or "off", "bus": env.get("LANEWORK_EVENT_BUS") or "default"}
            )
        except ValidationError:
            msg = f"LANEWORK_EVENTS must be off, ends or all, got {env['LANEWORK_EVENTS']!r}"
            raise ConfigError(msg) from None


class AlertSettings(BaseModel):
    """
    Where alerts go; nowhere, where nothing is set: they are logged, and shown, all the same.

    Attributes:
        topic: ARN of an SNS topic (`LANEWORK_ALERT_TOPIC`).
        webhook_parameter: SSM parameter that holds the address of a webhook (`LANEWORK_ALERT_WEBHOOK_PARAMETER`): the
            address of a chat's webhook is a secret.
        job: Type of a job of the application (`LANEWORK_ALERT_JOB`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str | None = None
    webhook_parameter: str | None = None
    job: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> AlertSettings:
        """Read the environment; what is empty counts as not set."""
        env = os.environ if environ is None else environ
        return cls(
            topic=env.get("LANEWORK_ALERT_TOPIC") or None,
            webhook_parameter=env.get("LANEWORK_ALERT_WEBHOOK_PARAMETER") or None,
            job=env.get("LANEWORK_ALERT_JOB") or None,
        )


_VARIABLES = {
    "stack": "LANEWORK_STACK (the stack's name, such as shop-prod)",
    "region": "AWS_REGION",
    "endpoint": "AWS_ENDPOINT_URL",
    "archive_bucket": "LANEWORK_ARCHIVE_BUCKET (the bucket's name)",
    "account": "LANEWORK_ACCOUNT",
    "webhooks_to_private": "LANEWORK_WEBHOOKS_TO_PRIVATE (true or false)",
    "look_ahead_s": "LANEWORK_LOOK_AHEAD (seconds, 1 to 900)",
}


def _flag(name: str, env: Mapping[str, str]) -> bool:
    word = env.get(name) or "false"
    if word not in {"true", "false"}:
        msg = f"{name} must be true or false, got {word!r}"
        raise ConfigError(msg)
    return word == "true"
