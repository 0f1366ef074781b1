"""Reading a template where what reads it isn't installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

WITHOUT_THE_EXTRA = """
import sys
sys.modules["samtranslator"] = None
sys.argv = ["lanework", "doctor", "--template"]
from lanework.cli.main import main
main()
"""


def test_whoever_has_not_installed_the_extra_is_told_to() -> None:
    command = [sys.executable, "-c", WITHOUT_THE_EXTRA]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert done.stderr == "lanework: reading template.yaml needs an extra: pip install 'lanework[local]'\n"
