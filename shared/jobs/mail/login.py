"""The mail server's login, where it is kept in SSM rather than in a Lambda's environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.settings import MailSettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who we are to the mail server; an empty username is nobody."""

    username: str
    password: str = field(repr=False)


def from_ssm(name: str) -> str:
    """Return a SecureString, decrypted. Errors are Powertools' `GetParameterError`, which a retry may overcome."""
    from aws_lambda_powertools.utilities.parameters import get_parameter  # noqa: PLC0415 - loads boto3

    return get_parameter(name, decrypt=True)


def login_for(settings: MailSettings, read: Callable[[str], str] = from_ssm) -> Login:
    """
    Return the login that the settings hold, or name a parameter for.

    Args:
        settings: The mail settings.
        read: Gives a parameter's value.

    Raises:
        SettingsError: The parameter doesn't hold `user:password`.
    """
    name = settings.credentials_parameter
    if not name:
        return Login(username=settings.username, password=settings.password.get_secret_value())
    username, _, password = read(name).partition(":")
    if not username or not password:
        msg = f"SMTP_CREDENTIALS_PARAMETER: the parameter {name} must hold user:password"
        raise SettingsError(msg)
    return Login(username=username, password=password)
