"""The environment in which a process is one of the embedded stack's producers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lanework.local.emulator.subprocess_env import EMULATORS

if TYPE_CHECKING:
    from lanework.embedded import StackHandle
    from lanework.local.clients import Clients

_OF_ONE_FUNCTION: Final = frozenset({"LANEWORK_LANE", "LANEWORK_API_TOKENS", "LANEWORK_API_TOKENS_PARAMETER"})


def enter(handle: StackHandle, clients: Clients) -> None:
    """
    Set this process's environment to what the stack's functions have, so that the application's code works here too.

    The emulator's credentials take the place of the user's, and nothing of what else the user says of AWS stays:
    nothing that follows can reach AWS.
    """
    producers = environment_of(handle, clients)
    for name in users_of_aws():
        del os.environ[name]
    os.environ |= producers


def environment_of(handle: StackHandle, clients: Clients) -> dict[str, str]:
    """Return what a producer's environment says, by name; see `enter`."""
    return {
        **_variables_of_its_functions(handle, clients),
        "AWS_ENDPOINT_URL": handle.endpoint,
        "AWS_REGION": handle.region,
        "AWS_DEFAULT_REGION": handle.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **EMULATORS,
        "LANEWORK_STACK": handle.stack,
    }


def users_of_aws() -> list[str]:
    """Return the variables of this process that say something of AWS: a profile, say, or an endpoint of one service."""
    return sorted(name for name in os.environ if name.startswith("AWS_"))


def _variables_of_its_functions(handle: StackHandle, clients: Clients) -> dict[str, str]:
    functions = clients.functions.list_functions()["Functions"]
    ours = [one for one in functions if one["FunctionName"].startswith(f"{handle.stack}-")]
    return {
        name: value
        for one in ours
        for name, value in one.get("Environment", {}).get("Variables", {}).items()
        if not name.startswith("AWS_") and name not in _OF_ONE_FUNCTION
    }
