"""cfn-lint on the templates that a project's choices make: one run takes seconds, so the choices are made together."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanework.local.deployment.declared_schedules import events_yaml
from lanework.local.deployment.sam_transform import lint_template
from lanework.local.deployment.template import read_template
from lanework.local.project_config import config_of
from lanework.model.schedule.schedule import Schedule
from lanework.model.schedule.timetable import Timetable
from lanework.starter.environment_block import with_environment
from lanework.starter.product import product_of
from lanework.starter.schedules import with_schedules

ENVIRONMENT = {
    "SHOP_URL": "https://${AWS::StackName}.example.com/${HOME}",
    "GREETING": 'Good "evening": yes # no',
    "PAYMENTS_KEY": "secretsmanager:shop/payments:key",
    "MAIL_LOGIN": "ssm:/${AWS::StackName}/mail",
}
SCHEDULES = [
    Schedule(
        name="job.clean_up-2", job_type="job.clean_up-2", timetable=Timetable(cron="30 2 * * MON", tz="Asia/Tokyo")
    )
]


@pytest.mark.parametrize("choices", [{}, {"deployment": "Canary10Percent5Minutes", "lanes": ["high", "low"]}])
def test_cfn_lint_finds_nothing_to_say_about_what_is_made(tmp_path: Path, choices: dict[str, object]) -> None:
    text = product_of(Path(), config_of(choices, Path("pyproject.toml")), schedules="")["template.yaml"]
    file = tmp_path / "template.yaml"
    file.write_text(
        text if not choices else with_schedules(with_environment(text, ENVIRONMENT), events_yaml(SCHEDULES))
    )

    assert lint_template(read_template(file)) == []
