"""What the parent of worker processes loads: it lives as long as they do, and does nothing but look after them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lanework.edges.process.interpreter import _ME

ROOT = Path(__file__).parents[3]
OURS = {
    "lanework",
    *(f"lanework.{one}" for one in ("edges", "errors", "model", "observe")),
    *(f"lanework.edges.process{one}" for one in ("", ".beat", ".child_handle", ".config", ".health", ".interpreter")),
    *(f"lanework.edges.process.{one}" for one in ("lease_board", "lease_keeper", "log_lines")),
    *(f"lanework.edges.process.{one}" for one in ("signals", "supervise", "supervisor", "watchdog")),
    *(f"lanework.errors.{one}" for one in ("general", "jobs")),
    *(f"lanework.model.{one}" for one in ("events", "job", "job.headers", "job.job_exceptions", "lanes")),
    *(f"lanework.model.{one}" for one in ("retry", "retry.wait")),
    "lanework.observe.logs",
}
_PRINT = """
import json, sys
before = set(sys.modules)
import lanework.edges.process.supervise, lanework.edges.process.config, lanework.edges.process.log_lines
import lanework.edges.process.health
from datetime import timedelta
lanework.edges.process.supervise.LeaseKeeper(None, lease=timedelta(minutes=1)).look(lambda _: [])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(code: str) -> set[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_it_loads_the_standard_library_and_what_looks_after_processes() -> None:
    """It had the command line, boto and pydantic: 59 MB."""
    modules = loaded(_PRINT)

    ours = {one for one in modules if one.partition(".")[0] == "lanework"}
    others = {one.partition(".")[0] for one in modules - ours}
    assert others <= {*sys.stdlib_module_names, "__mp_main__"}
    assert {"asyncio", "multiprocessing.resource_tracker"} & modules == set()
    assert ours <= OURS


def test_a_child_loads_no_command_line() -> None:
    modules = loaded(
        "import json, sys; import lanework.edges.process.application_child; print(json.dumps([*sys.modules]))"
    )

    assert {"typer", "rich", "click", "lanework.cli"} & modules == set()


def test_the_file_that_starts_an_interpreter_imports_nothing_of_lanework() -> None:
    text = Path(_ME).read_text(encoding="utf-8")

    assert "import lanework" not in text
    assert "from lanework" not in text
