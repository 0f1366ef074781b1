"""Text that SSM's Parameter Store keeps, read anew now and then."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lanework.aws.clients import Clients, translated
from lanework.forks import in_each_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanework.settings import Settings

_KEPT_S: Final = 60


def ssm_parameter(settings: Settings, name: str) -> Callable[[], str]:
    """
    Return what reads a parameter, decrypted; for a minute it gives what it read before.

    It raises UnavailableError if SSM doesn't answer, and ConfigError if there is no such parameter or no permission.
    """
    return _Parameter(Clients(settings), name).read


class _Parameter:
    """One parameter, and what of it is kept; a process that is forked reads it anew, by a connection of its own."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name
        in_each_process(self, _Parameter._begin)

    def _begin(self) -> None:
        self._provider: SSMProvider | None = None

    def read(self) -> str:
        self._provider = provider = self._provider or SSMProvider(boto3_client=self._clients.ssm)
        with reading(f"the SSM parameter {self._name}"):
            return str(provider.get(self._name, max_age=_KEPT_S, decrypt=True))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn boto's errors into Lanework's while something is read, which Powertools puts into one of its own."""
    with translated(f"reading {what}"):
        try:
            yield
        except GetParameterError as error:
            raise error.__context__ or error from None
