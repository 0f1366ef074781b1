"""The real SAM CLI, to build and deploy a project with."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(os.uname().machine, "x86_64")
HERE = {"Runtime": RUNTIME, "Architecture": ARCHITECTURE}
"""What an emulator's functions run on: this interpreter, this machine."""


@dataclass(frozen=True, slots=True)
class Sam:
    """
    A project, and the SAM CLI in it.

    Attributes:
        root: The project.
        environment: What the CLI sees.
    """

    root: Path
    environment: dict[str, str]

    @property
    def built(self) -> Path:
        return self.root / ".aws-sam" / "build"

    def build(self, *, runtime: str = RUNTIME, architecture: str = ARCHITECTURE, refused: bool = False) -> str:
        """Build for a runtime; return what it said."""
        parameters = f"Runtime={runtime} Architecture={architecture}"
        words = ("build", "--parameter-overrides", parameters)
        return self.run(*words, refused=refused, TIED="1", RUNTIME=runtime, ARCHITECTURE=architecture)

    def deploy(self, stack: str, *, refused: bool = False, tags: str = "", **parameters: str) -> str:
        """Deploy what was built, as the section `local` of samconfig.toml says; return what it said."""
        said = " ".join(f"{name}={value}" for name, value in {**HERE, **parameters}.items())
        words = ("deploy", "--config-env", "local", "--stack-name", stack, "--parameter-overrides", said)
        return self.run(*words, *(("--tags", tags) if tags else ()), refused=refused)

    def delete(self, stack: str) -> str:
        return self.run("delete", "--stack-name", stack, "--no-prompts")

    def run(self, *words: str, refused: bool = False, **variables: str) -> str:
        done = subprocess.run(
            [SAM, *words],
            cwd=self.root,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert (done.returncode != 0) is refused, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr
