"""Which of AWS's errors mean: try again; which: sign again; and which: never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from lanework import ConfigError, UnavailableError
from lanework.aws.clients import Clients, translated
from lanework.aws.errors import why_expired
from lanework.settings import Settings
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SIGNATURE = "The request signature we calculated does not match the signature you provided."
LATE = "Signature expired: 20260102T115200Z is now earlier than 20260102T115500Z (20260102T120000Z - 5 min.)"
EARLY = "Signature not yet current: 20260102T120900Z is still later than 20260102T120500Z (20260102T120000Z + 5 min.)"


def refused(code: str, message: str = "", *, status: int = 403, date: datetime | None = None) -> ClientError:
    """Return a refusal, of a service that says its time."""
    headers = {} if date is None else {"date": format_datetime(date, usegmt=True)}
    told = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": told}, "SendMessage")  # type: ignore[typeddict-item]


@pytest.mark.parametrize("code", ["TransactionConflictException", "TransactionInProgressException"])
def test_a_write_that_meets_a_transaction_may_be_repeated(code: str) -> None:
    """A signal is written in one, on the item that a run writes, too."""
    with pytest.raises(UnavailableError), translated("writing complete of job job-1"):
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem")


def test_a_queue_that_is_missing_says_what_to_write_where_the_stack_leaves_a_lane_out() -> None:
    """A producer outside of the stack assumes all five lanes, unless it is told otherwise."""
    said = "set LANEWORK_LANES to the stack's lanes, such as high,low, if it leaves some out"

    with pytest.raises(ConfigError, match=said), translated("sending to lane batch"):
        raise refused("AWS.SimpleQueueService.NonExistentQueue", status=400)
    with pytest.raises(ConfigError, match=r"deployed in this region\?$"), translated("reading job x"):
        raise refused("ResourceNotFoundException", status=400)


def _answered(signed: list[str], request: AWSPreparedRequest) -> AWSResponse:
    """Answer a request, instead of AWS: its credentials have expired."""
    signed.append(str(request.headers["Authorization"]))
    body = HTTPResponse(
        body=BytesIO(b'{"__type": "ExpiredToken", "message": "The token has expired"}'), preload_content=False
    )
    return AWSResponse(str(request.url), 403, HTTPHeaders(), body)


def test_a_permission_that_is_missing_is_not_a_matter_of_time() -> None:
    with pytest.raises(ConfigError), translated("writing complete of job job-1"):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("OverLimit", 403),
        ("AWS.SimpleQueueService.OverLimit", 403),
        ("RequestThrottled", 403),
        ("KMS.ThrottlingException", 400),
        ("Throttling", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("SomethingNew", 429),
        ("SomethingNew", 503),
    ],
)
def test_a_service_that_has_enough_for_now_is_asked_again_later(code: str, status: int) -> None:
    with pytest.raises(UnavailableError, match=code), translated("receiving from lane low"):
        raise refused(code, status=status)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredToken", "The security token included in the request is expired"),
        ("ExpiredTokenException", "The security token included in the request is expired"),
        ("RequestExpired", "Request has expired."),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
        ("InvalidSignatureException", LATE),
        ("InvalidSignatureException", EARLY),
        ("SignatureDoesNotMatch", LATE),
    ],
)
def test_a_signature_that_has_expired_is_a_matter_of_time(code: str, message: str) -> None:
    with (
        pytest.raises(UnavailableError, match=f"^receiving from lane low: {code}: "),
        translated("receiving from lane low"),
    ):
        raise refused(code, message, date=datetime.now(UTC))


def test_a_signature_that_does_not_match_while_the_clock_is_wrong_is_a_matter_of_time() -> None:
    with pytest.raises(UnavailableError, match=r"clock is 10 min \d s ahead of AWS's"), translated("sending"):
        raise refused("SignatureDoesNotMatch", SIGNATURE, date=datetime.now(UTC) - timedelta(minutes=10))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UnrecognizedClientException", "The security token included in the request is invalid."),
        ("InvalidClientTokenId", "The security token included in the request is invalid."),
        ("SignatureDoesNotMatch", SIGNATURE),
        ("InvalidSignatureException", SIGNATURE),
        ("AccessDenied", "no"),
    ],
)
def test_a_wrong_key_or_secret_is_not_a_matter_of_time(code: str, message: str) -> None:
    with pytest.raises(ConfigError), translated("receiving from lane low"):
        raise refused(code, message, date=datetime.now(UTC))


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(minutes=7, seconds=3), "this machine's clock is 7 min 3 s ahead of AWS's"),
        (-timedelta(hours=1), "this machine's clock is 60 min 0 s behind AWS's"),
        (timedelta(seconds=1), "the credentials have expired, or the request was long under way"),
    ],
)
def test_an_expired_signature_says_how_far_the_clock_is_off(ahead: timedelta, said: str) -> None:
    assert said in why_expired(refused("RequestExpired", date=NOW - ahead), now=NOW)


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_service_that_does_not_say_its_time_leaves_it_open(date: str) -> None:
    error = refused("RequestExpired")
    error.response["ResponseMetadata"]["HTTPHeaders"]["date"] = date

    assert why_expired(error, now=NOW) == "the credentials have expired, or this machine's clock is wrong"


@pytest.fixture(name="credentials")
def a_file_of_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file that a process takes its credentials from, and from nowhere else; it isn't there yet."""
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_PROFILE", "shop")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return file


def with_key(key: str) -> str:
    return f"[shop]\naws_access_key_id = {key}\naws_secret_access_key = secret\n"


def key_of_a_call(clients: Clients) -> str:
    """Return the key that a call is signed with; it is answered that this has expired."""
    signed: list[str] = []
    events: Any = clients.sqs.meta.events
    events.register("before-send", lambda request, **_: _answered(signed, request))
    with pytest.raises(UnavailableError), translated("asking"):
        clients.sqs.list_queues()
    return signed[0].partition("Credential=")[2].partition("/")[0]


def test_credentials_that_have_expired_are_looked_for_anew(credentials: Path) -> None:
    """A tool has written others into the file meanwhile: a process that goes on for days finds them."""
    clients = Clients(Settings(stack="s", region=REGION, endpoint="http://127.0.0.1:9"))

    credentials.write_text(with_key("OLD"))
    assert key_of_a_call(clients) == "OLD"
    credentials.write_text(with_key("NEW"))
    assert key_of_a_call(clients) == "NEW"


@pytest.mark.parametrize(
    "away",
    [
        "",
        "[other]\naws_access_key_id = OTHER\naws_secret_access_key = secret\n",
        "[shop]\naws_access_key_id = NEW\n",
        "[shop",
        None,
    ],
    ids=["empty", "without the profile", "half of a key", "half of a line", "gone"],
)
def test_credentials_that_are_away_while_a_tool_writes_others_end_no_worker(
    credentials: Path, away: str | None
) -> None:
    """A worker stopped: its token had expired, and the file was empty at that moment."""
    clients = Clients(Settings(stack="s", region=REGION, endpoint="http://127.0.0.1:9"))
    credentials.write_text(with_key("OLD"))
    assert key_of_a_call(clients) == "OLD"

    if away is None:
        credentials.unlink()
    else:
        credentials.write_text(away)
    assert [key_of_a_call(clients) for _ in range(2)] == ["OLD", "OLD"]
    credentials.write_text(with_key("NEW"))

    assert key_of_a_call(clients) == "NEW"


@pytest.mark.parametrize("wrong", ["", "[shop]\naws_access_key_id = NEW\n"])
def test_a_process_that_begins_without_credentials_is_told_so(credentials: Path, wrong: str) -> None:
    credentials.write_text(wrong)
    clients = Clients(Settings(stack="s", region=REGION, endpoint="http://127.0.0.1:9"))

    with pytest.raises(ConfigError), translated("asking"):
        clients.sqs.list_queues()
