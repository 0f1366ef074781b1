"""An application that has forgotten the tasks."""

from lanework import App

app = App()
