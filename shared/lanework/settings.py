"""The only module that reads the environment: once, into a frozen value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from lanework.errors import ConfigError, UnknownLaneError
from lanework.model.job.ids import SHARDS
from lanework.model.lanes import ALL_LANES, Lane, lanes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails


class _FromEnvironment(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """
        Read the variables that the fields name; one that is empty counts as not set.

        Args:
            environ: What to read; the process's environment by default.

        Raises:
            ConfigError: Something is missing or malformed; the message names the variable.
        """
        env = os.environ if environ is None else environ
        try:
            return cls.model_validate({name: value for name, value in env.items() if value and name.isupper()})
        except ValidationError as error:
            raise ConfigError(_text_of(error.errors())) from None


def _flag(word: object) -> bool:
    """Take true and false only, where pydantic takes more words for a boolean."""
    if not (isinstance(word, bool) or word in ("true", "false")):
        raise PydanticCustomError("literal_error", "", {"expected": "true or false"})
    return word in (True, "true")


def _lanes(words: object) -> object:
    """Take names of lanes, separated by commas; the settings' own default passes."""
    try:
        return lanes_of(words.replace(",", " ").split()) if isinstance(words, str) else words
    except UnknownLaneError as error:
        raise PydanticCustomError("lane", "{why}", {"why": str(error)}) from None


_Flag = Annotated[bool, BeforeValidator(_flag)]


STACK: Final = "[A-Za-z][A-Za-z0-9-]{0,47}"
"""What a stack's name is like."""


class Settings(_FromEnvironment):
    """
    Where an application's stack is.

    Attributes:
        stack: Name of the CloudFormation stack; every queue and table name follows from it (`LANEWORK_STACK`).
        region: AWS region (`AWS_REGION`, else `AWS_DEFAULT_REGION`).
        endpoint: Another endpoint than AWS's, such as an emulator's (`AWS_ENDPOINT_URL`).
        look_ahead_s: What is due within so many seconds is held by SQS, the rest by the sweep; 1 to 900
            (`LANEWORK_LOOK_AHEAD`).
        index_shards: How many keys a day's jobs are listed under, 4 to 128 (`LANEWORK_INDEX_SHARDS`); each takes 1,000
            enqueues a second, and costs a list one query.
        archive_bucket: S3 bucket for jobs whose records are to expire (`LANEWORK_ARCHIVE_BUCKET`); None keeps none.
        webhook: Address of webhooks for jobs that name none (`LANEWORK_WEBHOOK`).
        webhook_parameter: SSM parameter that holds that address instead (`LANEWORK_WEBHOOK_PARAMETER`): it may hold a
            token.
        webhook_secret: What webhooks are signed with (`LANEWORK_WEBHOOK_SECRET`).
        webhook_secret_parameter: SSM parameter that holds it instead (`LANEWORK_WEBHOOK_SECRET_PARAMETER`).
        webhooks_to_private: Webhooks may go to this machine and other private addresses; for development
            (`LANEWORK_WEBHOOKS_TO_PRIVATE`, true or false).
        lanes: The lanes that the stack has, separated by commas (`LANEWORK_LANES`); all five if nothing is set.
        account: The account's id, in queue addresses (`LANEWORK_ACCOUNT`); None asks STS once.
        is_embedded: It is the embedded stack that runs in the folder of this process: no credentials and no proxy of
            the user's are for it.
    """

    stack: str = Field(validation_alias="LANEWORK_STACK", pattern=f"^{STACK}$")
    region: str = Field(validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"), min_length=1)
    endpoint: str | None = Field(default=None, validation_alias="AWS_ENDPOINT_URL")
    look_ahead_s: int = Field(default=900, validation_alias="LANEWORK_LOOK_AHEAD", ge=1, le=900)
    index_shards: int = Field(default=SHARDS, validation_alias="LANEWORK_INDEX_SHARDS", ge=SHARDS, le=128)
    archive_bucket: str | None = Field(
        default=None, validation_alias="LANEWORK_ARCHIVE_BUCKET", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
    )
    webhook: str | None = Field(default=None, validation_alias="LANEWORK_WEBHOOK")
    webhook_parameter: str | None = Field(default=None, validation_alias="LANEWORK_WEBHOOK_PARAMETER")
    webhook_secret: str | None = Field(default=None, validation_alias="LANEWORK_WEBHOOK_SECRET", repr=False)
    webhook_secret_parameter: str | None = Field(default=None, validation_alias="LANEWORK_WEBHOOK_SECRET_PARAMETER")
    webhooks_to_private: bool = Field(default=False, validation_alias="LANEWORK_WEBHOOKS_TO_PRIVATE")
    lanes: Annotated[tuple[Lane, ...], BeforeValidator(_lanes)] = Field(
        default=ALL_LANES, validation_alias="LANEWORK_LANES", min_length=1
    )
    account: str | None = Field(default=None, validation_alias="LANEWORK_ACCOUNT", pattern=r"^\d{12}$")
    is_embedded: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the environment; if it names no stack, find the embedded one that runs in this folder or above."""
        if environ is None and not os.environ.get("LANEWORK_STACK"):
            from lanework.embedded import running_at  # noqa: PLC0415 - for who has named no stack

            running = running_at(Path.cwd())
            if running is not None:
                at, lanes = running.endpoint, running.lanes
                return cls(stack=running.stack, region=running.region, endpoint=at, lanes=lanes, is_embedded=True)
        return super().from_env(environ)


def is_in_lambda() -> bool:
    """Tell whether this process is a function's, AWS's or an emulator's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def is_in_snapshot() -> bool:
    """Tell whether Lambda makes a snapshot of this process once it is initialised (SnapStart)."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


class ApiSettings(_FromEnvironment):
    """
    How the API is to be served.

    Attributes:
        tokens: Those that are accepted, as `role:hash`, separated by commas or white space (`LANEWORK_API_TOKENS`).
        tokens_parameter: SSM parameter that holds them instead (`LANEWORK_API_TOKENS_PARAMETER`); None: there is none.
        is_development: Whether there are endpoints to try job types with (`LANEWORK_DEVELOPMENT`, true or false).
        authorized_role: Role of whomever API Gateway's own authorizer, JWT or IAM, lets in
            (`LANEWORK_API_AUTHORIZED_ROLE`: viewer, producer or admin); None: tokens say who may what.
    """

    tokens: str = Field(default="", validation_alias="LANEWORK_API_TOKENS")
    tokens_parameter: str | None = Field(default=None, validation_alias="LANEWORK_API_TOKENS_PARAMETER")
    is_development: _Flag = Field(default=False, validation_alias="LANEWORK_DEVELOPMENT")
    authorized_role: Literal["viewer", "producer", "admin"] | None = Field(
        default=None, validation_alias="LANEWORK_API_AUTHORIZED_ROLE"
    )

    @model_validator(mode="after")
    def _say_it_once(self) -> Self:
        if self.tokens and self.tokens_parameter:
            both = "LANEWORK_API_TOKENS and LANEWORK_API_TOKENS_PARAMETER both say which tokens count: set one of them"
            raise PydanticCustomError("both", both)
        return self


class MetricSettings(_FromEnvironment):
    """
    Which metrics workers write beside the numbers in the table.

    Attributes:
        has_emf: CloudWatch's, in the embedded metric format (`LANEWORK_EMF`, true or false). Each costs extra.
    """

    has_emf: _Flag = Field(default=False, validation_alias="LANEWORK_EMF")


class EventSettings(_FromEnvironment):
    """
    What is put on EventBridge's bus.

    Attributes:
        which: Nothing (`off`), how jobs end (`ends`), or every transition (`all`) (`LANEWORK_EVENTS`).
        bus: The bus's name (`LANEWORK_EVENT_BUS`).
    """

    which: Literal["off", "ends", "all"] = Field(default="off", validation_alias="LANEWORK_EVENTS")
    bus: str = Field(default="default", validation_alias="LANEWORK_EVENT_BUS")


class AlertSettings(_FromEnvironment):
    """
    Where alerts go; nowhere, where nothing is set: they are logged, and shown, all the same.

    Attributes:
        topic: ARN of an SNS topic (`LANEWORK_ALERT_TOPIC`).
        webhook_parameter: SSM parameter that holds the address of a webhook (`LANEWORK_ALERT_WEBHOOK_PARAMETER`): the
            address of a chat's webhook is a secret.
        job: Type of a job of the application (`LANEWORK_ALERT_JOB`).
    """

    topic: str | None = Field(default=None, validation_alias="LANEWORK_ALERT_TOPIC")
    webhook_parameter: str | None = Field(default=None, validation_alias="LANEWORK_ALERT_WEBHOOK_PARAMETER")
    job: str | None = Field(default=None, validation_alias="LANEWORK_ALERT_JOB")


_HINTS: Final = {
    "LANEWORK_STACK": " (the stack's name, such as shop-prod)",
    "LANEWORK_ARCHIVE_BUCKET": " (the bucket's name)",
    "LANEWORK_WEBHOOKS_TO_PRIVATE": " (true or false)",
    "LANEWORK_LOOK_AHEAD": " (seconds, 1 to 900)",
    "LANEWORK_INDEX_SHARDS": " (4 to 128)",
}


def _text_of(errors: list[ErrorDetails]) -> str:
    missing = [_named(one) for one in errors if one["type"] == "missing"]
    if missing:
        return f"set {' and '.join(missing)}, or start the embedded stack with `lanework dev`"
    return "; ".join(map(_problem, errors))


def _problem(error: Any) -> str:  # noqa: ANN401 - one of `ErrorDetails`
    if error["type"] == "literal_error":
        expected = error["ctx"]["expected"].replace("'", "")
        return f"{_named(error)} must be {expected}, got {error['input']!r}"
    return f"{_named(error)}: {error['msg']}" if error["loc"] else error["msg"]


def _named(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    return f"{name}{_HINTS.get(name, '')}"
