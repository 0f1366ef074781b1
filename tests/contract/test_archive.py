"""The archive, on every endpoint that has S3."""

from __future__ import annotations

from uuid import uuid4

import boto3
import pytest

from lanework.errors import ConfigError
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.endpoints import endpoints
from tests.support.stacks import REGION


@pytest.fixture(params=endpoints("moto", "ministack"))
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    endpoint = request.getfixturevalue(f"{request.param}_endpoint")
    bucket = f"archive-{uuid4().hex[:8]}"
    return Settings(stack="shop", region=REGION, endpoint=endpoint, account="000000000000", archive_bucket=bucket)


def test_an_object_lies_below_the_stacks_name_and_is_replaced(settings: Settings) -> None:
    s3 = boto3.client("s3", region_name=REGION, endpoint_url=settings.endpoint)
    bucket = str(settings.archive_bucket)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    archive = aws_ports(settings).archive
    assert archive is not None

    archive.put("jobs/2026/11/24/one.jsonl.gz", b"first")
    archive.put("jobs/2026/11/24/one.jsonl.gz", b"second")

    found = s3.get_object(Bucket=bucket, Key="shop/jobs/2026/11/24/one.jsonl.gz")["Body"].read()
    assert found == b"second"


def test_a_bucket_that_is_not_there_is_named(settings: Settings) -> None:
    archive = aws_ports(settings).archive
    assert archive is not None

    with pytest.raises(ConfigError, match=f"writing to the archive {settings.archive_bucket}: it doesn't exist"):
        archive.put("jobs/one.jsonl.gz", b"")
