"""What infra/worker/ shows of running `lanework worker` elsewhere: legal by its schemas, and true of the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from typing import Any

import botocore.session
import kubernetes_validate
import pytest
import typer
from botocore.model import ListShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from lanework.cli.main import app as command_line
from lanework.edges.process.config import Address
from lanework.edges.process.supervisor import _BEYOND_GRACE
from lanework.engine.queries.scaling import Scaling
from lanework.local.deployment.template import read_template
from lanework.model.lanes import LANES, Lane
from tests.support.worker_files import ROOT, TARGETS, WORKER, as_json, compose, container, manifests, said


@pytest.mark.parametrize("target", TARGETS)
def test_the_command_takes_every_option_that_an_example_gives_it(target: str) -> None:
    options = container(target).options

    assert {Lane(one) for one in options["lane"]} <= {Lane.LOW, Lane.BATCH}
    assert options["concurrency"] >= 1


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_killed_before_its_grace_is_over(target: str) -> None:
    example = container(target)

    assert example.options["grace"] + _BEYOND_GRACE < example.stop_after


def test_grace_is_within_what_fargate_allows() -> None:
    assert container("ecs").stop_after <= timedelta(seconds=120), "the ECS API reference's most, for Fargate"


@pytest.mark.parametrize("target", TARGETS)
def test_a_worker_has_the_variables_that_the_functions_have(target: str) -> None:
    functions = read_template(ROOT / "template.yaml")["Globals"]["Function"]["Environment"]["Variables"]
    elsewhere = {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} if target == "compose" else set()

    of_functions = {"AWS_LAMBDA_EXEC_WRAPPER"}  # a layer's: a process has neither
    assert set(container(target).environment) == {*functions, "AWS_REGION", *elsewhere} - of_functions


# ---- Health ----


def test_the_image_and_ecs_ask_for_health_in_the_same_words() -> None:
    _, _, command = said("HEALTHCHECK")[0].partition("CMD ")
    [task] = as_json("ecs-task-definition.json")["containerDefinitions"]

    assert json.loads(command) == task["healthCheck"]["command"][1:]


@pytest.mark.parametrize("target", TARGETS)
def test_health_is_served_where_it_is_asked(target: str) -> None:
    health = container(target).options["health"]
    asked = re.findall(r"http://([\d.]+):(\d+)/health", said("HEALTHCHECK")[0])
    [worker] = manifests()["Deployment"]["spec"]["template"]["spec"]["containers"]
    probe = worker["livenessProbe"]["httpGet"]

    if target == "kubernetes":
        assert (probe["path"], probe["port"]) == ("/health", worker["ports"][0]["name"])
        everywhere = "0.0.0.0"  # noqa: S104 - it is asked from outside the pod
        assert health == Address(everywhere, worker["ports"][0]["containerPort"])
    else:
        assert asked == [(health.host, str(health.port))]


# ---- Schemas ----


def enums_left(value: Any, shape: Shape) -> list[str]:
    """Words that aren't among those of their shape, which botocore doesn't look at."""
    if isinstance(shape, StructureShape):
        return [problem for name, one in value.items() for problem in enums_left(one, shape.members[name])]
    if isinstance(shape, ListShape):
        return [problem for one in value for problem in enums_left(one, shape.member)]
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        return [f"{shape.name}: {value}"]
    return []


@pytest.mark.parametrize(
    ("file", "service", "operation"),
    [
        ("ecs-task-definition.json", "ecs", "RegisterTaskDefinition"),
        ("ecs-service.json", "ecs", "CreateService"),
        ("ecs-scaling.json", "application-autoscaling", "PutScalingPolicy"),
    ],
)
def test_aws_would_take_the_input(file: str, service: str, operation: str) -> None:
    shape = botocore.session.Session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None

    assert ParamValidator().validate(as_json(file), shape).generate_report() == ""
    assert enums_left(as_json(file), shape) == []


def test_kubernetes_would_take_the_manifests() -> None:
    kinds = {"ServiceAccount", "ConfigMap", "Deployment"}
    for kind in kinds:
        kubernetes_validate.validate(manifests()[kind], kubernetes_validate.latest_version(), strict=True)

    assert set(manifests()) == kinds | {"TriggerAuthentication", "ScaledObject"}, "KEDA's have no schema here"


def test_compose_would_take_the_file() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, WORKER / "compose.yaml"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_compose_builds_the_image_that_is_here_and_reaches_the_emulator_that_the_project_pins() -> None:
    build, image = compose()["worker"]["build"], compose()["emulator"]["image"]
    local = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["emulator"]

    assert (WORKER / build["context"]).resolve() == ROOT
    assert ROOT / build["dockerfile"] == WORKER / "Dockerfile"
    assert f"ministack=={image.partition(':')[2]}" in local
    assert compose()["worker"]["environment"]["AWS_ENDPOINT_URL"].endswith("http://emulator:4566}")


# ---- What a worker may do, and how many there are ----


def test_the_policy_is_what_the_lanes_own_function_may_do() -> None:
    role = read_template(ROOT / "template.yaml")["Resources"]["LowWorkerRole"]["Properties"]["Policies"][0]
    own = {one["Sid"]: one for one in role["PolicyDocument"]["Statement"]}
    shown = {one["Sid"]: one for one in as_json("lane-policy.json")["Statement"]}

    assert set(shown) == set(own) - {"OwnLog"}, "logs are the execution role's"
    for sid, one in shown.items():
        assert (one["Effect"], one["Action"]) == (own[sid]["Effect"], own[sid]["Action"])
    names = [one["Resource"].rpartition(":")[2] for one in shown.values()]
    assert names == ["shop-prod-low", "shop-prod-low-dlq"]


def test_a_service_of_the_task_is_what_is_scaled() -> None:
    service, scaling = as_json("ecs-service.json"), as_json("ecs-scaling.json")
    metrics = scaling["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    dimensions = {
        one["Name"]: one["Value"] for metric in metrics[:2] for one in metric["MetricStat"]["Metric"]["Dimensions"]
    }

    assert service["taskDefinition"] == as_json("ecs-task-definition.json")["family"]
    assert scaling["ResourceId"] == f"service/{service['cluster']}/{service['serviceName']}"
    assert dimensions == {
        "QueueName": "shop-prod-low",
        "ClusterName": service["cluster"],
        "ServiceName": service["serviceName"],
    }


def test_keda_scales_the_deployment_by_its_lanes_queue() -> None:
    scaled, [trigger] = manifests()["ScaledObject"]["spec"], manifests()["ScaledObject"]["spec"]["triggers"]

    assert scaled["scaleTargetRef"]["name"] == manifests()["Deployment"]["metadata"]["name"]
    assert trigger["type"] == "aws-sqs-queue"
    assert trigger["authenticationRef"]["name"] == manifests()["TriggerAuthentication"]["metadata"]["name"]
    assert set(trigger["metadata"]) == {"queueURL", "awsRegion", "queueLength"}
    assert trigger["metadata"]["queueURL"].endswith("/shop-prod-low")


@pytest.mark.parametrize("target", ["ecs", "kubernetes"])
def test_the_autoscalers_target_is_what_the_command_says(target: str) -> None:
    within = LANES[Lane.LOW].start_within
    assert within is not None
    slots = container(target).options["concurrency"]
    found = Scaling(lane=Lane.LOW, waiting=0, run_time=timedelta(seconds=2), within=within, slots=slots)

    targets = {
        "ecs": as_json("ecs-scaling.json")["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        "kubernetes": int(manifests()["ScaledObject"]["spec"]["triggers"][0]["metadata"]["queueLength"]),
    }
    assert targets[target] == found.per_worker


def test_docs_worker_names_every_option_and_every_file() -> None:
    text = (ROOT / "docs" / "worker.md").read_text()
    worker = typer.main.get_command(command_line).commands["worker"]  # type: ignore[attr-defined]
    options = {one.opts[0] for one in worker.params}

    assert [one for one in sorted(options) if one not in text] == []
    assert [one.name for one in sorted(WORKER.iterdir()) if one.name not in text] == []
    assert [one for one in re.findall(r"\]\((\.\./[^)#]+)", text) if not (ROOT / "docs" / one).exists()] == []
