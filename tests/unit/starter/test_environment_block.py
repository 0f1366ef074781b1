"""What `lanework check --write` writes of `[tool.lanework.environment]` into the template, and what follows there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanework.doctor.case import examine
from lanework.doctor.rules.access import RULES as ACCESS
from lanework.doctor.rules.permissions import permissions
from lanework.errors import ConfigError
from lanework.local.deployment.template import functions, read_template
from lanework.local.doctor_input import template_case
from lanework.starter.environment_block import with_environment

TEMPLATE = (Path(__file__).parents[3] / "template.yaml").read_text()
VARIABLES = {
    "SHOP_URL": "https://${AWS::StackName}.example.com/${HOME}",
    "GREETING": 'Good "evening": yes # no',
    "PAYMENTS_KEY": "secretsmanager:shop/payments:key",
    "OTHER_KEY": "secretsmanager:shop/payments",
    "MAIL_LOGIN": "ssm:/${AWS::StackName}/mail",
}


def test_the_functions_have_the_variables_and_workers_may_read_what_they_refer_to(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(with_environment(TEMPLATE, VARIABLES))
    template = read_template(file)

    (clock,) = (one for one in functions(template) if one["Handler"] == "handlers.clock.handler")
    variables = clock["Environment"]["Variables"]
    assert variables["SHOP_URL"] == {"Fn::Sub": "https://${AWS::StackName}.example.com/${!HOME}"}
    assert variables["GREETING"] == 'Good "evening": yes # no'
    assert variables["MAIL_LOGIN"] == {"Fn::Sub": "ssm:/${AWS::StackName}/mail"}
    assert variables["LANEWORK_REFERENCES"] == "MAIL_LOGIN,OTHER_KEY,PAYMENTS_KEY"
    statements = template["Resources"]["JobPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    arn = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
    assert statements[:2] == [
        {
            "Sid": "ReferencedParameters",
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": [{"Fn::Sub": arn % ("ssm", "parameter/${AWS::StackName}/mail")}],
        },
        {
            "Sid": "ReferencedSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": [{"Fn::Sub": arn % ("secretsmanager", "secret:shop/payments-??????")}],
        },
    ]
    assert examine(template_case(template, None), (permissions, *ACCESS)) == []


def test_a_worker_that_may_not_read_what_a_variable_refers_to_is_found(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(with_environment(TEMPLATE, VARIABLES).replace("GetSecretValue", "DescribeSecret"))

    findings = examine(template_case(read_template(file), None), (permissions,))

    assert len(findings) == 5
    assert "may not secretsmanager:GetSecretValue on" in findings[0].what


def test_writing_it_again_changes_nothing_and_an_empty_table_takes_it_away() -> None:
    once = with_environment(TEMPLATE, VARIABLES)

    assert with_environment(once, VARIABLES) == once
    assert with_environment(once, {"SHOP_URL": "x"}) == with_environment(TEMPLATE, {"SHOP_URL": "x"})
    assert with_environment(once, {}) == TEMPLATE


def test_a_variable_that_the_template_sets_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="sets SMTP_HOST in Globals, and so does"):
        with_environment(TEMPLATE, {"SMTP_HOST": "mail"})


def test_a_template_that_has_no_place_for_it_says_so() -> None:
    with pytest.raises(ConfigError, match="has no policy JobPolicy as Lanework wrote it"):
        with_environment(TEMPLATE.replace("  JobPolicy:\n", "  OwnPolicy:\n"), VARIABLES)
