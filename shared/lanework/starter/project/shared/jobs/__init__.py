"""
The application's job types, a module for each family.

A new job type is a payload and a function in its family's module; a new family is a module and a word in `App(...)`.
"""

from jobs import greetings
from lanework import App

app = App(greetings.greetings)

__all__ = ["app"]
