"""The Terraform module, parsed and worked out, is the template."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest

from lanework.aws_events import EventPattern, S3Created, SnsTopic, SqsQueue
from lanework.aws_events.template import sources_yaml
from lanework.doctor.intrinsics import Resolver
from lanework.doctor.template import graph_of
from lanework.errors import ConfigError
from lanework.local.deployment.parameter_values import parameter_values, snake
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import read_template
from lanework.local.project_config import config_of
from lanework.local.terraform.expressions import ELSEWHERE, JSON, REFS, resource_type
from lanework.local.terraform.module import KNOWN, terraform_files
from lanework.starter.event_sources import with_sources
from lanework.starter.product import product_of
from tests.support.hcl import worked_out

ROOT = Path(__file__).parents[3]
WHERE: Any = {"stack": "shop", "region": "eu-central-1", "account": "123456789012"}
PSEUDO = {"AWS::StackName": "shop", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
DATA = {
    ("aws_caller_identity", "account_id"): "123456789012",
    ("aws_region", "id"): "eu-central-1",
    ("aws_partition", "partition"): "aws",
    ("aws_partition", "dns_suffix"): "amazonaws.com",
}
KINDS = {resource_type(kind): kind for kind in KNOWN}
FREE = ("Code", "Content", "Layers", "Tags")


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    return read_template(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def ours(source: dict[str, Any]) -> dict[str, Any]:
    return translate(source)


@pytest.fixture(scope="module")
def files(source: dict[str, Any]) -> dict[str, str]:
    return terraform_files(source)


@cache
def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = hcl2.loads(text)
    return found


def blocks(found: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name.strip('"'): one for entry in found.get(kind, []) for name, one in entry.items()}


@dataclass(frozen=True)
class Module:
    """The module with these variables, as a template again; references to resources stay."""

    main: dict[str, Any]
    variables: dict[str, Any]

    def template(self, ours: dict[str, Any]) -> dict[str, Any]:
        properties: dict[str, list[Any]] = {}
        for one in ours["Resources"].values():
            properties.setdefault(one["Type"], []).append(one["Properties"])
        found: dict[str, Any] = {}
        for address, body in ((kind.strip('"'), one) for entry in self.main["resource"] for kind, one in entry.items()):
            if (kind := KINDS.get(address)) is not None:
                names = {"policy": "Policy", **names_in(properties[kind])}
                found |= {name.strip('"'): self._resource(kind, one, names) for name, one in body.items()}
        return {"Resources": {name: one for name, one in found.items() if one is not None}}

    def _resource(self, kind: str, body: dict[str, Any], names: dict[str, str]) -> dict[str, Any] | None:
        if worked_out(body.get("count", 1), self.scope) == 0:
            return None
        attributes = {key: one for key, one in body.items() if key not in ("count", "depends_on")}
        found = in_cloudformations_words(worked_out(attributes, self.scope), names)
        return {"Type": kind, "Properties": policy_of(kind, found)}

    def scope(self, path: list[str]) -> Any:
        match path:
            case ["var", name]:
                return self.variables[name]
            case ["local", name]:
                (condition,) = [entry[name] for entry in self.main["locals"]]
                return worked_out(condition, self.scope)
            case ["data", kind, _, attribute]:
                return DATA.get((kind, attribute), f"{kind}.{attribute}")
            case ["aws_s3_object", *rest]:
                return ".".join(rest)
            case [kind, name, attribute]:
                is_ref = REFS.get(KINDS[kind]) == attribute
                return f"<<{name}{'' if is_ref else '.' + ''.join(one.title() for one in attribute.split('_'))}>>"
        raise AssertionError(path)


def in_cloudformations_words(node: Any, names: dict[str, str], *, as_is: bool = False) -> Any:
    if isinstance(node, dict):
        made = {}
        for key, one in node.items():
            name = key if as_is else names.get(key, key)
            is_document = name in (*JSON, "KeySchema") and isinstance(one, str) and not as_is
            value = json.loads(one) if is_document else one
            if value is not None:
                made[name] = in_cloudformations_words(value, names, as_is=as_is or is_document or name == "Variables")
        return made
    if isinstance(node, list):
        return [in_cloudformations_words(one, names, as_is=as_is) for one in node]
    if isinstance(node, str) and "<<" in node:
        if whole := re.fullmatch(r"<<(\w+)(?:\.(\w+))?>>", node):
            return {"Fn::GetAtt": [whole[1], whole[2]]} if whole[2] else {"Ref": whole[1]}
        return {"Fn::Sub": re.sub(r"<<([\w.]+)>>", r"${\1}", node)}
    return node


def policy_of(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    if kind not in ELSEWHERE:
        return found
    _, attribute, many = ELSEWHERE[kind]
    (target,) = [one for name, one in found.items() if snake(name) == attribute]
    return {many: [target], "PolicyDocument": found["Policy"]}


def names_in(node: Any) -> dict[str, str]:
    """Return all names of properties by what Terraform calls them."""
    if isinstance(node, list):
        return {key: one for some in node for key, one in names_in(some).items()}
    if not isinstance(node, dict):
        return {}
    own = {snake(key): key for key in node}
    return {**{key: one for value in node.values() for key, one in names_in(value).items()}, **own}


def as_text(node: Any, *, is_body: bool = False) -> Any:
    if isinstance(node, dict):
        return {name: as_text(one, is_body=name == "DashboardBody") for name, one in node.items() if name not in FREE}
    if isinstance(node, (list, tuple)):
        return [as_text(one) for one in node]
    if is_body:
        return json.loads(node)
    return str(node).lower() if isinstance(node, bool) else str(node)


GIVEN: list[dict[str, object]] = [
    {},
    {"kms_key": KEY, "events_to_bus": "ends", "api_access": "none", "alarm_email": "ops@shop.example"},
    {"api_access": "jwt", "api_jwt_issuer": "https://id.shop.example", "api_jwt_audience": ["shop", "till"]},
    {"api_access": "private", "api_vpc_endpoints": ["vpce-1"], "log_format": "JSON", "log_level": "WARNING"},
    {"vpc_subnets": ["subnet-1", "subnet-2"], "vpc_security_groups": ["sg-1"], "critical_pollers": 5},
    {"table_capacity": "provisioned", "table_least_units": 50},
    {"critical_runs_on": "worker", "reserve_critical_concurrency": "false", "role_path": "/jobs/"},
]


@pytest.mark.parametrize("given", GIVEN)
def test_its_graph_and_each_resource_are_those_of_the_template(
    ours: dict[str, Any], files: dict[str, str], given: dict[str, Any]
) -> None:
    assert_same(ours, files, given)


def test_sources_of_events_are_in_it(tmp_path: Path) -> None:
    sources = (
        S3Created("uploads", prefix="in/", suffix=".csv"),
        EventPattern({"source": ["shop.orders"], "detail": {"total": [{"numeric": [">", 5]}]}}, bus="shop"),
        SnsTopic("orders"),
        SqsQueue("shipments"),
    )
    text = (ROOT / "template.yaml").read_text()
    template = tmp_path / "template.yaml"
    template.write_text(with_sources(text, sources_yaml(sources, template=text)))
    source = read_template(template)

    files = terraform_files(source)

    assert files["main.tf"].count('resource "awscc_events_rule"') == 2
    assert_same(translate(source), files, {})


def assert_same(ours: dict[str, Any], files: dict[str, str], given: dict[str, Any]) -> None:
    values = parameter_values(ours["Parameters"], given)
    defaults = {name: one.get("default") for name, one in blocks(parsed(files["variables.tf"]), "variable").items()}
    variables = {**worked_out(defaults, lambda _: None), "stack": "shop", "code_bucket": "code", **given}

    made = Module(parsed(files["main.tf"]), variables).template(ours)

    wanted = Resolver(ours, parameters=values, pseudo=PSEUDO).resources()
    found = Resolver(made, parameters={}, pseudo=PSEUDO).resources()
    layer = {name: "SharedLayer" for name in wanted if name.startswith("SharedLayer")}
    assert {layer.get(name, name): as_text(one) for name, one in wanted.items()} == {
        name: as_text(one) for name, one in found.items()
    }
    graphs = [graph_of(made, parameters={}, **WHERE), graph_of(ours, parameters=values, **WHERE)]
    for one in fields(graphs[0]):
        assert as_text(getattr(graphs[0], one.name)) == as_text(getattr(graphs[1], one.name)), one.name


def test_variables_and_outputs_are_the_parameters_and_the_outputs(ours: dict[str, Any], files: dict[str, str]) -> None:
    variables = blocks(parsed(files["variables.tf"]), "variable")
    outputs = blocks(parsed(files["outputs.tf"]), "output")

    assert {*map(snake, ours["Parameters"]), "stack", "code_bucket", "build"} == set(variables)
    assert set(map(snake, ours["Outputs"])) == set(outputs)


def test_its_readme_says_that_it_was_never_applied(files: dict[str, str]) -> None:
    assert "it has never been planned or applied by Terraform" in files["README.md"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"deployment": "AllAtOnce"}, "Terraform's module has no AWS::"),
        ({"resources": "own.yaml"}, "has no AWS::S3::Bucket: write Reports in Terraform, and leave it out"),
    ],
)
def test_what_it_can_not_have_is_one_line(tmp_path: Path, said: dict[str, str], words: str) -> None:
    (tmp_path / "own.yaml").write_text("Resources:\n  Reports:\n    Type: AWS::S3::Bucket\n")
    template = tmp_path / "template.yaml"
    template.write_text(product_of(tmp_path, config_of(said, tmp_path), schedules="")["template.yaml"])

    with pytest.raises(ConfigError, match=words):
        terraform_files(read_template(template))
