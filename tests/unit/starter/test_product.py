"""The template is made of this repository's, of `[tool.lanework]`, and of a file of the project's own resources."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lanework.doctor.case import Code, examine
from lanework.doctor.rules import RULES
from lanework.errors import ConfigError, LaneworkError
from lanework.local.deployment.template import lanes_in, read_template
from lanework.local.doctor_input import template_case
from lanework.local.project_config import ProjectConfig, config_of
from lanework.model.lanes import ALL_LANES, Lane
from lanework.starter.leave_out import without_example, without_lanes
from lanework.starter.own_resources import with_resources
from lanework.starter.product import differences, product_of
from lanework.starter.upgrade import Fate, carry_out, upgrade

ROOT = Path(__file__).parents[3]
TEMPLATE = "template.yaml"
OURS = without_example((ROOT / TEMPLATE).read_text())
SUBSETS = [lanes for number in range(1, len(ALL_LANES)) for lanes in combinations(ALL_LANES, number)]

OWN = """\
# What our jobs store.
Parameters:
    ReportDays:
        Type: Number
        Default: 30

Resources:
    ReportBucket:  # private
        Type: AWS::S3::Bucket

    ReportPolicy:
        Type: AWS::IAM::ManagedPolicy
        Properties:
            Roles: [!Ref HighWorkerRole]
            PolicyDocument:
                Version: "2012-10-17"
                Statement:
                    - {Effect: Allow, Action: s3:PutObject, Resource: !Sub "${ReportBucket.Arn}/*"}
Outputs:
    ReportDays:
        Value: !Ref ReportDays
"""


def config(**said: Any) -> ProjectConfig:
    return config_of(said, Path("pyproject.toml"))


def template_of(root: Path, **said: Any) -> str:
    return product_of(root, config(**said), schedules="")[TEMPLATE]


def read(tmp_path: Path, text: str) -> dict[str, Any]:
    (tmp_path / "read.yaml").write_text(text)
    return read_template(tmp_path / "read.yaml")


# --- lanes


@pytest.mark.parametrize("left", SUBSETS, ids="-".join)
def test_nothing_refers_to_a_lane_that_is_left_out_and_the_dashboard_is_still_json(left: tuple[Lane, ...]) -> None:
    text = without_lanes(OURS, left)

    names = "|".join(lane.capitalize() for lane in left)
    of_a_lane = rf"\b(?:{names})(?!Size)[A-Z]\w*(?!\w)|StackName}}-(?:worker-)?(?:{'|'.join(left)})\b"
    assert [line for line in _without_words(text) if re.search(of_a_lane, line)] == []
    (body,) = re.findall(r"DashboardBody: !Sub \|\n((?: {8}.*\n)+)", text)
    assert len(json.loads(body)["widgets"]) == OURS.count('"type": ')


def _without_words(text: str) -> list[str]:
    """Return the lines without comments, descriptions and the names of DynamoDB's actions."""
    bare = re.sub(r"^ *\w*Description: (?:>-\n(?: {6}.*\n)+|.*)", "", text, flags=re.MULTILINE)
    return [re.sub(r"(?:^| )#.*|dynamodb:\w+", "", line) for line in bare.splitlines()]


@pytest.mark.parametrize("left", ALL_LANES)
def test_what_is_in_no_lane_stays_as_it_is(left: Lane) -> None:
    text = without_lanes(OURS, [left])

    changed = differences(OURS, text)
    others = [name for name in changed if not name.partition("/")[2].startswith(left.capitalize())]
    assert set(others) <= {
        *("Resources/JobPolicy", "Resources/ProducerPolicy", "Resources/EnqueuePolicy"),
        *("Resources/ClockRole", "Resources/Dashboard", "Metadata/AWS"),
    }
    assert not [
        name for name in text.splitlines() if name not in OURS.splitlines() and f"{name}," not in OURS.splitlines()
    ]


def test_a_template_of_two_lanes_has_nothing_that_the_doctor_complains_about(tmp_path: Path) -> None:
    template = read(tmp_path, template_of(tmp_path, lanes=["high", "normal"]))

    code = Code(attempts={}, schedules=(), lanes={"email.welcome": Lane.HIGH})
    assert lanes_in(template) == (Lane.HIGH, Lane.MEDIUM)
    assert examine(template_case(template, code), RULES) == []
    kinds = [one["Type"] for one in template["Resources"].values()]
    assert (kinds.count("AWS::SQS::Queue"), kinds.count("AWS::Serverless::Function")) == (4, 5)


def test_a_job_type_in_a_lane_that_is_left_out_is_found_before_it_is_deployed(tmp_path: Path) -> None:
    template = read(tmp_path, template_of(tmp_path, lanes=["critical"]))
    code = Code(attempts={}, schedules=(), lanes={"report.month": Lane.LOW, "user.otp": Lane.CRITICAL})

    (finding,) = examine(template_case(template, code), RULES)

    assert (finding.rule, finding.about) == ("lanes-of-types", "report.month")
    assert finding.what == "job type 'report.month' is in lane 'low', which this stack leaves out"
    assert finding.todo == "add it to [tool.lanework] lanes and type lanework upgrade; or move the type"


def test_all_lanes_are_there_where_nobody_chose_and_the_text_is_ours_below_a_header(tmp_path: Path) -> None:
    header, rest = template_of(tmp_path).split("\n", 2)[:2], template_of(tmp_path).split("\n", 2)[2]

    assert rest == OURS
    assert re.fullmatch(r"# Made by Lanework \S+ from \[tool\.lanework\] in pyproject\.toml: .*", header[0])
    assert all(len(line) <= 120 and line.startswith("# ") for line in header)


@pytest.mark.parametrize(
    ("lanes", "said"),
    [
        (["hihg"], "unknown lane 'hihg', did you mean 'high'?"),
        ([], 'must be a list of lanes, such as ["high", "normal"], not []'),
        ("high", 'must be a list of lanes, such as ["high", "normal"], not \'high\''),
    ],
)
def test_lanes_that_are_none_are_refused_with_what_to_write(lanes: object, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config(lanes=lanes)

    assert said in str(refused.value)
    assert str(refused.value).startswith("[tool.lanework] lanes in pyproject.toml must be")


# --- own resources


def test_own_resources_are_part_of_a_template_of_two_lanes_with_their_comments(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(OWN)

    text = template_of(tmp_path, resources="resources.yaml", lanes=["high", "normal"])

    template = read(tmp_path, text)
    (role,) = [one for one in template_case(template, None).graph.roles if one.id == "HighWorkerRole"]
    assert ("s3:PutObject",) in [one.actions for one in role.statements], "a policy beside names the role"
    assert template["Parameters"]["ReportDays"] == {"Type": "Number", "Default": 30}
    assert "  ReportBucket:  # private\n      Type: AWS::S3::Bucket\n" in text
    assert text.count("\n  # ---- From resources.yaml ----\n") == 3
    assert text.startswith("# Made by Lanework ")
    assert "and resources.yaml: change that" in text


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            "Resources:\n  JobsTable:\n    Type: x\n",
            "own.yaml: Resources/JobsTable is a name of Lanework's own template",
        ),
        ("Resource:\n  A:\n    Type: x\n", "it has 'Resource', did you mean 'Resources'?"),
        (
            "Globals:\n  Function: {}\n",
            "may have Parameters, Conditions, Resources, Outputs; it has 'Globals'",
        ),
        ("Resources: {A: {Type: x}}\n", "own.yaml: write Resources as a block"),
        ("Resources: [1]\n", "own.yaml: Resources must hold names with what each is, not [1]"),
        ("- 1\n", "own.yaml must have some of Parameters"),
        ("Resources:\n\tA: 1\n", "own.yaml is not valid YAML: "),
    ],
)
def test_a_file_of_own_resources_that_can_not_be_used_is_refused_in_one_line(own: str, said: str) -> None:
    with pytest.raises(LaneworkError) as refused:
        with_resources(OURS, own, file="own.yaml")

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_named_and_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[tool\.lanework\] resources in .* names 'own\.yaml', which can't be read"):
        template_of(tmp_path, resources="own.yaml")


# --- upgrades of the product


def write(project: Path, files: dict[str, str]) -> None:
    """Make a project of a release's files."""
    for path, text in files.items():
        for place in (project / path, project / ".lanework-base" / path):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    (project / ".lanework-release").write_text("1.0\n")


def test_lanes_that_are_chosen_later_are_left_out_and_come_back_and_a_change_by_hand_stays(tmp_path: Path) -> None:
    write(tmp_path, product_of(tmp_path, config(), schedules=""))
    template = tmp_path / TEMPLATE
    whole = template.read_text()
    mine = whole.replace("    Default: python3.13\n", "    Default: python3.12\n")
    template.write_text(mine)

    two = product_of(tmp_path, config(lanes=["high", "medium"]), schedules="")
    steps = upgrade(tmp_path, two)
    assert {step.path: step.fate for step in steps} == {TEMPLATE: Fate.MERGED}
    assert carry_out(tmp_path, steps)

    assert differences(template.read_text(), two[TEMPLATE]) == ["Parameters/Runtime"]
    assert carry_out(tmp_path, upgrade(tmp_path, product_of(tmp_path, config(), schedules="")))
    assert template.read_text() == mine


def test_a_resource_of_a_lane_that_is_left_out_and_was_changed_by_hand_is_a_conflict(tmp_path: Path) -> None:
    write(tmp_path, product_of(tmp_path, config(), schedules=""))
    template = tmp_path / TEMPLATE
    template.write_text(
        template.read_text().replace("${AWS::StackName}-worker-low\n      Role", "shop-low\n      Role")
    )

    (step,) = upgrade(tmp_path, product_of(tmp_path, config(lanes=["high"]), schedules=""))

    assert step.fate is Fate.CONFLICT
    assert not carry_out(tmp_path, [step])
    assert "<<<<<<< yours\n" in template.read_text()


def test_two_releases_of_a_product_with_own_resources_and_schedules_are_merged(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(OWN)
    chosen = config(lanes=["high", "low"], resources="resources.yaml")
    schedule = "        Nightly:\n          Type: ScheduleV2\n"
    new = product_of(tmp_path, chosen, schedules=schedule)
    old = {path: text.replace("VisibilityTimeout: 35", "VisibilityTimeout: 30") for path, text in new.items()}
    write(tmp_path, old)
    template = tmp_path / TEMPLATE
    template.write_text(template.read_text().replace("    Default: arm64\n", "    Default: x86_64\n"))

    assert carry_out(tmp_path, upgrade(tmp_path, new, release="2.0"), release="2.0")

    assert differences(template.read_text(), new[TEMPLATE]) == ["Parameters/Architecture"]
    assert schedule in template.read_text()
    assert (tmp_path / ".lanework-release").read_text() == "2.0\n"
