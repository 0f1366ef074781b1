"""A task as Django takes it since 6.1, with options in the decorator."""

from frameworks import task


@task(lane="low", attempts=7)
def ping():
    return "pong"
