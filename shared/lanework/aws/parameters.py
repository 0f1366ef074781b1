"""Text that SSM's Parameter Store keeps, read anew now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lanework.aws.clients import Clients, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.settings import Settings

_KEPT_S: Final = 60


def ssm_parameter(settings: Settings, name: str) -> Callable[[], str]:
    """
    Return what reads a parameter, decrypted; for a minute it gives what it read before.

    It raises UnavailableError if SSM doesn't answer, and ConfigError if there is no such parameter or no permission.
    """
    provider = SSMProvider(boto3_client=Clients(settings).ssm)

    def read() -> str:
        with translated(f"reading the SSM parameter {name}"):
            try:
                return str(provider.get(name, max_age=_KEPT_S, decrypt=True))
            except GetParameterError as error:
                raise error.__cause__ or error from None

    return read
