"""What a CDK app synthesises is template.yaml, resource by resource; what is given to it is in it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from lanework.doctor.graph import Graph
from lanework.doctor.intrinsics import Resolver
from lanework.doctor.template import graph_of
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import read_template
from tests.support.cdk import PYTHON
from tests.support.sam import HERE, ROOT
from tests.unit.docs.pages import blocks_of

GIVEN = {**HERE, "AlarmEmail": "ops@shop.example", "HighWorkers": "12"}
WHERE: Any = {"stack": "ShopJobs", "region": "us-east-1", "account": "000000000000"}
PSEUDO = {"AWS::StackName": "ShopJobs", "AWS::Region": "us-east-1", "AWS::AccountId": "000000000000"}
LAYER = "AWS::Lambda::LayerVersion"


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return translate(read_template(ROOT / "template.yaml"))


def in_order(graph: Graph) -> dict[str, Any]:
    values = {one.name: getattr(graph, one.name) for one in fields(graph)}
    return {name: sorted(one, key=repr) if isinstance(one, tuple) else one for name, one in values.items()}


def without(role: str, graph: dict[str, Any]) -> dict[str, Any]:
    return {**graph, "roles": [one for one in graph["roles"] if not one.id.startswith(role)]}


def as_text(node: Any) -> Any:
    """Return a value with numbers and truth values as CloudFormation takes them, too: as text."""
    if isinstance(node, dict):
        return {name: as_text(one) for name, one in node.items() if name not in ("Code", "Content", "Layers")}
    if isinstance(node, list):
        return [as_text(one) for one in node]
    return str(node).lower() if isinstance(node, bool) else str(node)


def test_the_graph_is_that_of_template_yaml(ours: dict[str, Any], shop: dict[str, Any]) -> None:
    graph = in_order(graph_of(shop, parameters={}, **WHERE))

    assert in_order(graph_of(ours, parameters=GIVEN, **WHERE)) == without("Web", graph)


def test_each_resource_has_the_properties_of_template_yaml_but_for_where_its_code_is(
    ours: dict[str, Any], shop: dict[str, Any]
) -> None:
    found = Resolver(shop, parameters={}, pseudo=PSEUDO).resources()
    wanted = Resolver(ours, parameters=GIVEN, pseudo=PSEUDO).resources()
    layers = [[as_text(list(one)) for one in resources.values() if one[0] == LAYER] for resources in (wanted, found)]

    assert layers[0] == layers[1]
    assert {name: as_text(list(one)) for name, one in wanted.items() if one[0] != LAYER} == {
        name: as_text(list(one)) for name, one in found.items() if one[0] != LAYER and not name.startswith("Web")
    }
    policies = [shop["Resources"][name].get("DeletionPolicy") for name in ("JobsTable", "AppTable")]
    assert policies == [ours["Resources"][name]["DeletionPolicy"] for name in ("JobsTable", "AppTable")]


def test_the_outputs_are_those_of_template_yaml(ours: dict[str, Any], shop: dict[str, Any]) -> None:
    noted = {f"LaneworkGiven{name}" for name in ("AlarmEmail", "HighWorkers", "Runtime", "Architecture")}
    assert set(ours["Outputs"]) | noted == set(shop["Outputs"])
    assert shop["Outputs"]["LaneworkGivenHighWorkers"]["Value"] == "12"


def test_functions_and_layer_are_the_cdk_s_assets(shop: dict[str, Any], cdk_out: Path) -> None:
    functions = [one["Properties"] for one in shop["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    (layer,) = [one["Properties"]["Content"] for one in shop["Resources"].values() if one["Type"] == LAYER]
    (code,) = {one["Code"]["S3Key"] for one in functions}
    files = json.loads((cdk_out / "ShopJobs.assets.json").read_text())["files"]

    assert {code, layer["S3Key"]} <= {f"{name}.zip" for name in files}
    assert (cdk_out / f"asset.{code.removesuffix('.zip')}" / "handlers" / "worker.py").is_file()
    assert (cdk_out / f"asset.{layer['S3Key'].removesuffix('.zip')}" / "python" / "jobs").is_dir()


def test_no_parameter_is_left_whose_old_value_a_deployment_would_keep(
    shop: dict[str, Any], closed: dict[str, Any]
) -> None:
    assert [["BootstrapVersion"], ["BootstrapVersion"]] == [list(one["Parameters"]) for one in (shop, closed)]
    assert not any("Conditions" in one for one in (shop, closed))


def test_a_key_and_subnets_that_the_stack_makes_are_where_their_parameters_were(closed: dict[str, Any]) -> None:
    resources = closed["Resources"]
    (key,) = [name for name, one in resources.items() if one["Type"] == "AWS::KMS::Key"]
    subnets = [name for name, one in resources.items() if one["Type"] == "AWS::EC2::Subnet" and "Private" in name]
    encryption = resources["JobsTable"]["Properties"]["SSESpecification"]

    assert {"Fn::GetAtt": [key, "Arn"]} == encryption["KMSMasterKeyId"]
    assert [{"Ref": name} for name in subnets] == resources["HighWorker"]["Properties"]["VpcConfig"]["SubnetIds"]
    assert "Api" not in resources


def test_tags_and_removal_policies_of_the_cdk_count(closed: dict[str, Any]) -> None:
    table = closed["Resources"]["JobsTable"]

    assert {"Key": "team", "Value": "shop"} in table["Properties"]["Tags"]
    assert ("Retain", "Retain") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])


def test_what_is_given_the_right_to_enqueue_has_the_policy_for_it(shop: dict[str, Any]) -> None:
    (web,) = [one for name, one in shop["Resources"].items() if name.startswith("Web")]

    assert [{"Ref": "EnqueuePolicy"}] == web["Properties"]["ManagedPolicyArns"]


def test_another_stack_may_use_queues_table_and_outputs(reader: dict[str, Any]) -> None:
    text = json.dumps(reader)

    assert all(f"Closed:ExportsOutputFnGetAtt{one}Arn" in text for one in ("HighQueue", "HighDeadLetterQueue"))
    assert "Closed:ExportsOutput" in json.dumps(reader["Outputs"])


def test_the_code_of_the_page_synthesises(project: Path, tmp_path: Path) -> None:
    code = "\n".join(block.text for block in blocks_of("docs/cdk.md") if block.language == "python")
    done = subprocess.run(
        [PYTHON, "-c", code],
        cwd=project,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": '{"aws:cdk:bundling-stacks": []}'},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert {"shop-jobs.template.json", "shop-web.template.json"} <= {one.name for one in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["shop", "closed"])
def test_the_template_is_one_that_cloudformation_takes(name: str, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(name)

    found = [f"{one.rule.id} {one.message}" for one in lint(json.dumps(template), regions=["eu-central-1"])]

    assert [] == [one for one in found if not one.startswith("W3010")]  # the app itself names zones


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("parameter", "template.yaml has no parameter 'alarm_mail', did you mean 'alarm_email'?"),
        ("value", "log_level must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"),
        ("half a VPC", "Give VpcSubnets and VpcSecurityGroups together, or neither."),
        ("application", 'is jobs:app, not shop.tasks:app: write app = "shop.tasks:app" below [tool.lanework]'),
        ("project", "no Lanework project at / or above"),
        ("twice", "the stack Fine has a Lanework already: write a Stack of its own for Fine/Again"),
        ("stack", "must be a letter, then letters, digits and hyphens, 48 at most"),
        ("lane", "unknown lane 'hihg', did you mean 'high'?"),
        ("output", "the template has no output 'ApiAdress', did you mean 'ApiAddress'?"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(said: dict[str, str], mistake: str, words: str) -> None:
    assert words in said[mistake]
    assert "\n" not in said[mistake]
