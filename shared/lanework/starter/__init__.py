"""What `lanework init` makes of an empty folder, and what a newer release would change in it."""

from lanework.starter.files import name_for, project_files
from lanework.starter.upgrade import BASE, difference
from lanework.starter.write import make_project

__all__ = ["BASE", "difference", "make_project", "name_for", "project_files"]
