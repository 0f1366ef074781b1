"""Values for the template's parameters in Python's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanework.errors import ConfigError
from lanework.local.deployment.parameter_values import parameter_values
from lanework.local.deployment.template import read_template

TOKEN = "${Token[Key.Arn.12]}"


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    declared: dict[str, Any] = read_template(Path(__file__).parents[3] / "template.yaml")["Parameters"]
    return declared


def test_what_is_not_given_has_its_default(ours: dict[str, Any]) -> None:
    values = parameter_values(ours, {"critical_workers": 30, "api_jwt_issuer": "https://id.shop.example"})

    assert set(ours) == set(values)
    assert ("30", "900") == (values["CriticalWorkers"], values["LookAheadSeconds"])
    assert "https://id.shop.example" == values["ApiJwtIssuer"]


def test_truth_values_and_lists_are_written_as_cloudformation_has_them(ours: dict[str, Any]) -> None:
    values = parameter_values(ours, {"deletion_protection": True, "vpc_subnets": ["subnet-1", "subnet-2"]})

    assert ("true", "subnet-1,subnet-2") == (values["DeletionProtection"], values["VpcSubnets"])


def test_what_only_the_deployment_knows_may_be_given_for_texts(ours: dict[str, Any]) -> None:
    assert TOKEN == parameter_values(ours, {"kms_key": TOKEN})["KmsKey"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"alarm_mail": "a@b"}, "template.yaml has no parameter 'alarm_mail', did you mean 'alarm_email'?"),
        ({"alarm_email": "ops"}, "alarm_email must be an e-mail address, not 'ops'"),
        ({"architecture": "arm"}, "architecture must be one of arm64, x86_64, not 'arm'"),
        ({"tracing": TOKEN}, "tracing must be one of PassThrough, Active"),
        ({"high_workers": 1}, "high_workers must be a number, at least 2 and at most 1000, not '1'"),
        ({"high_workers": "many"}, "not 'many'"),
        ({"api_concurrency": -1}, "api_concurrency must be a number, at least 0 and at most 1000, not '-1'"),
        ({"alarm_email": None}, "alarm_email must be a text, a number, True, False or a list of texts, not None"),
    ],
)
def test_a_value_that_the_template_does_not_take_is_one_line(
    ours: dict[str, Any], given: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parameter_values(ours, given)

    assert words in str(refused.value)


def test_secrets_and_what_is_in_ssm_stay_parameters() -> None:
    declared: dict[str, Any] = {
        "Token": {"Type": "String", "NoEcho": True, "Default": ""},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"},
        "Named": {"Type": "String"},
        "Days": {"Type": "Number", "Default": 0},
    }

    assert {"Days": "0"} == parameter_values(declared, {})
    with pytest.raises(ConfigError, match="write cdk deploy --parameters Token=…"):
        parameter_values(declared, {"token": "x"})
