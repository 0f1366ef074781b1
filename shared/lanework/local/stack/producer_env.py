"""The environment in which this process is one of the embedded stack's producers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lanework.local.emulator.subprocess_env import EMULATORS

if TYPE_CHECKING:
    from lanework.embedded import StackHandle
    from lanework.local.clients import Clients


def enter(handle: StackHandle, clients: Clients) -> None:
    """
    Set this process's environment to what the stack's functions have, so that the application's code works here too.

    The emulator's credentials take the place of the user's: nothing that follows can reach AWS.
    """
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= {
        **_variables_of_its_functions(handle, clients),
        "AWS_ENDPOINT_URL": handle.endpoint,
        "AWS_REGION": handle.region,
        "AWS_DEFAULT_REGION": handle.region,
        **EMULATORS,
        "LANEWORK_STACK": handle.stack,
    }


def _variables_of_its_functions(handle: StackHandle, clients: Clients) -> dict[str, str]:
    functions = clients.functions.list_functions()["Functions"]
    ours = [one for one in functions if one["FunctionName"].startswith(f"{handle.stack}-")]
    return {
        name: value
        for one in ours
        for name, value in one.get("Environment", {}).get("Variables", {}).items()
        if not name.startswith("AWS_")
    }
