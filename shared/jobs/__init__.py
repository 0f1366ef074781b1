"""
The application's own job types: a module or folder for each family, templates beside the code.

A new job type is a payload and a function in its family's module; a new family is a module and a word in `App(...)`.
"""

from jobs import cleanup, demo, email, reports
from lanework import App

app = App(email.email, reports.report, cleanup.cleanup, demo.demo)

__all__ = ["app"]
