"""`lanework probe`: never an account by accident, never something left, and a bound to what it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lanework.aws.clients import bare_session
from lanework.errors import ConfigError, InvalidOptionError, NotConfirmedError, UnknownNameError
from lanework.local.probe.lab import Lab, Pace
from lanework.local.probe.run import Finding, run
from tests.support.commands import run as run_command
from tests.support.stacks import REGION


def a_lab(endpoint: str, prefix: str, *, most_calls: int = 1000) -> Lab:
    pace = Pace(patience_s=1, quiet_s=0, long_poll_s=0, poll_s=0.1, most_calls=most_calls)
    return Lab(session=bare_session(REGION), endpoint=endpoint, prefix=prefix, pace=pace)


def queues(endpoint: str, prefix: str) -> list[str]:
    sqs = bare_session(REGION).client("sqs", endpoint_url=endpoint)
    return sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])


@pytest.mark.parametrize(
    "words",
    [(), ("--region", "eu-west-1"), ("--profile", "p"), ("--profile", "p", "--endpoint", "http://127.0.0.1:1")],
)
def test_an_account_is_named_on_the_command_line_or_nothing_is_probed(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "a"}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InvalidOptionError, match="--endpoint"):
        run_command("probe", *words, "--yes")


def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="profile nobody"):
        run_command("probe", "--region", "eu-west-1", "--profile", "nobody", "--yes")


def test_a_line_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown line 'sqx'"):
        run_command("probe", "sqx", "--endpoint", "http://127.0.0.1:1", "--yes")


def test_nothing_is_made_before_somebody_agrees(moto_endpoint: str) -> None:
    before = queues(moto_endpoint, "lwprobe")

    with pytest.raises(NotConfirmedError):
        run_command("probe", "sqs", "--endpoint", moto_endpoint)

    assert queues(moto_endpoint, "lwprobe") == before


def test_some_lines_are_looked_at_and_written_down(moto_endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "found"

    told = run_command("probe", "sqs_batch_e", "--endpoint", moto_endpoint, "--yes", "--report", str(file))

    assert (told.exit_code, told.stdout.split(".")[0]) == (0, "2 as documented")
    assert "An emulator charges nothing" in told.stderr
    report = json.loads((tmp_path / "found.json").read_text())
    assert [(one["line"], one["verdict"]) for one in report["lines"]] == [
        ("sqs_batch_entries", "holds"),
        ("sqs_batch_entry_id", "holds"),
    ]
    assert report["left"] == {}
    assert "sqs_batch_entry_id" in (tmp_path / "found.md").read_text()


def test_ctrl_c_deletes_what_was_made(moto_endpoint: str) -> None:
    lab = a_lab(moto_endpoint, "interrupted")

    def interrupt(_: Finding) -> None:
        assert queues(moto_endpoint, "interrupted") != []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(lab, ["sqs_delay", "sqs_characters", "sqs_handle"], report=interrupt)

    assert (queues(moto_endpoint, "interrupted"), lab.left) == ([], {})


def test_a_run_ends_after_all_the_calls_that_it_may_make(moto_endpoint: str) -> None:
    lab, found = a_lab(moto_endpoint, "bounded", most_calls=3), list[Finding]()

    run(lab, ["sqs_handle", "sqs_move_task", "sqs_deleted_twice"], report=found.append)

    assert {(one.holds, one.seen) for one in found} == {(None, "3 calls were made")}
    assert (queues(moto_endpoint, "bounded"), lab.left) == ([], {})
