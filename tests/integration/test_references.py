"""A function's cold start reads what its variables refer to, before it imports the application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lanework.aws.references import read_references
from lanework.errors import ConfigError
from lanework.local.emulator.subprocess_env import clean_environment
from lanework.settings import Settings
from tests.support.localstack_session import session_for
from tests.support.stacks import REGION

ROOT = Path(__file__).parents[2]


@pytest.fixture
def prefix(moto_endpoint: str) -> str:
    """Return the beginning of the names of what this test alone keeps: a parameter, and secrets of each kind."""
    prefix = f"shop-{uuid4().hex[:8]}"
    session = session_for(moto_endpoint)
    session.client("ssm").put_parameter(Name=f"/{prefix}/mail", Value="me:secret", Type="SecureString")
    secrets: Any = session.client("secretsmanager")
    secrets.create_secret(Name=f"{prefix}/payments", SecretString=json.dumps({"key": "sk_live", "port": 587}))
    secrets.create_secret(Name=f"{prefix}/plain", SecretString="just text")
    secrets.create_secret(Name=f"{prefix}/binary", SecretBinary=b"\x00")
    return prefix


def started(handler: str, variables: dict[str, str], endpoint: str) -> subprocess.CompletedProcess[str]:
    """Import a handler as Lambda does, and print what its environment then says of the variables."""
    environ = {
        **clean_environment(),
        "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}",
        "LANEWORK_STACK": "shop",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "APP_TABLE": "shop-app",
        "POWERTOOLS_SERVICE_NAME": "shop",
        **variables,
    }
    names = variables["LANEWORK_REFERENCES"].split(",")
    code = f"import handlers.{handler}, json, os; print(json.dumps([os.environ[one] for one in {names!r}]))"
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_worker_has_the_values_once_its_application_is_imported(prefix: str, moto_endpoint: str) -> None:
    variables = {
        "LANEWORK_REFERENCES": "MAIL_LOGIN,PAYMENTS,PAYMENTS_KEY,PAYMENTS_PORT",
        "MAIL_LOGIN": f"ssm:/{prefix}/mail",
        "PAYMENTS": f"secretsmanager:{prefix}/plain",
        "PAYMENTS_KEY": f"secretsmanager:{prefix}/payments:key",
        "PAYMENTS_PORT": f"secretsmanager:{prefix}/payments:port",
    }

    worker = started("worker", {**variables, "LANEWORK_LANE": "high"}, moto_endpoint)
    clock = started("clock", variables, moto_endpoint)

    assert json.loads(worker.stdout) == ["me:secret", "just text", "sk_live", "587"], worker.stderr
    assert json.loads(clock.stdout)[0] == f"ssm:/{prefix}/mail"  # it runs no jobs, and may read no secret of theirs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("secretsmanager:{}/none", "reading the secret {}/none: "),
        ("ssm:/{}/none", "reading the SSM parameter /{}/none: "),
        ("secretsmanager:{}/binary", "the secret {}/binary is binary: keep text in it"),
        (
            "secretsmanager:{}/plain:key",
            "KEY refers to key of the secret {}/plain, which is no JSON object that has it",
        ),
        (
            "secretsmanager:{}/payments:no",
            "KEY refers to no of the secret {}/payments, which is no JSON object that has it",
        ),
        ("vault:{}", "KEY = 'vault:{}' is no reference: write it as ssm:/path/name, secretsmanager:name"),
    ],
)
def test_what_can_not_be_read_is_one_line_that_shows_no_secret(
    prefix: str, moto_endpoint: str, text: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    settings = Settings(stack="shop", region=REGION, endpoint=moto_endpoint)

    with pytest.raises(ConfigError) as refused:
        read_references(settings, {"KEY": text.format(prefix)})

    assert str(refused.value).startswith(problem.format(prefix))
    assert "\n" not in str(refused.value)
    assert "just text" not in str(refused.value)
