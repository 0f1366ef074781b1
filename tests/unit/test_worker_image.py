"""The worker's image, as far as it can be told without building it: it holds what is there, and all that is needed."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.worker_files import ROOT, WORKER, instructions, manifests, said


def copied() -> list[str]:
    sources = [rest.split()[:-1] for rest in said("COPY")]
    return [one.rstrip("/") for source in sources for one in source if not one.startswith("--")]


def test_the_image_copies_what_there_is_and_what_the_builder_is_sent() -> None:
    lines = (WORKER / "Dockerfile.dockerignore").read_text().splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}

    assert [one for one in copied() if not (ROOT / one).exists()] == []
    assert "*" in lines
    assert let_through == set(copied()), "what is sent is what is copied"


def test_the_image_holds_a_project_that_the_command_finds() -> None:
    assert {"pyproject.toml", "template.yaml", "handlers", "shared"} <= set(copied())
    assert said("WORKDIR") == ["/app"]
    assert "PYTHONPATH=/app/shared" in said("ENV")[0]


def test_the_image_runs_the_worker_where_a_signal_reaches_it_and_not_as_root() -> None:
    assert json.loads(said("ENTRYPOINT")[0]) == ["lanework", "worker"]
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert int(said("USER")[0]) > 0
    order = [name for name, _ in instructions()]
    assert order.index("USER") > max(at for at, name in enumerate(order) if name in {"RUN", "COPY"})


def test_the_image_and_kubernetes_agree_on_the_user() -> None:
    pod = manifests()["Deployment"]["spec"]["template"]["spec"]["securityContext"]

    assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, int(said("USER")[0]))


def test_the_images_command_is_the_projects() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["lanework"].partition(":")

    assert f"from {module} import {function}\n" in (WORKER / "lanework").read_text()


def pinned(file: Path) -> dict[str, str]:
    """Each package of a requirements file with its version and hashes."""
    entries = re.split(r"\n(?=\S)", file.read_text().replace("\\\n", " ").strip())
    hashes = {one: " ".join(sorted(re.findall(r"sha256:\w+", one))) for one in entries}
    return {one.split("==")[0]: f"{one.split('==')[1].split()[0]} {hashes[one]}" for one in entries if "==" in one}


def test_the_image_has_the_locks_versions() -> None:
    image, lock = pinned(WORKER / "requirements.txt"), pinned(ROOT / "requirements.lock")

    assert {name: one for name, one in image.items() if lock.get(name) != one} == {}, "docs/worker.md says how to renew"


def needed(of: list[str], python: str) -> set[str]:
    """The packages that requirements name, and what those need, and so on."""
    found: set[str] = set()
    left = [Requirement(one) for one in of]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        where = [{"python_version": python, "sys_platform": "linux", "extra": extra} for extra in ("", *one.extras)]
        if one.marker is not None and not any(one.marker.evaluate(place) for place in where):
            continue
        if name not in found or one.extras:
            own = [Requirement(text) for text in requires(name) or ()]
            wanted = [need for need in own if need.marker is None or any(need.marker.evaluate(at) for at in where)]
            left += [Requirement(str(need).partition(";")[0]) for need in wanted]
        found.add(name)
    return found


def test_the_image_has_all_that_the_project_needs_to_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = said("FROM")[0].removeprefix("python:").removesuffix("-slim")

    assert needed(project["dependencies"], python) - set(pinned(WORKER / "requirements.txt")) == set()
