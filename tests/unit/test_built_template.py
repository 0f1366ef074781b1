from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lanework.errors import StackError
from lanework.local.deployment.built import BUILT, tied
from lanework.local.deployment.template import read_template

ROOT = Path(__file__).parents[2]


def test_what_was_built_for_one_runtime_takes_no_other(tmp_path: Path) -> None:
    built = tmp_path / BUILT
    built.parent.mkdir(parents=True)
    built.write_text((ROOT / "template.yaml").read_text())
    before = read_template(built)

    tool = [sys.executable, "-m", "lanework.local.deployment.built", "python3.11", "x86_64"]
    subprocess.run(tool, cwd=tmp_path, check=True)

    after = read_template(built)
    runtime, architecture = after["Parameters"]["Runtime"], after["Parameters"]["Architecture"]
    assert ("python3.11", ["python3.11"]) == (runtime["Default"], runtime["AllowedValues"])
    assert ("x86_64", ["x86_64"]) == (architecture["Default"], architecture["AllowedValues"])
    assert "deploy with Runtime=python3.11, or make build RUNTIME=… for another" in runtime["ConstraintDescription"]
    assert before == {
        **after,
        "Parameters": {
            **after["Parameters"],
            **{name: before["Parameters"][name] for name in ("Runtime", "Architecture")},
        },
    }


def test_a_template_without_the_parameter_is_refused_by_its_name() -> None:
    with pytest.raises(StackError, match="has no parameter Architecture"):
        tied({"Parameters": {"Runtime": {}}, "Resources": {}}, {"Runtime": "python3.11", "Architecture": "arm64"})


def test_without_a_build_it_says_what_it_did_not_find(tmp_path: Path) -> None:
    tool = [sys.executable, "-m", "lanework.local.deployment.built", "python3.11", "x86_64"]
    done = subprocess.run(tool, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert (done.returncode, done.stderr.partition(": ")[0]) == (1, f"can't read {BUILT}")
