"""One boto session for everything, clients made when first used, and boto's errors in Lanework's words."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from lanework.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from lanework.settings import Settings

_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
    parameter_validation=False,
)

_TRANSIENT: Final = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
        "AWS.SimpleQueueService.ThrottlingException",
    }
)

_MISSING: Final = frozenset(
    {
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    }
)

_SERVER_ERROR: Final = 500


class Clients:
    """The AWS clients of one application; made on first use, then shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        """Remember where to connect to."""
        self._settings = settings

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(region_name=self._settings.region)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return self._session.client("dynamodb", endpoint_url=self._settings.endpoint, config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        return self._session.client("sqs", endpoint_url=self._settings.endpoint, config=_CONFIG)

    def renew(self) -> None:
        """Make the clients anew at their next use: code that was cut off may have left a connection half read."""
        for name in ("dynamodb", "sqs"):
            self.__dict__.pop(name, None)

    @cached_property
    def account(self) -> str:
        """The account's id: the one that is set, or whose the credentials are (asking STS needs no permission)."""
        if self._settings.account is not None:
            return self._settings.account
        sts = self._session.client("sts", endpoint_url=self._settings.endpoint, config=_CONFIG)
        with translated("asking STS for the account"):
            return sts.get_caller_identity()["Account"]


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """
    Turn boto's errors into Lanework's.

    Args:
        doing: What is being done, for the message.

    Raises:
        UnavailableError: The service didn't answer, throttled, or answered with a server error.
        ConfigError: It refused: no credentials, no permission, no such table or queue.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if is_transient(error):
            msg = f"{doing}: {code}"
            raise UnavailableError(msg) from error
        if code in _MISSING:
            msg = f"{doing}: it doesn't exist; is LANEWORK_STACK right, and the stack deployed in this region?"
            raise ConfigError(msg) from error
        msg = f"{doing}: {error}"
        raise ConfigError(msg) from error
    except NoCredentialsError as error:
        msg = f"{doing}: no AWS credentials found; set AWS_PROFILE, or start the embedded stack with `lanework dev`"
        raise ConfigError(msg) from error
    except (PartialCredentialsError, ProfileNotFound) as error:
        msg = f"{doing}: {error}"
        raise ConfigError(msg) from error
    except (HTTPClientError, BotoCoreError) as error:
        msg = f"{doing}: {error}"
        raise UnavailableError(msg) from error


def is_transient(error: ClientError) -> bool:
    """Tell whether the same call may succeed later."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in _TRANSIENT or status >= _SERVER_ERROR
