"""One boto session for everything, clients made when first used, and boto's errors in Lanework's words."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - a first connection imports it, and a thread may fork meanwhile
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

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
from botocore.loaders import Loader, create_loader
from botocore.session import Session as BotocoreSession

from lanework.errors import CredentialsError, UnavailableError
from lanework.forks import in_each_process, no_fork_meanwhile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

    from lanework.settings import Settings

ClientT = TypeVar("ClientT")

MODELS: Final[Mapping[str, str]] = {"dynamodb": "2012-08-10", "sqs": "2012-11-05"}
"""Services whose clients nearly every process makes, and the version of their API: service_data/ has their models."""

SERVICE_DATA: Final = Path(__file__).parent / "service_data"

_NO_FILE: Final = "/dev/null"

_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=200,  # a worker process has two threads for each job that runs at once
    parameter_validation=False,
    user_agent=f"Boto3/{boto3.__version__} lanework",  # boto would put its own together for each call, out of 16 parts
)


class _Shared(Generic[ClientT]):
    """An attribute that holds the client of the service that it is named for."""

    def __set_name__(self, _: type, name: str) -> None:
        self._service = name

    def __get__(self, clients: Clients, _: type) -> ClientT:
        return cast("ClientT", clients.shared(self._service))


class Clients:
    """
    The AWS clients of one application; made on first use, then shared by its threads.

    A process that is forked makes its own: two that read from one connection get each other's answers.
    """

    dynamodb: _Shared[DynamoDBClient] = _Shared()
    sqs: _Shared[SQSClient] = _Shared()
    scheduler: _Shared[EventBridgeSchedulerClient] = _Shared()
    s3: _Shared[S3Client] = _Shared()
    sns: _Shared[SNSClient] = _Shared()
    events: _Shared[EventBridgeClient] = _Shared()
    ssm: _Shared[SSMClient] = _Shared()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._account = settings.account
        in_each_process(self, Clients._begin)

    def _begin(self) -> None:
        self._making = Lock()
        self._session: boto3.session.Session | None = None
        self._is_over = False
        self._made: dict[str, Any] = {}

    def shared(self, service: str) -> Any:  # noqa: ANN401 - boto's clients have a type each
        """Return the client of a service that all threads use."""
        client = self._made.get(service)
        return self._make(service, is_shared=True) if client is None else client

    def _make(self, service: Any, *, is_shared: bool = False) -> Any:  # noqa: ANN401 - as above
        """Make a client; a session makes one at a time only."""
        with self._making, no_fork_meanwhile():
            if is_shared and service in self._made:
                return self._made[service]
            config = _CONFIG.merge(Config(proxies={})) if self._settings.is_embedded else _CONFIG
            client = self._current_session().client(service, endpoint_url=self._settings.endpoint, config=config)
            client.meta.events.register("after-call", self._heed)
            if (self._settings.endpoint or "").startswith("http://"):  # AWS's all have TLS
                from lanework.aws.strict import make_strict  # noqa: PLC0415 - for an emulator only

                make_strict(client)
            if is_shared:
                self._made[service] = client
            return client

    def _current_session(self) -> boto3.session.Session:
        """
        Return the session; after its credentials have expired another one, if that finds some.

        Their file may be away or cut short while a tool writes it: then the old ones do until the next refusal.
        """
        if self._session is None:
            new = bare_session if self._settings.is_embedded else _session
            self._session = new(self._settings.region)
        elif self._is_over:
            self._session = _with_credentials(self._settings.region) or self._session
        self._is_over = False
        return self._session

    def _heed(self, parsed: dict[str, Any], **_: object) -> None:
        """Look for credentials anew, where those at hand have expired: a file of them may have others by now."""
        if "Error" in parsed:
            from lanework.aws.errors import EXPIRED  # noqa: PLC0415 - for what goes wrong

            if parsed["Error"].get("Code") in EXPIRED:
                self._is_over = True
                self._made = {}

    def make(self, service: str) -> Any:  # noqa: ANN401 - as above
        """Make a client of a service that tools use, and no function."""
        return self._make(service)

    def connect(self) -> None:
        """
        Make the clients that nearly everything needs, of DynamoDB and SQS, now. Calls nothing.

        Raises:
            CredentialsError: The profile that is named isn't there.
        """
        with translated("making AWS clients"):
            _ = self.dynamodb, self.sqs

    def disconnect(self) -> None:
        """Close all connections; each client opens others when it is used."""
        for client in self._made.values():
            client.close()

    def renew(self) -> None:
        """Make the clients anew at their next use: code that was cut off may have left a connection half read."""
        self._made = {}

    @property
    def account(self) -> str:
        """The account's id: the one that is set, or whose the credentials are (asking STS needs no permission)."""
        if self._account is None:
            with translated("asking STS for the account"):
                self._account = self._make("sts").get_caller_identity()["Account"]
        return self._account


def bare_session(region_name: str | None = None) -> boto3.session.Session:
    """Return a session with the emulator's credentials that reads neither the user's profile nor the user's files."""
    unread: dict[str, tuple[None, None, str | None, None]] = {
        "profile": (None, None, None, None),
        "config_file": (None, None, _NO_FILE, None),
        "credentials_file": (None, None, _NO_FILE, None),
    }
    return boto3.session.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator's
        region_name=region_name,
        botocore_session=read_stripped_data(BotocoreSession(session_vars=unread)),
    )


def _session(region_name: str | None) -> boto3.session.Session:
    return boto3.session.Session(region_name=region_name, botocore_session=read_stripped_data(BotocoreSession()))


def read_stripped_data(session: BotocoreSession) -> BotocoreSession:
    """
    Let a session read what lies in service_data/ before what botocore brings.

    What the user has put into AWS_DATA_PATH or ~/.aws/models still comes first.
    """
    usual = create_loader(session.get_config_variable("data_path"))
    *users, botocores = usual.search_paths
    paths = [*users, str(SERVICE_DATA), botocores]
    session.register_component("data_loader", _StrippedData(paths, include_default_search_paths=False))
    return session


class _StrippedData(Loader):
    """Finds a model by its version instead of looking through the folders of all services."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:  # noqa: ANN401 - botocore's
        version = MODELS.get(service_name)
        if version is None or api_version not in (None, version):
            return super().load_service_model(service_name, type_name, api_version)
        return self.load_data(f"{service_name}/{version}/{type_name}")

    def is_builtin_path(self, path: str) -> bool:
        """Endpoints from elsewhere would turn botocore's rules off."""
        return path.startswith(str(SERVICE_DATA)) or super().is_builtin_path(path)


def _with_credentials(region: str | None) -> boto3.session.Session | None:
    """Return another session; None if it would have no credentials."""
    try:
        session = _session(region)
        return None if session.get_credentials() is None else session
    except BotoCoreError:
        return None


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """
    Turn boto's errors into Lanework's.

    Args:
        doing: What is being done, for the message.

    Raises:
        UnavailableError: The service didn't answer, throttled, or answered with a server error; or the signature has
            expired, which another one may not have: the message says how far this machine's clock is off.
        CredentialsError: There are none, or half of them.
        ConfigError: It refused: no permission, no such table or queue.
    """
    try:
        yield
    except ClientError as error:
        from lanework.aws.errors import meaning_of  # noqa: PLC0415 - for what goes wrong

        raise meaning_of(error, doing) from error
    except NoCredentialsError as error:
        msg = f"{doing}: no AWS credentials found; set AWS_PROFILE, or start the embedded stack with `lanework dev`"
        raise CredentialsError(msg) from error
    except (PartialCredentialsError, ProfileNotFound) as error:
        msg = f"{doing}: {error}"
        raise CredentialsError(msg) from error
    except (HTTPClientError, BotoCoreError) as error:
        msg = f"{doing}: {error}"
        raise UnavailableError(msg) from error
