"""A worker process of a Django project: many jobs at once, and no connection more than before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lanework import Lane
from lanework.local.emulator.process import start_emulator, wait_for
from tests.support.django_projects import open_on
from tests.support.stacks import REGION, make_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent / "project"
SOON = timedelta(seconds=120)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Queues and tables, and an environment that names them."""
    emulator = start_emulator(tmp_path, persist=False, drain=timedelta(0))
    here = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
    for name, value in {**here, "LANEWORK_STACK": "shop", "AWS_ENDPOINT_URL": emulator.endpoint}.items():
        monkeypatch.setenv(name, value)
    make_stack("shop", emulator.endpoint)
    yield
    emulator.stop()


@pytest.mark.usefixtures("stack")
def test_a_worker_with_many_slots_leaves_as_many_connections_as_there_were(tmp_path: Path, server: Any) -> None:
    from lanework.django.application import application  # noqa: PLC0415 - Django is set up by now

    app = application()
    before = open_on(server)
    jobs = app.enqueue_many(
        [app.request("shop.tasks.slow_count", {"args": ["postgresql"]}, job_id=f"count-{one}") for one in range(300)]
    )
    command = [sys.executable, "manage.py", "lanework_worker", "--lane", "medium", "--concurrency", "8"]
    with (tmp_path / "worker.out").open("w") as said:
        worker = subprocess.Popen(command, cwd=PROJECT, stdout=said, stderr=said, env=os.environ.copy())
    try:
        wait_for(lambda: app.get(jobs[-1].job_id).state == "completed", within=SOON, what="the last job")
        wait_for(lambda: app.inspector.counts_of(Lane.MEDIUM).holds_anything is False, within=SOON, what="the others")
        wait_for(lambda: open_on(server) == before, within=SOON, what="the connections")
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    assert {app.get(one.job_id).state.value for one in jobs} == {"completed"}
    assert worker.returncode == 0
