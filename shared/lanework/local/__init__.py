"""
The embedded stack: Lanework on a laptop, with no account and no Docker.

Starts the emulator, deploys the project's own template to it, redeploys on change, and leaves nothing running.
Needs the extra `lanework[local]`. Nothing of the engine imports it.
"""

from lanework.local.project import Project, find_project
from lanework.local.stack.embedded import RunningStack, embedded_stack
from lanework.local.stack.watch import Redeployed, redeploy_on_change

__all__ = [
    "Project",
    "Redeployed",
    "RunningStack",
    "embedded_stack",
    "find_project",
    "redeploy_on_change",
]
