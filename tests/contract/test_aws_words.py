"""The table of what AWS documents: what moto, MiniStack and LocalStack do is what each line says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lanework.aws.clients import bare_session
from lanework.cli.main import app as command_line
from lanework.local.probe.lab import Lab, Pace
from lanework.local.probe.run import Finding, run
from lanework.local.probe.table import AS_AWS, behaviours
from lanework.testing import make_strict
from tests.support.endpoints import ON_LOCALSTACK, endpoints
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.timeout(1200)  # the first test asks for all lines, on a machine that may do other work
EMULATORS = endpoints("moto", "ministack")
KINDER = {"accepted", "failed: none", "refused with 404"}
LISTS = {
    "sqs": "list_queues",
    "dynamodb": "list_tables",
    "scheduler": "list_schedule_groups",
    "sns": "list_topics",
    "ssm": "describe_parameters",
    "iam": "list_roles",
    "lambda": "list_functions",
}
SOON = Pace(patience_s=3, quiet_s=0, long_poll_s=0, poll_s=0.2, burst=1)
"""Nothing comes much later in moto and LocalStack: they run no functions here, and no schedules."""
SLOWLY = replace(SOON, at_once=3, answer_within_s=300)
"""LocalStack is one process, which answers none sooner that is asked by more: beside other work each took a minute."""


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """Return what an emulator does, line by line. Each is asked once, MiniStack by `lanework probe`."""
    found: dict[str, dict[str, str]] = {}

    def of(emulator: str) -> dict[str, str]:
        if emulator not in found:
            endpoint = request.getfixturevalue(f"{emulator}_endpoint")
            found[emulator] = (
                by_command(endpoint, tmp_path_factory.mktemp("probe"))
                if emulator == "ministack"
                else by_hand(endpoint, list(behaviours()))
            )
        return found[emulator]

    return of


def by_hand(endpoint: str, lines: list[str], *, strict: bool = False) -> dict[str, str]:
    session = bare_session(REGION)
    if strict:
        make_strict(session)
    found: list[Finding] = []
    run(
        Lab(session=session, endpoint=endpoint, prefix="probe", pace=SLOWLY if ON_LOCALSTACK else SOON),
        lines,
        report=found.append,
    )
    return {one.line: AS_AWS if one.holds else one.seen for one in found}


def by_command(endpoint: str, folder: Path) -> dict[str, str]:
    words = ["probe", "--endpoint", endpoint, "--yes", "--report", str(folder / "report")]
    told = CliRunner().invoke(command_line, words)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert (told.exit_code, report["left"]) == (1, {}), told.output
    assert "## What differs" in (folder / "report.md").read_text()
    return {one["line"]: AS_AWS if one["verdict"] == "holds" else one["observed"] for one in report["lines"]}


@pytest.mark.filterwarnings("ignore:Tried to parse")  # moto, of what it does not know
@pytest.mark.parametrize("line", behaviours())
@pytest.mark.parametrize("emulator", EMULATORS)
def test_an_emulator_does_what_the_table_says(emulator: str, line: str, seen: Callable[[str], dict[str, str]]) -> None:
    assert getattr(behaviours()[line], emulator) == seen(emulator)[line]


@pytest.mark.parametrize("emulator", EMULATORS)
def test_a_strict_session_is_as_strict_as_aws_on_every_emulator(emulator: str, request: pytest.FixtureRequest) -> None:
    lines = [one.id for one in behaviours().values() if one.strict and getattr(one, emulator) in KINDER]

    found = by_hand(request.getfixturevalue(f"{emulator}_endpoint"), lines, strict=True)

    assert {line: what for line, what in found.items() if what != AS_AWS} == {}


@pytest.mark.parametrize("emulator", EMULATORS)
def test_nothing_that_probes_made_stays(
    emulator: str, request: pytest.FixtureRequest, seen: Callable[[str], dict[str, str]]
) -> None:
    seen(emulator)
    session = bare_session("us-east-1")

    def asked(service: Any, operation: str) -> Any:
        client = session.client(service, endpoint_url=request.getfixturevalue(f"{emulator}_endpoint"))
        return getattr(client, operation)()

    for service, operation in LISTS.items():
        assert "probe" not in str({**asked(service, operation), "ResponseMetadata": {}}), service
