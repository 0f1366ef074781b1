"""`lanework dev` as a user runs it, in a copy of the example application."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lanework.local.emulator.process import wait_for
from lanework.local.project import Project, project_at
from tests.support.rights import UNDER_IAM

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LANEWORK = str(Path(sys.executable).with_name("lanework"))


def a_copy(root: Path) -> Project:
    """Return the example application in a folder of its own."""
    for folder in ("handlers", "shared/jobs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("template.yaml", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    (root / "shared" / "requirements.txt").write_text("lanework\n")
    return project_at(root)


def environment() -> dict[str, str]:
    """Return the user's environment, with credentials that must never be used and without any stack."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_"))}
    return {**mine, "AWS_ACCESS_KEY_ID": "AKIAREALLYTHEUSERS", "AWS_PROFILE": "prod", "COLUMNS": "160"}


def as_asked(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command's words, of which those that start a stack let IAM decide where the tests do."""
    starts = words[:1] in (("dev",), ("demo",))
    return (*words, "--iam") if UNDER_IAM and starts else words


def lanework(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LANEWORK, *as_asked(words)],
        cwd=project.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class Dev:
    """A running `lanework dev`, and the command beside it."""

    def __init__(self, project: Project, *words: str, answers: Path | None = None) -> None:
        self.project = project
        self.log = project.root / "dev.log"
        with self.log.open("w") as log, (answers or Path(os.devnull)).open() as said:
            self.process = subprocess.Popen(
                [LANEWORK, *as_asked(("dev", *words))],
                cwd=project.root,
                env=environment(),
                stdin=said,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def says(self, text: str, *, within_s: float = 30) -> None:
        def is_said() -> bool:
            assert self.process.poll() is None or text in self.log.read_text(), self.log.read_text()
            return text in self.log.read_text()

        wait_for(is_said, within=timedelta(seconds=within_s), what=f"{text!r} from lanework dev")

    def lanework(self, *words: str) -> str:
        done = lanework(self.project, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sh(self, script: str) -> None:
        """Run a script with the user's environment in the project's folder."""
        subprocess.run(["/bin/sh", "-c", script], cwd=self.project.root, env=environment(), check=True, timeout=60)

    def result_of(self, job_id: str, *, within_s: float = 20) -> object:
        def is_over() -> bool:
            return bool(self._get(job_id)["status"] in ("completed", "dead"))

        wait_for(is_over, within=timedelta(seconds=within_s), what=f"{job_id} to end")
        return self._get(job_id)["result"]

    def _get(self, job_id: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.lanework("get", job_id, "--json"))
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def developing(project: Project, *words: str, answers: Path | None = None) -> Iterator[Dev]:
    running = Dev(project, *words, answers=answers)
    try:
        running.says("up at http://127.0.0.1:")
        yield running
    finally:
        running.process.kill()
        running.process.wait()
