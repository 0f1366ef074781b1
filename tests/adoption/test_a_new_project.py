"""A stranger's way in: the wheel in a clean environment, `lanework init`, and every command that its README names."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from lanework.local.emulator.process import wait_for
from tests.support.adopter import ARCHITECTURE, RUNTIME, SAM, SOON, Adopter, environment

LARGEST_LAYER = 7_000_000
"""Bytes, zipped."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Adopter:
    """The wheel installed into a new virtual environment, and `lanework init` in the folder around it."""
    root = tmp_path_factory.mktemp("adopter") / "shop"
    root.mkdir()
    shop = Adopter(root, root / ".venv", environment(wheels))
    venv.create(root / ".venv", with_pip=True)
    shop.run(root / ".venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "lanework")
    said = shop.run(shop.lanework, "init")
    assert "shared/jobs/greetings.py is the job to change" in said
    (root / ".venv-sam").symlink_to(SAM)
    return shop


def test_the_tests_that_it_comes_with_pass(shop: Adopter) -> None:
    assert "3 passed" in shop.run("make", "test")
    assert "1 passed, 2 deselected" in shop.run(shop.lanework, "test", "-k", "names_whom")


def test_the_template_has_nothing_to_complain_about(shop: Adopter) -> None:
    assert "template.yaml: nothing to complain about" in shop.run("make", "check")


def test_a_second_init_finds_nothing_to_write(shop: Adopter) -> None:
    assert "nothing to write: all of it is there" in shop.run(shop.lanework, "init")


def test_the_demo_makes_the_emulators_environment_once_and_every_job_comes_out_as_it_should(shop: Adopter) -> None:
    first, second = shop.run("make", "demo"), shop.run("make", "demo")

    assert "8 of 8 jobs came out as they should" in first
    assert "8 of 8 jobs came out as they should" in second
    assert [one.count("making the emulator's own environment") for one in (first, second)] == [1, 0]
    python = shop.root / ".venv" / "bin" / "python"
    assert shop.run(python, "-c", "import importlib.util as u; print(u.find_spec('ministack'))").strip() == "None"


def test_a_job_is_enqueued_and_completed_and_a_change_of_its_code_is_deployed(shop: Adopter) -> None:
    module = shop.root / "shared" / "jobs" / "greetings.py"

    def result(job_id: str) -> str:
        return str(json.loads(shop.run(shop.lanework, "get", job_id, "--json")).get("result"))

    with shop.dev("make", "dev") as said:
        assert "lanework enqueue greeting.send --job-id try-1" in said.read_text()
        shop.run(shop.lanework, "enqueue", "greeting.send", "--payload", '{"name": "Anu"}', "--job-id", "before")
        wait_for(lambda: result("before") == "Hello, Anu!", within=SOON, what="the job")

        module.write_text(module.read_text().replace("Hello", "Good evening"))
        wait_for(lambda: "deployed shared/jobs/greetings.py" in said.read_text(), within=SOON, what="the change")
        shop.run(shop.lanework, "enqueue", "greeting.send", "--payload", '{"name": "Anu"}', "--job-id", "after")
        wait_for(lambda: result("after") == "Good evening, Anu!", within=SOON, what="the changed job")
    module.write_text(module.read_text().replace("Good evening", "Hello"))
    assert "stopped; nothing is left running" in said.read_text()


def test_sam_builds_it_with_a_small_layer_that_its_handlers_run_on(shop: Adopter, tmp_path: Path) -> None:
    shop.run("make", "build", f"RUNTIME={RUNTIME}", f"ARCHITECTURE={ARCHITECTURE}")

    built = shop.root / ".aws-sam" / "build"
    layer = built / "SharedLayer" / "python"
    inside = {one.name for one in layer.iterdir()}
    assert {"lanework", "jobs", "pydantic", "aws_lambda_powertools", "pynamodb"} <= inside
    assert inside.isdisjoint({"boto3", "botocore", "typer", "rich", "pygments", "requirements.txt", "Makefile"})
    assert not (layer / "lanework" / "starter").exists()
    assert _zipped(layer, tmp_path / "layer.zip") <= LARGEST_LAYER
    boto = tmp_path / "boto"
    shop.run(shop.root / ".venv" / "bin" / "uv", "pip", "install", "--quiet", "--target", boto, "boto3")
    code = f"""
import sys
sys.path[:0] = {[str(built / "HighWorker"), str(layer), str(boto)]!r}
from handlers.worker import handler
class Context:
    function_name = "f"; memory_limit_in_mb = 256; aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    def get_remaining_time_in_millis(self): return 30000
print(handler({{"Records": []}}, Context()))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env={"LANEWORK_STACK": "shop", "LANEWORK_ACCOUNT": "000000000000", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "{'batchItemFailures': []}"), done.stderr


def test_an_application_of_two_lanes_has_two_and_its_own_resources_and_runs(shop: Adopter) -> None:
    config, own, job = (shop.root / one for one in ("pyproject.toml", "resources.yaml", "shared/jobs/greetings.py"))
    before = {file: file.read_text() for file in (config, job, shop.root / "template.yaml")}
    chosen = '[tool.lanework]\nlanes = ["high", "normal"]\nresources = "resources.yaml"\n'
    config.write_text(before[config].replace("[tool.lanework]\n", chosen))
    own.write_text("Resources:\n  ReportTopic:\n    Type: AWS::SNS::Topic\n")

    assert "have changed since template.yaml was made: lanework upgrade" in shop.run("make", "check")
    assert "template.yaml: updated" in shop.run(shop.lanework, "upgrade")
    assert "nothing to complain about" in shop.run(shop.lanework, "check")
    demo = shop.run(shop.lanework, "demo")
    assert "5 of 5 jobs came out as they should" in demo
    assert (" low " in demo, " medium " in demo) == (False, True)

    job.write_text(before[job].replace('lane="high"', 'lane="high", cron="0 8 * * *"'))
    checked = shop.run(shop.lanework, "check", "--write")
    assert ("nothing to complain about" in checked, "changed by hand" in checked) == (True, False)
    assert "            Name: greeting.send\n" in (shop.root / "template.yaml").read_text()

    job.write_text(before[job].replace('lane="high"', 'lane="low"'))
    refused = subprocess.run(
        [shop.lanework, "demo"], cwd=shop.root, env=shop.environment, capture_output=True, check=False
    )
    assert refused.stderr.decode().splitlines()[-1] == (
        "lanework: job type 'greeting.send' is in lane 'low', which this stack leaves out: add it to [tool.lanework] "
        "lanes, or move the type"
    )

    own.unlink()
    for file in (config, job):
        file.write_text(before[file])
    shop.run(shop.lanework, "check", "--write")
    assert "template.yaml: updated" in shop.run(shop.lanework, "upgrade")
    assert (shop.root / "template.yaml").read_text() == before[shop.root / "template.yaml"]


def test_there_is_nothing_to_upgrade_and_init_left_nothing_beside_what_it_said(shop: Adopter) -> None:
    assert "nothing to upgrade" in shop.run(shop.lanework, "upgrade")
    shutil.rmtree(shop.root / ".lanework")
    assert {one.name for one in shop.root.iterdir() if not one.name.startswith(".")} == {
        *("Makefile", "README.md", "handlers", "pyproject.toml", "requirements-dev.txt"),
        *("samconfig.toml", "shared", "template.yaml", "tests"),
    }


def _zipped(folder: Path, into: Path) -> int:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return into.stat().st_size
