"""What the doctor says of log levels that Lambda filters by, and of functions that are traced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.case import Finding, examine
from lanework.doctor.rules import RULES
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case

ROOT = Path(__file__).parents[3]
LAYER = "arn:aws:lambda:us-east-1:615299751070:layer:AWSOpenTelemetryDistroPython:21"

Template = dict[str, Any]


@pytest.fixture
def ours() -> Template:
    return read_template(ROOT / "template.yaml")


def found_in(template: Template, **parameters: str) -> list[Finding]:
    return examine(template_case(template, None, parameters=parameters), RULES)


@pytest.mark.parametrize(
    ("level", "lambdas"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "WARN"), ("ERROR", "ERROR")]
)
def test_json_lines_are_kept_from_the_level_on_that_the_code_writes_in_lambdas_words(
    level: str, lambdas: str, ours: Template
) -> None:
    parameters = {"LogFormat": "JSON", "LogLevel": level, "EventsToBus": "ends"}

    assert found_in(ours, **parameters) == []
    graph = template_case(ours, None, parameters=parameters).graph
    assert {(one.log_format, one.log_level) for one in graph.functions} == {("JSON", lambdas)}
    assert all(one.log_group.endswith(one.name) for one in graph.functions)


def test_plain_text_has_no_level_which_lambda_would_refuse(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"LogLevel": "DEBUG"}).graph

    assert {(one.log_format, one.log_level) for one in graph.functions} == {("Text", None)}


def test_debug_lines_that_lambda_would_drop_are_found(ours: Template) -> None:
    ours["Globals"]["Function"]["LoggingConfig"] = {"LogFormat": "JSON"}  # without a level it is INFO

    findings = found_in(ours, LogLevel="DEBUG")

    assert {one.rule for one in findings} == {"log-levels"}
    assert findings[0].what == "its logger writes lines from DEBUG on, Lambda keeps those from INFO on"
    assert findings[0].todo.endswith("LoggingConfig: {ApplicationLogLevel: DEBUG}")


@pytest.mark.parametrize("parameters", [{"Tracing": "Active"}, {"AdotLayer": LAYER}], ids=["X-Ray", "OpenTelemetry"])
def test_traced_functions_may_send_traces_and_nothing_else_is_wide(parameters: dict[str, str], ours: Template) -> None:
    assert found_in(ours, **parameters, EventsToBus="all") == []


def test_opentelemetry_comes_with_its_layer_before_ours_and_starts_each_function(ours: Template) -> None:
    graph = template_case(ours, None, parameters={"AdotLayer": LAYER}).graph

    assert {one.layers for one in graph.functions} == {(LAYER,)}
    assert {one.variables["AWS_LAMBDA_EXEC_WRAPPER"] for one in graph.functions} == {"/opt/otel-instrument"}


def test_without_the_parameters_nothing_is_traced_and_nobody_may_send_traces(ours: Template) -> None:
    graph = template_case(ours, None).graph

    assert {one.is_traced for one in graph.functions} == {False}
    assert {one.layers for one in graph.functions} == {()}
    assert not any("AWS_LAMBDA_EXEC_WRAPPER" in one.variables for one in graph.functions)
    actions = {action for role in graph.roles for one in role.statements for action in one.actions}
    assert not any(one.startswith("xray:") for one in actions)


def test_a_wrapper_that_no_layer_brings_is_found_before_each_invocation_fails(ours: Template) -> None:
    ours["Resources"]["Clock"]["Properties"]["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/wrap"

    findings = [one for one in found_in(ours, Tracing="Active") if one.rule == "tracing"]

    assert [(one.about, one.what) for one in findings] == [
        ("Clock", "its AWS_LAMBDA_EXEC_WRAPPER is /opt/wrap, and no layer of another's brings that along")
    ]
