"""The application's job types, as declared."""

from __future__ import annotations

import subprocess
import sys

from jobs import cleanup, demo, email, reports
from lanework.model.payload import public_part

FAMILIES = (email.email, reports.report, cleanup.cleanup, demo.demo)


def test_every_lane_has_its_job_types() -> None:
    expected = {
        ("user.otp", "critical", 3),
        ("user.signin.notification", "high", 5),
        ("payment.notification", "high", 3),
        ("email.send", "medium", 3),
        ("report.transactions", "low", None),
        ("cleanup.expired-tokens", "batch", None),
        ("demo.flaky", "medium", 3),
        ("demo.doomed", "high", 2),
        ("demo.crash", "critical", None),
        ("demo.greet", "medium", None),
    }

    assert expected == {
        (one.name, one.options.lane, one.options.attempts) for family in FAMILIES for one in family.types
    }


def test_of_a_sign_in_only_the_provider_may_be_logged() -> None:
    signin = email.SignIn.model_validate(
        {
            "userId": "u1",
            "email": "bat@example.com",
            "name": "Bat",
            "provider": "github",
            "ipAddress": "::1",
            "userAgent": "",
        }
    )

    assert {"provider": "github"} == public_part(signin)


def test_of_a_one_time_code_only_purpose_may_be_logged() -> None:
    assert {"purpose": "sign-in"} == public_part(email.Otp(email="bat@example.com", code="012345"))


def test_importing_the_jobs_loads_no_aws_library_and_no_template_engine() -> None:
    code = "import sys, jobs; print(sorted({'boto3', 'botocore', 'pynamodb', 'jinja2'} & set(sys.modules)))"
    imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert b"[]" == imported.stdout.strip()
