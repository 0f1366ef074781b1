"""The command `lanework`: parses arguments, calls the engine or the embedded stack, prints. Nothing else."""

from lanework.cli.main import main

__all__ = ["main"]
