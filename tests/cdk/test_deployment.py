"""The synthesised template and its assets on an emulator: jobs run in all lanes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from jobs import app as example
from lanework import Lane, State
from lanework.aws.clients import Clients
from lanework.aws.deployed.stack import Look
from lanework.doctor.case import examine
from lanework.doctor.rules import RULES
from lanework.engine.jobtypes.request import request_of
from lanework.local.doctor_input import live_case
from lanework.local.emulator.process import start_emulator, wait_for
from lanework.local.project import find_project
from lanework.local.stack.embedded import DRAIN
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now

REGION = "us-east-1"
ACCOUNT = "000000000000"
BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
STACK = "ShopJobs"
DROPPED = {"loops", "reserved", "encrypted", "expires by", "recoverable"}
"""What an emulator's CloudFormation leaves out, so that doctor finds it missing."""


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    emulator = start_emulator(tmp_path / "account", persist=False, drain=DRAIN)
    yield emulator.endpoint
    emulator.stop()


def client(service: str, endpoint: str) -> Any:
    make: Any = boto3.client  # its stubs know services by literal names only
    return make(service, region_name=REGION, endpoint_url=endpoint)


def publish(cdk_out: Path, endpoint: str, tmp_path: Path) -> None:
    """Do what `cdk bootstrap` does, as far as a template asks for it, and `cdk-assets`."""
    client("ssm", endpoint).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=BUCKET)
    for name, one in json.loads((cdk_out / f"{STACK}.assets.json").read_text())["files"].items():
        source = cdk_out / one["source"]["path"]
        if one["source"]["packaging"] == "zip":
            source = Path(shutil.make_archive(str(tmp_path / name), "zip", source))
        (target,) = one["destinations"].values()
        s3.upload_file(str(source), BUCKET, target["objectKey"])


def test_jobs_run_in_all_five_lanes_of_a_stack_that_the_cdk_made_and_doctor_knows_what_it_was_given(
    cdk_out: Path, project: Path, endpoint: str, tmp_path: Path
) -> None:
    publish(cdk_out, endpoint, tmp_path)
    s3, cloudformation = client("s3", endpoint), client("cloudformation", endpoint)
    s3.upload_file(str(cdk_out / f"{STACK}.template.json"), BUCKET, "template.json")
    address = f"{endpoint}/{BUCKET}/template.json"
    cloudformation.create_stack(StackName=STACK, TemplateURL=address, Capabilities=["CAPABILITY_NAMED_IAM"])

    def status() -> str:
        return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])

    wait_for(lambda: not status().endswith("_IN_PROGRESS"), within=timedelta(seconds=60), what="the stack")
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    assert status() == "CREATE_COMPLETE", [one for one in events if one["ResourceStatus"].endswith("FAILED")]
    settings = Settings(stack=STACK, region=REGION, endpoint=endpoint, account=ACCOUNT)
    example.use(aws_ports(settings))
    greet = example.registry.get("demo.greet")
    ids = {lane: f"by-cdk-{lane}" for lane in Lane}
    example.enqueue_many(
        [request_of(greet, {"name": "Bat"}, {"job_id": one, "lane": lane}) for lane, one in ids.items()]
    )

    def are_completed() -> bool:
        return all(example.get(one).state is State.COMPLETED for one in ids.values())

    wait_for(are_completed, within=timedelta(seconds=60), what="the jobs")

    case = live_case(settings, Look(Clients(settings)), find_project(project), example, clock=utc_now)
    drift = {f"{one.about} {one.what.partition(':')[0]}" for one in examine(case, RULES) if one.rule == "drift"}
    assert {one.partition(" ")[2] for one in drift} == DROPPED, "high_workers and the role beside are no drift"
