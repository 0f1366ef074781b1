"""With `EventsToBus=ends` the bus is told how jobs end, and of nothing that comes before: on the embedded stack."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lanework import State
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.orders import CODE
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM
from tests.support.watched_bus import WatchedBus

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SOON = timedelta(seconds=60)


def test_each_end_is_told_and_nothing_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project(tmp_path / "shop", CODE)
    with embedded_stack(
        project, port=free_port(), parameters={"EventsToBus": "ends"}, checks_rights=UNDER_IAM
    ) as stack:
        app = application_on(stack, monkeypatch)
        bus = WatchedBus(stack)
        app.enqueue("order.take", {}, job_id="taken")
        app.enqueue("order.refuse", {}, job_id="refused")
        wait_for(lambda: app.get("refused").state is State.DEAD, within=SOON, what="a job to die")
        app.dead_letters.redrive_job("refused")
        ends = [("refused", "job.dead"), ("refused", "job.dead"), ("taken", "job.completed")]
        wait_for(lambda: len(bus.transitions()) >= len(ends), within=SOON, what="as many events as there are ends")
        assert sorted(bus.transitions()) == ends
