"""The environment that has the CDK."""

from __future__ import annotations

from tests.support.sam import ROOT

PYTHON = ROOT / ".venv-cdk" / "bin" / "python"
