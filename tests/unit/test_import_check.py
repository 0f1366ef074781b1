"""What `lanework dev` says of code that can't be imported: one line, with the place in the project's own code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lanework.local.deployment.preflight import SCRIPT

SHARED = Path(__file__).parents[2] / "shared"


def said_of(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    path = os.pathsep.join([str(folder), str(SHARED)])
    environ = {"LANEWORK_STACK": "shop", "AWS_REGION": "eu-west-1", "LANEWORK_LANES": "high", "PYTHONPATH": path}
    command = [sys.executable, "-P", "-B", str(SCRIPT), "worker"]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


APP = "from lanework import App, Jobs\nmail = Jobs(queue='mail')\n"
WORKER = "from jobs import app\nfrom lanework.edges.worker import worker\nhandler = worker(app)\n"


def test_a_job_type_in_a_lane_that_is_left_out_is_said_without_a_class_or_a_file_of_lanework_s(tmp_path: Path) -> None:
    job = "@mail.job('mail.send', lane='low')\ndef send(_: dict) -> None: ...\n"
    job = job.replace("_: dict", "_: M").replace(
        "@mail", "from pydantic import BaseModel\nclass M(BaseModel): ...\n@mail"
    )

    said = said_of(tmp_path, jobs=f"{APP}{job}app = App(mail)\n", worker=WORKER)

    assert said == (
        "job type 'mail.send' is in lane 'low', which this stack leaves out: add it to [tool.lanework] lanes, or move "
        "the type\n"
    )


def test_a_declaration_that_is_refused_is_said_with_its_own_line(tmp_path: Path) -> None:
    said = said_of(tmp_path, jobs=f"{APP}@mail.job('mail.send', lane='hihg')\ndef send(): ...\n", worker=WORKER)

    assert said == f"{tmp_path / 'jobs.py'}:3: unknown lane 'hihg', did you mean 'high'?\n"
