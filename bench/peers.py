"""Which systems are measured, in which pinned environment, and how each is started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent
SYSTEMS: Final = ROOT / "systems"
ENVIRONMENTS: Final = ROOT / ".environments"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """
    A way to run jobs.

    Attributes:
        name: As the tables show it.
        folder: Its code, below systems/.
        variant: What of it.
        needs: What its environment holds: pip's requirements, or npm's; nothing: the project's own.
        worker: The command of its worker; `{slots}`, `{queue}` and `{redis}` are replaced, the first word is looked up
            in its environment.
        on: `aws`, or `redis`: another broker, named as what it is.
        keeps_results: Whether a job's result can be read afterwards.
        has_bulk: Whether it sends more than one job in a call.
    """

    name: str
    folder: str
    variant: str = ""
    needs: tuple[str, ...] = ()
    worker: tuple[str, ...]
    on: str = "aws"
    keeps_results: bool = True
    has_bulk: bool = True

    @property
    def home(self) -> Path:
        """Where its code is."""
        return SYSTEMS / self.folder

    @property
    def environment(self) -> Path:
        """Where its packages are."""
        return ENVIRONMENTS / self.folder

    def command(self, *, slots: int, queue: str, redis: str) -> list[str]:
        """Return its worker's command line."""
        first, *rest = (word.format(slots=slots, queue=queue, redis=redis) for word in self.worker)
        return [self._program(first), *rest]

    def producer(self, mode: str, count: int, work: str, size: int) -> list[str]:
        """Return its producer's command line."""
        words = [mode, str(count), work, str(size)]
        if self.folder == "bullmq":
            return [self._program("node"), "produce.mjs", *words]
        return [self._program("python"), str(ROOT / "work" / "produce.py"), *words]

    def _program(self, name: str) -> str:
        if name == "node":
            return name
        if not self.needs:
            return str(Path(sys.executable).with_name(name))
        return str(self.environment / "bin" / name)


_CELERY: Final = ("celery[sqs,dynamodb]==5.7.0",)
_CELERY_WORKER: Final = (
    *("celery", "--app", "jobs", "worker", "--pool", "threads", "--concurrency", "{slots}", "--loglevel", "ERROR"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
_TASKIQ: Final = ("taskiq==0.13.0", "taskiq-aio-sqs==2.1.1")
_TASKIQ_WORKER: Final = ("taskiq", "worker", "jobs:broker", "--workers", "1", "--max-async-tasks", "{slots}")

LANEWORK: Final = System(
    name="Lanework",
    folder="lanework_",
    worker=("lanework", "worker", "--lane", "medium", "--concurrency", "{slots}"),
)
BARE_BATCHED: Final = System(
    name="bare boto, batched writes", folder="bare", variant="batched", worker=("python", "jobs.py")
)
BARE_SINGLE: Final = System(
    name="bare boto, single writes", folder="bare", variant="single", worker=("python", "jobs.py")
)
LIMITED: Final = tuple(
    System(name=f"Lanework, {what}", folder="lanework_", variant=variant, worker=LANEWORK.worker)
    for variant, what in (("concurrency", "`Concurrency(1000)`"), ("rate", "`Rate(100_000, per=1 min)`"))
)
RECORDED_AT_START: Final = System(
    name='Lanework, `record="start"`', folder="lanework_", variant="start", worker=LANEWORK.worker
)
FLOOR: Final = (BARE_BATCHED, BARE_SINGLE)
PEERS: Final = (
    System(
        name="Celery on SQS, results in DynamoDB",
        folder="celery",
        variant="results",
        needs=_CELERY,
        worker=_CELERY_WORKER,
        has_bulk=False,
    ),
    System(
        name="Celery on SQS, no results",
        folder="celery",
        variant="plain",
        needs=_CELERY,
        worker=_CELERY_WORKER,
        keeps_results=False,
        has_bulk=False,
    ),
    System(
        name="taskiq-aio-sqs, results in S3",
        folder="taskiq",
        variant="results",
        needs=_TASKIQ,
        worker=_TASKIQ_WORKER,
    ),
    System(
        name="taskiq-aio-sqs, no results",
        folder="taskiq",
        variant="plain",
        needs=_TASKIQ,
        worker=_TASKIQ_WORKER,
        keeps_results=False,
    ),
    System(
        name="dramatiq-sqs, no results",
        folder="dramatiq",
        needs=("dramatiq==2.2.1", "dramatiq-sqs==0.4.4"),
        worker=("dramatiq", "jobs", "--processes", "1", "--threads", "{slots}"),
        keeps_results=False,
        has_bulk=False,
    ),
)
OTHER_BROKERS: Final = (
    System(
        name="RQ on Redis",
        folder="rq",
        needs=("rq==3.0.0",),
        worker=(
            *("rq", "worker-pool", "--num-workers", "{slots}", "--worker-class", "rq.worker.SimpleWorker"),
            *("--logging-level", "ERROR", "--url", "{redis}", "{queue}"),
        ),
        on="redis",
    ),
    System(
        name="BullMQ on Redis",
        folder="bullmq",
        needs=("bullmq@5.81.5",),
        worker=("node", "worker.mjs"),
        on="redis",
    ),
)
CELERY: Final = PEERS[0]
TASKIQ: Final = PEERS[2]
BULLMQ: Final = OTHER_BROKERS[-1]


class NotInstalledError(Exception):
    """Raised when a system can't be installed here, or needs a program that isn't here; says why in one line."""


def why_not_measured(system: System) -> str | None:
    """Make a system's environment, unless it is there already; return in one line why it can't be, None if it is."""
    if system.on == "redis" and shutil.which("redis-server") is None:
        return "there is no redis-server; install it (Debian: apt-get install redis-server)"
    if system.folder == "bullmq" and shutil.which("node") is None:
        return "there is no Node.js; install it (Debian: apt-get install nodejs npm)"
    return _why_not_installed(system.folder, system.needs)


@cache
def _why_not_installed(folder: str, needs: tuple[str, ...]) -> str | None:
    """Ask once a run for what can't be had."""
    if not needs:
        return None
    environment = ENVIRONMENTS / folder
    try:
        if not (environment / "stamp").exists():
            environment.mkdir(parents=True, exist_ok=True)
            _install(environment, needs, by_npm=folder == "bullmq")
            (environment / "stamp").touch()
    except NotInstalledError as error:
        return str(error)
    if folder == "bullmq":  # node looks beside the script only
        (SYSTEMS / folder / "node_modules").unlink(missing_ok=True)
        (SYSTEMS / folder / "node_modules").symlink_to(environment / "node_modules")
    return None


def _install(environment: Path, needs: tuple[str, ...], *, by_npm: bool) -> None:
    if by_npm:
        run_installer("npm", ("install", "--no-audit", "--no-fund", "--prefix", str(environment), *needs), needs)
    else:
        run_installer(sys.executable, ("-m", "venv", str(environment)), needs)
        pip = str(environment / "bin" / "pip")
        run_installer(pip, ("install", "--quiet", "--disable-pip-version-check", *needs), needs)


def run_installer(program: str, words: tuple[str, ...], needs: tuple[str, ...]) -> None:
    """Run what installs something; NotInstalledError with its last word if it fails."""
    what = f"{Path(program).name} could not install {' '.join(needs)}"
    try:
        done = subprocess.run([program, *words], check=False, capture_output=True, text=True)
    except OSError as error:
        msg = f"{what}: {error}"
        raise NotInstalledError(msg) from None
    if done.returncode:
        lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        lines = [line for line in lines if "complete log" not in line]  # npm's last word is where it wrote all
        msg = f"{what}: {lines[-1] if lines else f'exit code {done.returncode}'}"
        raise NotInstalledError(msg)
