"""SQS's own move of dead letters, which of all emulators LocalStack alone has: a correct redrive, by the command."""

from __future__ import annotations

import signal
import subprocess

import pytest

from lanework import State
from lanework.model.lanes import Lane
from tests.support.shop import LANEWORK, Shop, ended


@pytest.mark.parametrize("rate", [(), ("--rate", "50")])
def test_what_sqs_moves_back_begins_another_life_and_a_worker_runs_it(shop: Shop, rate: tuple[str, ...]) -> None:
    shop.log = shop.root / "not-there-yet" / "log"
    ids = shop.enqueue(4)
    process = shop.worker("--lane", "high")
    shop.until(lambda: shop.are_all(ids, State.DEAD), "all to die of a folder that is missing")
    assert shop.app.inspector.counts()[Lane.HIGH].dead == 4
    shop.log.parent.mkdir()

    moved = subprocess.run(
        [LANEWORK, "dlq", "redrive", "--native", "--lane", "high", *rate, "--yes"],
        cwd=shop.root,
        env=shop.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (moved.returncode, moved.stderr.count("\n")) == (0, 1), moved.stderr
    assert moved.stderr.startswith(f"stack {shop.environment['LANEWORK_STACK']} in ")
    assert "SQS is moving the tickets of lane high" in moved.stdout
    shop.until(lambda: shop.are_all(ids, State.COMPLETED), "all of them, in their second life")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert {(one.life, one.attempts) for one in map(shop.record, ids)} == {(2, 1)}
    assert shop.app.inspector.counts()[Lane.HIGH].dead == 0
