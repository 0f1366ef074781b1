"""`lanework env`, and that no command means AWS where no stack is named and none runs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from dotenv import dotenv_values

from lanework.cli.env import Format, text_of
from lanework.cli.main import main
from lanework.embedded import StackHandle, handle_file
from lanework.local.stack.producer_env import enter, environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDLE = StackHandle(
    endpoint="http://127.0.0.1:1", region="us-east-1", stack="lanework", pid=os.getpid(), started_at=datetime.now(UTC)
)
VALUES = {"LANEWORK_STACK": "lanework", "MAIL_FROM": "Shop's \\ <no-reply@example.com>", "TWO": "a\nb $HOME"}
USERS = {
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ENDPOINT_URL_SQS": "https://sqs.eu-west-1.amazonaws.com",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CONFIG_FILE": "/home/ann/.aws/config",
}


class Functions:
    """What Lambda answers of a stack's two functions, and of another's."""

    functions: Any

    def __init__(self) -> None:
        self.functions = self

    def list_functions(self) -> dict[str, Any]:
        found = {
            "lanework-worker-high": {"LANEWORK_LANE": "high", "APP_TABLE": "lanework-app", "AWS_ENDPOINT_URL": "x"},
            "lanework-api": {"APP_TABLE": "lanework-app", "LANEWORK_API_TOKENS": "admin:1"},
            "other-api": {"OTHER": "1"},
        }
        return {
            "Functions": [
                {"FunctionName": name, "Environment": {"Variables": variables}} for name, variables in found.items()
            ]
        }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, in which this process is with the user's credentials, and whose embedded stack was killed."""
    (tmp_path / "template.yaml").touch()
    (tmp_path / "pyproject.toml").write_text("[tool.lanework]\n")
    for name in ("handlers", "shared", ".lanework"):
        (tmp_path / name).mkdir()
    gone = {"endpoint": HANDLE.endpoint, "region": HANDLE.region, "stack": HANDLE.stack, "pid": HANDLE.pid}
    handle_file(tmp_path).write_text(json.dumps({**gone, "started_at": "2026-01-01T00:00:00+00:00"}))
    for name in ("LANEWORK_STACK", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**USERS, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAREALLYTHEUSERS"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path / "shared")
    return tmp_path


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Restores this process's environment after a test that lets it enter a stack's."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line with which a command ends."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (1, "", 1)
    return said.err


@pytest.mark.usefixtures("folder")
def test_env_of_a_folder_where_nothing_runs_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "env") == (
        "lanework: no embedded stack runs in this folder or above: start it with `lanework dev`\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("stats",),
        ("list",),
        ("get", "job-1"),
        ("enqueue", "demo.greet", "--payload", "{}"),
        ("worker", "--lane", "low"),
        ("pause", "--lane", "low"),
        ("dlq", "list"),
        ("doctor",),
        ("webhooks", "list"),
        ("schedules", "list"),
        ("list", "--profile", "default"),
    ],
    ids=" ".join,
)
def test_a_command_that_names_no_stack_and_finds_none_never_means_aws(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("LANEWORK_STACK=shop-prod\n")
    (folder / "config").write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))

    said = refusal(capsys, *words)

    assert "set LANEWORK_STACK" in said
    assert "or start the embedded stack with `lanework dev`" in said


def test_sh_can_evaluate_what_is_printed_and_drops_the_users_own() -> None:
    text = text_of(VALUES, Format.SH, drop=("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS"))
    script = f'{text}\nprintf "%s|%s|%s" "$MAIL_FROM" "$TWO" "${{AWS_PROFILE-none}}"'

    done = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": os.environ["PATH"], **USERS}, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{VALUES['MAIL_FROM']}|{VALUES['TWO']}|none"
    assert text.splitlines()[0] == "unset AWS_PROFILE AWS_ENDPOINT_URL_SQS"
    assert shlex.split(text.splitlines()[1]) == ["export", "LANEWORK_STACK=lanework"]


def test_dotenv_can_be_read_back(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    file.write_text(text_of(VALUES, Format.DOTENV))

    assert dotenv_values(file, interpolate=False) == VALUES


def test_json_is_one_object() -> None:
    assert json.loads(text_of(VALUES, Format.JSON)) == VALUES


def test_a_producer_has_what_the_functions_share_and_nothing_of_one_alone() -> None:
    found = environment_of(HANDLE, Functions())  # type: ignore[arg-type]

    assert {"APP_TABLE": "lanework-app", "LANEWORK_STACK": "lanework"}.items() <= found.items()
    assert (found["AWS_ENDPOINT_URL"], found["AWS_ACCESS_KEY_ID"]) == (HANDLE.endpoint, "test")
    assert {"OTHER", "LANEWORK_LANE", "LANEWORK_API_TOKENS"} & set(found) == set()


@pytest.mark.usefixtures("as_it_was")
def test_nothing_that_the_user_says_of_aws_stays_once_the_embedded_stack_is_entered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An endpoint for one service, or a profile with one, led boto's clients of a job past the emulator."""
    for name, value in {**USERS, "no_proxy": "internal"}.items():
        monkeypatch.setenv(name, value)

    enter(HANDLE, Functions())  # type: ignore[arg-type]

    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS"} & set(os.environ)
    assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" not in os.environ
    assert os.environ["AWS_CONFIG_FILE"] == os.devnull
    assert os.environ["no_proxy"] == "127.0.0.1,localhost"  # a user's own counts more than NO_PROXY
