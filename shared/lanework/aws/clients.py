"""One boto session for everything, clients made when first used, and boto's errors in Lanework's words."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

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
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

    from lanework.settings import Settings

_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=200,  # a worker process has two threads for each job that runs at once
    parameter_validation=False,
    user_agent=f"Boto3/{boto3.__version__} lanework",  # boto would put its own together for each call, out of 16 parts
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
        "ReplicatedWriteConflictException",
        "ThrottlingException",
        "TransactionConflictException",  # of a single write, that met another's transaction
        "TransactionInProgressException",
        "AWS.SimpleQueueService.ThrottlingException",
    }
)

_MISSING: Final = frozenset(
    {
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "NoSuchBucket",
    }
)

_SERVER_ERROR: Final = 500


class Clients:
    """The AWS clients of one application; made on first use, then shared by its threads."""

    def __init__(self, settings: Settings) -> None:
        """Remember where to connect to."""
        self._settings = settings
        self._making = Lock()

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(region_name=self._settings.region)

    def _make(self, service: Any) -> Any:  # noqa: ANN401 - boto's clients have a type each
        """Make a client; a session makes one at a time only."""
        with self._making:
            return self._session.client(service, endpoint_url=self._settings.endpoint, config=_CONFIG)

    def make(self, service: str) -> Any:  # noqa: ANN401 - as above
        """Make a client of a service that tools use, and no function."""
        return self._make(service)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        client: DynamoDBClient = self._make("dynamodb")
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        client: SQSClient = self._make("sqs")
        return client

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """EventBridge Scheduler."""
        client: EventBridgeSchedulerClient = self._make("scheduler")
        return client

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        client: S3Client = self._make("s3")
        return client

    @cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        client: SNSClient = self._make("sns")
        return client

    @cached_property
    def events(self) -> EventBridgeClient:
        """EventBridge."""
        client: EventBridgeClient = self._make("events")
        return client

    @cached_property
    def ssm(self) -> SSMClient:
        """SSM."""
        client: SSMClient = self._make("ssm")
        return client

    def renew(self) -> None:
        """Make the clients anew at their next use: code that was cut off may have left a connection half read."""
        for name in ("dynamodb", "sqs", "scheduler", "s3", "sns", "ssm", "events"):
            self.__dict__.pop(name, None)

    @cached_property
    def account(self) -> str:
        """The account's id: the one that is set, or whose the credentials are (asking STS needs no permission)."""
        if self._settings.account is not None:
            return self._settings.account
        with translated("asking STS for the account"):
            account: str = self._make("sts").get_caller_identity()["Account"]
        return account


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
