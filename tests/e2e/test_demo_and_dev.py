"""`lanework demo` and `lanework dev` as a user runs them: a process, its output, its exit code, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lanework.embedded import answers, running_in
from lanework.local.project import Project
from tests.support.developing import LANEWORK, Dev, a_copy, developing, environment, lanework

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return a_copy(tmp_path / "shop")


def test_the_demo_runs_every_lane_and_every_job_comes_out_as_it_should(project: Project) -> None:
    before = sorted(path.name for path in project.root.iterdir())

    demo = lanework(project, "demo", "--json")

    assert (demo.returncode, demo.stderr.count("lanework:")) == (0, 0), demo.stderr
    outcome = json.loads(demo.stdout)
    jobs = {job["jobId"]: job for job in outcome["jobs"]}
    assert outcome["problems"] == []
    assert (outcome["warmStart"]["lane"], outcome["warmStart"]["withinSeconds"]) == ("critical", 1)
    assert outcome["warmStart"]["coldSeconds"] == jobs["otp"]["waitSeconds"]
    assert {"critical", "high", "medium", "low", "batch"} == {job["lane"] for job in jobs.values()}
    assert ("completed", 3) == (jobs["flaky"]["state"], jobs["flaky"]["attempts"])
    assert ("dead", 2, "exhausted") == (jobs["doomed"]["state"], jobs["doomed"]["attempts"], jobs["doomed"]["cause"])
    assert jobs["signin-twice"]["attempts"] == 1
    assert all(job["waitSeconds"] >= 0 and job["runSeconds"] >= 0 for job in jobs.values())
    assert "retrying (attempt 1)" in demo.stderr
    assert {*before, ".lanework"} == {path.name for path in project.root.iterdir()}
    assert {one.name for one in project.home.iterdir()} == {"layer", "tried"}


def test_a_demo_that_comes_out_otherwise_says_what_and_fails(project: Project) -> None:
    scenario = project.shared / "jobs" / "scenario.py"
    scenario.write_text(
        scenario.read_text()
        .replace("state=State.DEAD", "state=State.COMPLETED")
        .replace('job_id="flaky"), attempts=3', 'job_id="flaky"), attempts=2')
    )

    demo = lanework(project, "demo")

    assert demo.returncode == 1
    assert "lanework: doomed: state should be completed, is dead (OnPurposeError: this job always fails)" in demo.stderr
    assert "lanework: flaky: attempts should be 2, is 3" in demo.stderr
    assert "7 of 9 jobs came out as they should" in demo.stdout
    assert "lane critical: the first job waited " in demo.stdout


def test_a_broken_template_is_one_clear_line(project: Project) -> None:
    project.template.write_text("Resources: [")

    demo = lanework(project, "demo")

    assert demo.returncode == 1
    assert demo.stderr.splitlines()[-1].startswith("lanework: template.yaml")
    assert running_in(project.root) is None


def test_outside_of_a_project_the_demo_says_what_it_looked_for(tmp_path: Path) -> None:
    demo = lanework(Project(root=tmp_path), "demo")

    assert (demo.returncode, len(demo.stderr.splitlines())) == (1, 1)
    assert "looked for a pyproject.toml with [tool.lanework]; try: lanework init" in demo.stderr


@pytest.fixture
def dev(project: Project) -> Iterator[Dev]:
    with developing(project) as running:
        yield running


def test_a_session_of_development(dev: Dev) -> None:
    """Enqueue, look, edit, break, mend, be killed in the middle of a job, stop: in one session, as people work."""
    dev.lanework("enqueue", "demo.crash", "--job-id", "crash")
    dev.lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--job-id", "first")
    assert dev.result_of("first") == "Hello, Bat!"
    dev.says("job.completed  demo.greet  first  attempt=1")

    dev.lanework("enqueue", "demo.greet", "--job-id", "much-later", "--delay", "15m2s")

    (dev.project.root / ".env").write_text("GREETING='Good evening'\nAWS_PROFILE=prod\n")
    dev.says("deployed .env")
    source = dev.project.shared / "jobs" / "demo.py"
    before = source.read_text()
    source.write_text(before.replace("Hello, ", "{__import__('os').environ['GREETING']}, "))
    dev.says("deployed shared/jobs/demo.py")
    a_program = 'from jobs import app; app.enqueue("demo.greet", {"name": "Bat"}, job_id="second")'
    dev.sh(f"eval \"$({LANEWORK} env)\" && cd shared && {sys.executable} -c '{a_program}'")
    assert dev.result_of("second") == "Good evening, Bat!"

    source.write_text(f"{before}\ndef (")
    dev.says("not deployed: ")
    dev.says("demo.py:")
    source.write_text(before)
    assert "second" in dev.lanework("list", "--type", "demo.greet")

    # Its worker killed itself with SIGKILL in the first attempt; after the lease another attempt completes it.
    assert dev.result_of("crash", within_s=60) == "completed on attempt 2"

    # The queue holds nothing back for over 15 minutes: the clock's tick sends the rest of the wait.
    dev.says("job.swept  demo.greet  much-later", within_s=90)
    assert json.loads(dev.lanework("stats", "--json"))["medium"]["delayed"] == 1

    endpoint = running_in(dev.project.root)
    assert endpoint is not None
    assert dev.stop() == 0
    assert "stopped; nothing is left running" in dev.log.read_text()
    assert not answers(endpoint.endpoint)
    assert running_in(dev.project.root) is None


def test_dev_stops_cleanly_when_asked_by_sigterm_and_keeps_its_jobs(dev: Dev) -> None:
    dev.lanework("enqueue", "demo.greet", "--job-id", "kept")
    dev.result_of("kept")

    assert dev.stop(signal.SIGTERM) == 0
    assert "stopped; nothing is left running" in dev.log.read_text()

    again = Dev(dev.project)
    try:
        again.says("up at ")
        assert again.result_of("kept") == "Hello, world!"
    finally:
        again.stop()


def test_with_worker_jobs_run_in_a_process_here_which_starts_anew_with_each_change(project: Project) -> None:
    with developing(project, "--worker") as dev:
        dev.lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--job-id", "first")
        assert dev.result_of("first") == "Hello, Bat!"
        dev.says("here      job.completed  demo.greet  first  attempt=1")

        source = dev.project.shared / "jobs" / "demo.py"
        source.write_text(source.read_text().replace("Hello, ", "Good evening, "))
        dev.says("worker.process_renewed")
        dev.lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--job-id", "second", "--delay", "2s")
        assert dev.result_of("second") == "Good evening, Bat!"

        dev.lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--job-id", "left", "--delay", "4s")
        assert dev.stop() == 0

    once = lanework(project, "dev", "--worker", "--once")
    assert once.returncode == 0, once.stderr
    assert "stopped; nothing is left running" in once.stderr


def test_a_breakpoint_in_a_job_stops_it_where_it_is(project: Project) -> None:
    source = project.shared / "jobs" / "demo.py"
    source.write_text(source.read_text().replace('    return f"Hello, ', '    breakpoint()\n    return f"Hello, '))
    typed = project.root / "typed"
    typed.write_text("p 'at ' + whom.name\ncontinue\n")

    with developing(project, "--worker", "--debug", answers=typed) as dev:
        dev.lanework("enqueue", "demo.greet", "--payload", '{"name":"Bat"}', "--job-id", "first")
        assert dev.result_of("first") == "Hello, Bat!"
        dev.says("(Pdb) 'at Bat'")
        assert dev.stop(signal.SIGTERM) == 0  # pdb has taken Ctrl-C for itself, as it does


@pytest.mark.parametrize("words", [("--once",), ("--debug",)])
def test_what_is_about_the_worker_needs_it(project: Project, words: tuple[str, ...]) -> None:
    refused = lanework(project, "dev", *words)

    assert (refused.returncode, refused.stderr.count("is for the worker process: add --worker")) == (2, 1)


def test_beside_a_running_dev_there_is_no_second_and_commands_prefer_its_stack_until_its_emulator_is_gone(
    dev: Dev,
) -> None:
    second = lanework(dev.project, "dev")

    assert second.returncode == 1
    assert second.stderr.splitlines()[-1].startswith("lanework: the stack runs already, at http://127.0.0.1:")

    done = subprocess.run(
        [LANEWORK, "stats"],
        cwd=dev.project.root,
        env={**environment(), "LANEWORK_STACK": "shop-prod"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "using the embedded stack at http://127.0.0.1:" in done.stderr
    assert "--stack shop-prod reaches the one in LANEWORK_STACK" in done.stderr

    running = running_in(dev.project.root)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)

    assert dev.process.wait(20) == 1
    assert "lanework: the emulator ended by itself" in dev.log.read_text()
