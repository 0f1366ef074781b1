"""What the template has for sources of events: written by `lanework check --write`, examined by the doctor."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from lanework import App, Jobs
from lanework.aws_events import EventPattern, S3Created, SnsTopic, SqsQueue
from lanework.aws_events.template import sources_yaml
from lanework.doctor.case import examine
from lanework.doctor.rules import RULES
from lanework.errors import ConfigError
from lanework.local.deployment.template import parsed
from lanework.local.doctor_input import code_of, template_case
from lanework.local.project_config import ProjectConfig, config_of
from lanework.starter.event_sources import sources_in, with_sources
from lanework.starter.product import product_of

ROOT = Path(__file__).parents[3]
OURS = (ROOT / "template.yaml").read_text()
SOURCES: tuple[Any, ...] = (
    S3Created("uploads", prefix="in/", suffix=".csv"),
    SnsTopic("orders"),
    SnsTopic("arn:aws:sns:eu-west-1:123456789012:news"),
    EventPattern({"source": ["shop.orders"]}, bus="shop"),
    SqsQueue("shipments"),
)


def config(**said: Any) -> ProjectConfig:
    return config_of(said, Path("pyproject.toml"))


def written(*sources: Any, template: str = OURS) -> str:
    return with_sources(template, sources_yaml(sources, template=template))


def made(*sources: Any, template: str = OURS) -> dict[str, Any]:
    found: dict[str, Any] = parsed(written(*sources, template=template), "template.yaml")["Resources"]
    return found


def complaints(text: str, *without: str) -> list[str]:
    """Return what the doctor says of sources; `without` are statements of the queue's policy to leave out."""
    template = parsed(text, "template.yaml")
    policy = template["Resources"].get("AwsEventQueuePolicy")
    if policy is not None:
        document = policy["Properties"]["PolicyDocument"]
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] not in without]
    case = template_case(template, code_of(App(Jobs(queue="none"))))
    return [f"{one.about}: {one.what}" for one in examine(case, RULES) if one.rule != "schedules"]


def test_a_template_without_sources_has_nothing_of_them() -> None:
    assert sources_yaml([], template=OURS) == ""
    assert with_sources(OURS, "") == OURS
    assert sources_in(OURS) == ""


def test_the_block_is_written_once_renewed_and_taken_away() -> None:
    text = written(*SOURCES)

    assert written(*SOURCES, template=text) == text
    assert sources_in(text) == sources_yaml(SOURCES, template=OURS)
    assert "AwsEventShipmentsQueue" not in written(*SOURCES[:4], template=text)
    assert with_sources(text, "") == OURS


def test_the_order_of_declarations_changes_nothing() -> None:
    assert len({sources_yaml(one, template=OURS) for one in itertools.permutations(SOURCES, 5)}) == 1


def test_the_doctor_has_nothing_to_say_of_what_is_written() -> None:
    assert complaints(written(*SOURCES)) == []
    assert complaints(written(SqsQueue("shipments"))) == []


@pytest.mark.parametrize(("sid", "service"), [("Rules", "events.amazonaws.com"), ("Topics", "sns.amazonaws.com")])
def test_the_doctor_asks_for_the_policy_that_lets_services_in(sid: str, service: str) -> None:
    """On an emulator events come without it; SQS on AWS refuses them."""
    said = complaints(written(*SOURCES), sid)

    assert len(said) == 2
    assert all(f"the policy of AwsEventQueue doesn't let {service} send for " in one for one in said), said


def test_only_this_stacks_rules_and_the_topics_may_send() -> None:
    resources = made(*SOURCES)
    _, rules, topics, buckets = resources["AwsEventQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert len(rules["Condition"]["ArnEquals"]["aws:SourceArn"]) == 2
    assert len(topics["Condition"]["ArnEquals"]["aws:SourceArn"]) == 2
    assert buckets["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    others = resources["AwsEventShipmentsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [one["Sid"] for one in others] == ["TlsOnly"]


def test_a_topic_of_the_templates_own_is_made_before_its_subscription() -> None:
    own = "\n  Orders:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: orders}\n"
    resources = made(SnsTopic("orders"), template=OURS.replace("\nResources:\n", f"\nResources:\n{own}"))

    (one,) = [one for name, one in resources.items() if name.startswith("AwsEventTopic")]
    assert one["Properties"]["TopicArn"] == {"Ref": "Orders"}


def test_a_topic_of_another_region_is_subscribed_there() -> None:
    (one,) = [one for name, one in made(SOURCES[2]).items() if name.startswith("AwsEventTopic")]

    assert one["Properties"]["Region"] == "eu-west-1"


def test_an_upgrade_keeps_the_block_before_a_projects_own_resources(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("Resources:\n  Uploads:\n    Type: AWS::S3::Bucket\n")
    sources = sources_yaml(SOURCES, template=OURS)
    with_block = product_of(tmp_path, config(resources="own.yaml"), schedules="", sources=sources)["template.yaml"]
    without = product_of(tmp_path, config(resources="own.yaml"), schedules="")["template.yaml"]

    assert sources_in(with_block) == sources
    assert with_sources(without, sources) == with_block
    assert with_sources(with_block, "") == without
    assert product_of(tmp_path, config(lanes=["high"]), schedules="", sources=sources)["template.yaml"].count(sources)


def test_a_template_without_resources_is_refused() -> None:
    with pytest.raises(ConfigError, match="at the end of Resources, and template"):
        with_sources("Outputs: {}\n", "  X:\n    Type: Y\n")


def test_a_gradual_deployment_leaves_the_block_as_it_was_written(tmp_path: Path) -> None:
    """The function of events has no alias; if the block changed, `lanework check` would ask for it for ever."""
    sources = sources_yaml(SOURCES, template=OURS)
    made_of = config(deployment="Canary10Percent5Minutes")
    text = product_of(tmp_path, made_of, schedules="", sources=sources)["template.yaml"]

    assert sources_in(text) == sources
