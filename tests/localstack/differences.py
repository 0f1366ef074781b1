"""What LocalStack is known to do otherwise, by the test or the file that shows it; every other test must pass there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_CLOUDFORMATION: Final = "host mode comes without what its CloudFormation imports"

NEVER: Final = {
    "integration/test_cli_dlq.py::test_where_sqs_cannot_move_messages_the_way_that_works_is_named": (
        "its SQS can move messages"
    ),
    "integration/test_cli_target.py::test_a_production_stack_asks_for_its_name": NO_CLOUDFORMATION,
    "integration/test_cli_target.py::test_a_script_names_a_production_stack_on_its_command_line": NO_CLOUDFORMATION,
    "integration/test_cli_webhooks.py::test_without_a_secret_of_the_stack_no_receiver_has_one": (NO_CLOUDFORMATION),
    **{
        f"integration/test_group_commit.py::{name}": "its DynamoDB, which is moto's, has no PartiQL batches"
        for name in (
            "test_writes_that_meet_share_a_call_where_the_endpoint_has_partiql",
            "test_records_that_starts_make_share_a_call_and_who_has_an_id_is_said",
            "test_sixteen_jobs_that_are_recorded_when_they_start_are_two_writes_each_in_few_calls",
        )
    },
    "contract/test_lanes.py::test_dead_letters_are_moved_back_or_the_endpoint_is_named_that_cannot": (
        "its SQS can move messages: tests/localstack/test_native_move.py"
    ),
}
"""Tests that fail there, and why. One that passes after all fails the run, so that it goes from here."""

NOT_RUN: Final = {
    "contract/test_aws_words.py::test_nothing_that_probes_made_stays": (
        "host mode runs no functions, and can't delete those that never ran"
    ),
    "contract/test_proof_on_moto.py::test_no_promise_breaks_with_the_records_in_dynamodb": (
        "its DynamoDB is moto's: `make test` runs it on that, in a tenth of the time"
    ),
    "integration/test_group_commit.py::test_a_statement_does_what_the_single_write_does": (
        "for minutes, to find that moto has no PartiQL batches"
    ),
    "integration/test_guard.py": "it is about what the embedded stack puts before its port",
    "integration/test_worker_memory.py::test_memory_stays_flat": "it is about our process, for minutes",
}
"""Tests that would show nothing there but its speed, and why."""


def told_apart(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Mark the tests that differ; return those to run and those not to."""
    for item in items:
        for reason in _known(item, NEVER):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    left_out = [item for item in items if any(_known(item, NOT_RUN))]
    return [item for item in items if item not in left_out], left_out


def _known(item: pytest.Item, differences: dict[str, str]) -> Iterator[str]:
    if "[memory]" in item.nodeid:
        return
    name = item.nodeid.partition("[")[0].removeprefix("tests/")
    for known in (name, name.partition("::")[0]):
        if known in differences:
            yield differences[known]
