"""The only module of the application that reads the environment: once, at first use, into frozen values."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
    validate_email,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

IMPLICIT_TLS_PORT = 465


class SettingsError(Exception):
    """Raised when a setting of the application is missing or can't be used; the message names the variable."""


class _Settings(BaseModel):
    """Settings whose fields are environment variables, by alias; an empty variable counts as not set."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """
        Return the settings that the variables hold.

        Raises:
            SettingsError: One is missing or can't be used; the message names it and repeats no value.
        """
        names = [field.alias or name for name, field in cls.model_fields.items()]
        try:
            return cls.model_validate({name: environ[name] for name in names if environ.get(name)})
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            raise SettingsError("; ".join(": ".join([*map(str, one["loc"]), one["msg"]]) for one in problems)) from None


class MailSettings(_Settings):
    """
    Where mail goes.

    Attributes:
        host: SMTP_HOST, the mail server; empty (the default) shows mails instead of sending them.
        port: SMTP_PORT, default 587.
        username: SMTP_USERNAME, together with the password or not at all.
        password: SMTP_PASSWORD.
        credentials_parameter: SMTP_CREDENTIALS_PARAMETER, the name of an SSM SecureString that holds `user:password`,
            instead of the two above.
        starttls: SMTP_STARTTLS; default true, unless the host is a loopback address.
        sender: MAIL_FROM, `a@b.mn` or `Name <a@b.mn>`; required with a host.
    """

    host: str = Field(default="", alias="SMTP_HOST")
    port: int = Field(default=587, alias="SMTP_PORT", ge=1, le=65535)
    username: str = Field(default="", alias="SMTP_USERNAME")
    password: SecretStr = Field(default=SecretStr(""), alias="SMTP_PASSWORD")
    credentials_parameter: str = Field(default="", alias="SMTP_CREDENTIALS_PARAMETER")
    starttls: bool = Field(default=True, alias="SMTP_STARTTLS")
    sender: str = Field(default="", alias="MAIL_FROM")

    @property
    def logs_in(self) -> bool:
        """Whether the server asks who we are."""
        return bool(self.username or self.credentials_parameter)

    @field_validator("port")
    @classmethod
    def _port_starts_in_the_clear(cls, port: int) -> int:
        if port == IMPLICIT_TLS_PORT:
            msg = "465 expects TLS from the first byte, which is not supported; use 587 with SMTP_STARTTLS"
            raise ValueError(msg)
        return port

    @field_validator("sender")
    @classmethod
    def _sender_is_an_address(cls, sender: str) -> str:
        validate_email(sender)
        return sender

    @model_validator(mode="before")
    @classmethod
    def _starttls_follows_the_host(cls, values: dict[str, object]) -> dict[str, object]:
        return {"SMTP_STARTTLS": not _is_loopback(str(values.get("SMTP_HOST", ""))), **values}

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        msg = ""
        if bool(self.username) != bool(self.password.get_secret_value()):
            msg = "SMTP_USERNAME and SMTP_PASSWORD belong together: set both or neither"
        elif self.username and self.credentials_parameter:
            msg = "SMTP_USERNAME and SMTP_CREDENTIALS_PARAMETER both say how to log in: set one of them"
        elif self.host and not self.sender:
            msg = "MAIL_FROM is missing: SMTP_HOST is set, so mails need a sender"
        elif self.logs_in and not self.starttls and not _is_loopback(self.host):
            msg = "SMTP_STARTTLS is off, which would send the password over the network in the clear"
        if msg:
            raise ValueError(msg)
        return self


class SignInSettings(_Settings):
    """
    How many sign-ins a user is told of.

    Attributes:
        mails: SIGNIN_MAILS_PER_USER, within the time below; default 10.
        minutes: SIGNIN_MAILS_MINUTES, default 60.
    """

    mails: int = Field(default=10, alias="SIGNIN_MAILS_PER_USER", ge=1)
    minutes: int = Field(default=60, alias="SIGNIN_MAILS_MINUTES", ge=1, le=1440)

    @property
    def window(self) -> timedelta:
        """The time within which so many mails are sent."""
        return timedelta(minutes=self.minutes)


class TableSettings(_Settings):
    """
    The application's own table.

    Attributes:
        name: APP_TABLE, required.
        region: AWS_REGION, which Lambda sets; default: what the AWS SDK finds.
        endpoint: AWS_ENDPOINT_URL, the emulator's address; default: AWS itself.
    """

    name: str = Field(alias="APP_TABLE")
    region: str | None = Field(default=None, alias="AWS_REGION")
    endpoint: str | None = Field(default=None, alias="AWS_ENDPOINT_URL")


class GatewaySettings(_Settings):
    """
    Where text messages, push notifications and charges go; an empty address shows them in the log.

    Attributes:
        sms_url: SMS_URL.
        push_url: PUSH_URL.
        payment_url: PAYMENT_URL; without it every charge is taken as paid.
        token_parameter: GATEWAY_TOKEN_PARAMETER, the name of an SSM SecureString: a bearer token for all three.
    """

    sms_url: str = Field(default="", alias="SMS_URL")
    push_url: str = Field(default="", alias="PUSH_URL")
    payment_url: str = Field(default="", alias="PAYMENT_URL")
    token_parameter: str = Field(default="", alias="GATEWAY_TOKEN_PARAMETER")

    @field_validator("sms_url", "push_url", "payment_url")
    @classmethod
    def _nobody_can_listen(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))):
            return url
        msg = "must be an https:// address (http:// on the loopback interface only)"
        raise ValueError(msg)


class FileSettings(_Settings):
    """
    Where the application keeps files.

    Attributes:
        folder: FILES_DIR, which has `temp` and `artifacts` in it; default `/tmp/lanework-files`.
    """

    folder: Path = Field(default=Path("/tmp/lanework-files"), alias="FILES_DIR")  # noqa: S108 - Lambda's only one


class OperationsSettings(_Settings):
    """
    Who looks after the application.

    Attributes:
        email: OPS_EMAIL, where alerts go; empty, the default, is nobody.
    """

    email: str = Field(default="", alias="OPS_EMAIL")


class WebSettings(_Settings):
    """
    What the web application knows of the payment providers; a provider without a secret is refused.

    Attributes:
        cryptomus_key: CRYPTOMUS_API_KEY.
        nowpayments_secret: NOWPAYMENTS_IPN_SECRET.
        admin_token: SHOP_ADMIN_TOKEN, the bearer token of whoever may ask for reports.
        support: SUPPORT_EMAIL, where letters to the support go.
    """

    cryptomus_key: SecretStr = Field(default=SecretStr(""), alias="CRYPTOMUS_API_KEY")
    nowpayments_secret: SecretStr = Field(default=SecretStr(""), alias="NOWPAYMENTS_IPN_SECRET")
    admin_token: SecretStr = Field(default=SecretStr(""), alias="SHOP_ADMIN_TOKEN")
    support: str = Field(default="support@example.com", alias="SUPPORT_EMAIL")


class AccountSettings(_Settings):
    """
    How a password is reset.

    Attributes:
        reset_url: RESET_URL, the page that the link opens.
        reset_minutes: RESET_MINUTES, how long the link is good for, default 30.
    """

    reset_url: str = Field(default="https://example.com/reset", alias="RESET_URL")
    reset_minutes: int = Field(default=30, alias="RESET_MINUTES", ge=1, le=1440)


@cache
def operations_settings() -> OperationsSettings:
    """Return the process's operations settings, read at the first call."""
    return OperationsSettings.from_environ(os.environ)


@cache
def account_settings() -> AccountSettings:
    """Return the process's account settings, read at the first call."""
    return AccountSettings.from_environ(os.environ)


@cache
def gateway_settings() -> GatewaySettings:
    """Return the process's gateway settings, read at the first call."""
    return GatewaySettings.from_environ(os.environ)


@cache
def file_settings() -> FileSettings:
    """Return the process's file settings, read at the first call."""
    return FileSettings.from_environ(os.environ)


@cache
def web_settings() -> WebSettings:
    """Return the web application's settings, read at the first call."""
    return WebSettings.from_environ(os.environ)


@cache
def mail_settings() -> MailSettings:
    """Return the process's mail settings, read at the first call."""
    return MailSettings.from_environ(os.environ)


@cache
def signin_settings() -> SignInSettings:
    """Return the process's sign-in settings, read at the first call."""
    return SignInSettings.from_environ(os.environ)


@cache
def table_settings() -> TableSettings:
    """Return the process's table settings, read at the first call."""
    return TableSettings.from_environ(os.environ)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
