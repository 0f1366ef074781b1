"""The files of a Terraform module that is a template: a resource for each resource, a variable for each parameter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import ConfigError
from lanework.local.deployment.code_assets import code_folders
from lanework.local.deployment.parameter_values import snake
from lanework.local.deployment.sam_transform import translate
from lanework.local.deployment.template import LAYER
from lanework.local.terraform.expressions import REFS, Expressions, quoted, resource_type, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BUCKET: Final = "code"
_OF_SAM: Final = [{"Key": "lambda:createdBy", "Value": "SAM"}]
_VARIABLE_TYPES: Final = {"Number": "number", "CommaDelimitedList": "list(string)"}
_OWN_VARIABLES: Final = {
    "stack": "Name of the stack, such as shop-prod: what LANEWORK_STACK of a producer is.",
    "code_bucket": "Name of a bucket in this region that the code is put into.",
    "build": "What `make build` made for runtime and architecture: the folder .aws-sam/build.",
}
KNOWN: Final = frozenset(
    {
        *(one for one in REFS if one != "AWS::IAM::Policy"),
        "AWS::ApiGateway::Method",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Events::Rule",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }
)
"""Types that Lanework's own template has, sources of events included, without a gradual deployment."""

MADE: Final = "Made by `lanework terraform` from template.yaml"
"""Is in each file."""

_HEADER: Final = f"# {MADE}: change that, and make this anew.\n"

_PROVIDERS: Final = """
terraform {
  required_version = ">= 1.5"
  required_providers {
    archive = { source = "hashicorp/archive", version = ">= 2.4" }
    aws     = { source = "hashicorp/aws", version = ">= 5.0" }
    awscc   = { source = "hashicorp/awscc", version = ">= 1.0" }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
"""

_CODE: Final = """
data "archive_file" "@name@" {
  type        = "zip"
  source_dir  = "${var.build}/@folder@"
  output_path = "${var.build}/@name@.zip"
}

resource "aws_s3_object" "@name@" {
  bucket = var.code_bucket
  key    = "${var.stack}/@name@-${data.archive_file.@name@.output_sha256}.zip"
  source = data.archive_file.@name@.output_path
}
"""

README: Final = """\
# Lanework as a Terraform module

Made by `lanework terraform` from template.yaml: a resource for each of its resources, a variable for each parameter, an
output for each output. Nearly all are of HashiCorp's provider `awscc`, whose attributes are made from CloudFormation's
schemas: each has CloudFormation's name in other letters. Policies of queues and topics are the provider `aws`'s.

**This has been parsed and compared with template.yaml as a graph; it has never been planned or applied by Terraform.**
Read the first plan line by line.

```hcl
module "jobs" {
  source      = "./infra/terraform"
  stack       = "shop-prod"
  build       = "${path.root}/.aws-sam/build"
  code_bucket = "shop-artifacts"
  alarm_email = "ops@shop.example"
}
```

Type `make build` before `terraform plan`: `runtime` and `architecture` must be those that it built for.
`lanework doctor` of a deployed stack asks CloudFormation for it, and finds none; the rest of the command line needs
`LANEWORK_STACK` only.
"""


def terraform_files(source: dict[str, Any]) -> dict[str, str]:
    """
    Return the module's files by their names.

    Args:
        source: The project's template, as `read_template` returned it.

    Raises:
        ConfigError: It has what the module can't have: another type of resource, or a gradual deployment.
        StackError: The SAM transform refuses it.
    """
    names = {folder: _code_name(source, name) for folder, name in code_folders(source).items()}
    if len(set(names.values())) < len(names):
        msg = f"Terraform's module has one layer and one folder of functions, and template.yaml has {', '.join(names)}"
        raise ConfigError(msg)
    template = _renamed(translate(source, lambda folder, _: f"s3://{_BUCKET}/{names[folder]}"), source)
    for name, one in template["Resources"].items():
        if one["Type"] not in KNOWN:
            msg = (
                f"Terraform's module has no {one['Type']}: write {name} in Terraform, and leave it out of template.yaml"
            )
            raise ConfigError(msg)
    words = Expressions(template=template, given=dict(map(_place, names.values())))
    code = [
        _CODE.replace("@name@", names[folder]).replace("@folder@", name)
        for folder, name in code_folders(source).items()
    ]
    main = [_HEADER, _PROVIDERS, *code, *_conditions(template, words), *_rules(template, words)]
    return {
        "main.tf": "".join([*main, *_resources(template, words)]),
        "variables.tf": "".join([_HEADER, *_variables(template)]),
        "outputs.tf": "".join([_HEADER, *_outputs(template, words)]),
        "README.md": README,
    }


def _code_name(source: Mapping[str, Any], name: str) -> str:
    return "layer" if source["Resources"][name]["Type"] == LAYER else "functions"


def _place(name: str) -> tuple[str, str]:
    """Return a place of code as the translated template has it, and as Terraform has it."""
    found = f"{{ s3_bucket = var.code_bucket, s3_key = aws_s3_object.{name}.key }}"
    return json.dumps({"S3Bucket": _BUCKET, "S3Key": name}, sort_keys=True), found


def _renamed(template: dict[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template with its layers' own names, to which the SAM transform adds what changes with their code."""
    text = json.dumps(template)
    for name, one in source["Resources"].items():
        if one.get("Type") == LAYER:
            text = re.sub(rf'"{name}[0-9a-f]{{10}}"', f'"{name}"', text)
    renamed: dict[str, Any] = json.loads(text)
    for one in renamed["Resources"].values():
        if one.get("Properties", {}).get("Tags") == _OF_SAM:
            del one["Properties"]["Tags"]
    return renamed


def _conditions(template: Mapping[str, Any], words: Expressions) -> Iterator[str]:
    yield "\nlocals {\n"
    for name, one in template.get("Conditions", {}).items():
        yield f"  {name} = {words.condition(one)}\n"
    yield "}\n"


def _rules(template: Mapping[str, Any], words: Expressions) -> Iterator[str]:
    yield '\nresource "terraform_data" "rules" {\n  lifecycle {\n'
    for rule in template.get("Rules", {}).values():
        spared = f"!({words.condition(rule['RuleCondition'])}) || " if "RuleCondition" in rule else ""
        for one in rule["Assertions"]:
            yield f"    precondition {{\n      condition     = {spared}({words.condition(one['Assert'])})\n"
            yield f"      error_message = {quoted(one['AssertDescription'])}\n    }}\n"
    yield "  }\n}\n"


def _resources(template: Mapping[str, Any], words: Expressions) -> Iterator[str]:
    for name, one in template["Resources"].items():
        lines = [f"count = local.{one['Condition']} ? 1 : 0"] if "Condition" in one else []
        lines += [f"{key} = {value}" for key, value in words.attributes(one["Type"], one.get("Properties", {})).items()]
        if "DependsOn" in one:
            on = [one["DependsOn"]] if isinstance(one["DependsOn"], str) else one["DependsOn"]
            to = [f"{resource_type(template['Resources'][other]['Type'])}.{other}" for other in on]
            lines.append(f"depends_on = {wrapped('[', to, ']')}")
        yield _block(f'resource "{resource_type(one["Type"])}" "{name}"', lines)


def _variables(template: Mapping[str, Any]) -> Iterator[str]:
    for name, said in _OWN_VARIABLES.items():
        yield _block(f'variable "{name}"', ["type = string", f"description = {quoted(said)}"])
    for name, one in template.get("Parameters", {}).items():
        kind = _VARIABLE_TYPES.get(one["Type"], "string")
        lines = [f"type = {kind}"]
        if "Default" in one:
            default = str(one["Default"])
            listed = json.dumps([part for part in default.split(",") if part])
            lines.append(
                f"default = {listed if kind.startswith('list') else default if kind == 'number' else quoted(default)}"
            )
        if "Description" in one:
            lines.append(f"description = {quoted(one['Description'])}")
        yield _block(f'variable "{snake(name)}"', lines, _validations(f"var.{snake(name)}", name, one))


def _validations(variable: str, name: str, one: Mapping[str, Any]) -> list[str]:
    """Return the blocks that hold a variable to what the template says of its parameter."""
    found = []
    if allowed := [str(value) for value in one.get("AllowedValues", [])]:
        condition = f"contains({json.dumps(allowed)}, tostring({variable}))"
        found.append((condition, f"must be one of {', '.join(allowed)}"))
    for key, sign, word in (("MinValue", ">=", "least"), ("MaxValue", "<=", "most")):
        if key in one:
            found.append((f"{variable} {sign} {one[key]}", f"must be at {word} {one[key]}"))
    if "AllowedPattern" in one:
        text = f'join(",", {variable})' if one["Type"] == "CommaDelimitedList" else variable
        said = one.get("ConstraintDescription", f"must be like {one['AllowedPattern']}")
        found.append((f"can(regex({quoted(one['AllowedPattern'])}, {text}))", said))
    return [
        f"validation {{\n  condition     = {condition}\n  error_message = {quoted(f'{snake(name)} {said}.')}\n}}"
        for condition, said in found
    ]


def _outputs(template: Mapping[str, Any], words: Expressions) -> Iterator[str]:
    for name, one in template.get("Outputs", {}).items():
        value = words.of(one["Value"])
        if "Condition" in one:
            value = f"local.{one['Condition']} ? {value} : null"
        said = [f"description = {quoted(one['Description'])}"] if "Description" in one else []
        yield _block(f'output "{snake(name)}"', [*said, f"value = {value}"])


def _block(head: str, lines: list[str], blocks: list[str] | None = None) -> str:
    inside = "".join(f"  {one.replace(chr(10), chr(10) + '  ')}\n" for one in [*lines, *(blocks or [])])
    return f"\n{head} {{\n{inside}}}\n"
