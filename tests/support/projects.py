"""Projects that tests run on the embedded stack. Their one module is called `jobs`, as the example's is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanework.local.application import load_app
from lanework.local.project import Project, project_at
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.rights import UNDER_IAM, a_producers_environment

if TYPE_CHECKING:
    import pytest

    from lanework import App
    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
MODULE = "jobs"


def a_project(root: Path, code: str) -> Project:
    """Make a project with this repository's handlers and template, and this code as its jobs."""
    shutil.copytree(ROOT / "handlers", root / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "shared" / MODULE).mkdir(parents=True)
    (root / "shared" / MODULE / "__init__.py").write_text(code)
    for name in ("pyproject.toml", "template.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / "shared" / "requirements.txt").write_text("lanework\n")
    return project_at(root)


def _credentials(stack: RunningStack) -> dict[str, str]:
    """Return those of a producer where IAM decides, else the key that may do everything."""
    if UNDER_IAM:
        return a_producers_environment(stack, "ProducerPolicyArn")
    return dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test")


def application_on(stack: RunningStack, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> App:
    """
    Import the application of a stack's project, and let it run there; for this test only.

    It is imported as if no other of that name had been. `settings` are those beyond where the stack is.
    """
    for name, value in _credentials(stack).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, MODULE, None)  # gone after the test, or as it was before
    for name in [one for one in sys.modules if one.partition(".")[0] == MODULE]:
        monkeypatch.delitem(sys.modules, name)
    app = load_app(stack.deployer.project)
    handle = stack.handle
    where = {"stack": handle.stack, "region": handle.region, "endpoint": handle.endpoint, "account": "000000000000"}
    app.use(aws_ports(Settings(**where, **settings)))
    return app
