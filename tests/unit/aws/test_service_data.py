"""What Lanework's sessions read of botocore's descriptions of AWS's services: the same, but for texts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.regions import EndpointResolver
from botocore.session import Session

from lanework.aws.clients import MODELS, SERVICE_DATA, read_stripped_data
from lanework.aws.service_data.strip import ENDPOINTS, stripped

SHARED = Path(__file__).parents[3] / "shared" / "lanework"
BOTOCORES = Session()
OURS = read_stripped_data(Session())
PARTITIONS = BOTOCORES.get_available_partitions()
REGIONS = [
    region
    for partition in PARTITIONS
    for region in BOTOCORES.get_available_regions("sqs", partition_name=partition, allow_non_regional=True)
]


SOME = ("us-east-1", "eu-west-1", "us-gov-east-1", "cn-north-1", "us-iso-east-1", "eusc-de-east-1", "eu-central-9")
"""Of most partitions, and one that nobody knows yet."""


def where(session: Session, service: str, region: str, **settings: Any) -> tuple[str, str, str]:
    """Return where a client calls, and what it signs for."""
    client: Any = session.create_client(
        service, region_name=region, aws_access_key_id="test", aws_secret_access_key="test", config=Config(**settings)
    )
    signer = client._request_signer  # noqa: SLF001 - a request is too slow for so many
    return client.meta.endpoint_url, signer.signing_name, signer.region_name


def resolved(resolver: Any, service: str, region: str, variant: str | None) -> object:
    """Return what a table of endpoints says, or what it has against the question."""
    try:
        return resolver.construct_endpoint(
            service, region, use_fips_endpoint=variant == "fips", use_dualstack_endpoint=variant == "dualstack"
        )
    except BotoCoreError as error:
        return str(error)


def test_what_lies_there_is_what_the_botocore_of_the_lock_has() -> None:
    """`make lock` writes it anew; python -m lanework.aws.service_data.strip does so alone."""
    loader = Loader([str(SERVICE_DATA)], include_default_search_paths=False)

    assert {name: loader.load_data(name) for name in stripped()} == stripped()


@pytest.mark.parametrize("service", MODELS)
def test_every_operation_and_shape_of_a_model_is_there(service: str) -> None:
    ours, theirs = (one.get_service_model(service) for one in (OURS, BOTOCORES))

    assert ours.operation_names == theirs.operation_names
    assert ours.shape_names == theirs.shape_names
    assert ours.metadata == theirs.metadata
    assert len(json.dumps(OURS.get_service_data(service))) < len(json.dumps(BOTOCORES.get_service_data(service))) / 3


@pytest.mark.parametrize("variant", [None, "fips", "dualstack"])
def test_the_endpoint_of_each_service_is_known_in_each_region_of_each_partition(variant: str | None) -> None:
    assert {*SOME[:-1]} < set(REGIONS)
    theirs, ours = (EndpointResolver(one.get_data("endpoints")) for one in (BOTOCORES, OURS))
    for service in ENDPOINTS:
        for region in REGIONS:
            assert resolved(ours, service, region, variant) == resolved(theirs, service, region, variant)


@pytest.mark.parametrize("settings", [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}])
@pytest.mark.parametrize("region", SOME)
def test_a_client_calls_what_botocores_own_calls_and_signs_for_the_same(region: str, settings: dict[str, Any]) -> None:
    for service in MODELS:
        try:
            expected: object = where(BOTOCORES, service, region, **settings)
        except BotoCoreError as error:
            with pytest.raises(type(error)):
                where(OURS, service, region, **settings)
        else:
            assert where(OURS, service, region, **settings) == expected


def test_an_endpoint_that_the_environment_names_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")

    url, *_ = where(read_stripped_data(Session()), "sqs", "eu-west-1")

    assert url == "http://127.0.0.1:9"


def test_each_service_that_lanework_makes_a_client_of_has_its_endpoints() -> None:
    text = "\n".join(file.read_text() for file in SHARED.rglob("*.py"))
    made = re.findall(r'_?make\("([a-z0-9-]+)"', text) + re.findall(r'= _Made\("([a-z]+)"\)', text)
    shared = re.findall(r"^    (\w+): _Shared\[", text, re.MULTILINE)

    assert {"sqs", "lambda", "sts"} <= {*made, *shared} <= ENDPOINTS


def test_a_client_of_the_applications_own_reads_what_botocore_brings() -> None:
    assert "documentation" in Session().get_service_data("sqs")


def test_what_the_user_has_put_beside_botocore_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "sqs" / MODELS["sqs"] / "service-2.json"
    model.parent.mkdir(parents=True)
    model.write_text('{"metadata": {"protocol": "mine"}, "operations": {}, "shapes": {}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    assert read_stripped_data(Session()).get_service_model("sqs").metadata["protocol"] == "mine"
