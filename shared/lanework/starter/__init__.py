"""What `lanework init` makes of an empty folder, and what a newer release would change in it."""

from lanework.starter.files import name_for, project_files
from lanework.starter.upgrade import BASE, UNDONE, Step, carry_out, is_behind, release_of, unresolved, upgrade
from lanework.starter.write import make_project

__all__ = [
    "BASE",
    "UNDONE",
    "Step",
    "carry_out",
    "is_behind",
    "make_project",
    "name_for",
    "project_files",
    "release_of",
    "unresolved",
    "upgrade",
]
