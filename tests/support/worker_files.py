"""The files of infra/worker/, read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import typer
import yaml  # type: ignore[import-untyped]

from lanework.cli.main import app as command_line

ROOT = Path(__file__).parents[2]
WORKER = ROOT / "infra" / "worker"
TARGETS = ("compose", "ecs", "kubernetes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What an example says of its container, in the words of all three."""

    arguments: list[str]
    environment: dict[str, str]
    stop_after: timedelta

    @property
    def options(self) -> dict[str, Any]:
        """The arguments as `lanework worker` takes them; one that it doesn't know is an error."""
        worker = typer.main.get_command(command_line).commands["worker"]  # type: ignore[attr-defined]  # it is a group
        return dict(worker.make_context("worker", list(self.arguments)).params)


def as_json(name: str) -> Any:
    return json.loads((WORKER / name).read_text())


@cache
def compose() -> Any:
    return yaml.safe_load((WORKER / "compose.yaml").read_text())["services"]


@cache
def manifests() -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all((WORKER / "kubernetes.yaml").read_text())}


@cache
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (WORKER / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    words = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(name, rest.strip()) for name, rest in words]


def said(name: str) -> list[str]:
    return [rest for one, rest in instructions() if one == name]


def container(target: str) -> Container:
    if target == "compose":
        worker = compose()["worker"]
        stop_s = int(worker["stop_grace_period"].removesuffix("s"))
        return Container(
            arguments=worker["command"], environment=worker["environment"], stop_after=timedelta(seconds=stop_s)
        )
    if target == "ecs":
        [task] = as_json("ecs-task-definition.json")["containerDefinitions"]
        return Container(
            arguments=task["command"],
            environment={one["name"]: one["value"] for one in task["environment"]},
            stop_after=timedelta(seconds=task["stopTimeout"]),
        )
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]
    return Container(
        arguments=pod["containers"][0]["args"],
        environment=manifests()["ConfigMap"]["data"],
        stop_after=timedelta(seconds=pod["terminationGracePeriodSeconds"]),
    )
