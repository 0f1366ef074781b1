"""What Django's tasks can do since 6.1."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from frameworks import InvalidTask, task

if TYPE_CHECKING:
    from lanework import App


def test_the_decorator_takes_the_options(app: App) -> None:
    from shop.since_61 import ping  # noqa: PLC0415 - Django is set up by now

    record = app.get(ping.enqueue().id)
    assert (record.lane.value, record.max_attempts) == ("low", 7)
    with pytest.raises(TypeError, match="unknown option 'atempts' of task other, did you mean 'attempts'"):
        task(atempts=3)(other)
    with pytest.raises(InvalidTask, match="unknown lane 'hihg', did you mean 'high'"):
        task(lane="hihg")(other)


def other() -> None:
    """A function at the top of a module."""


@pytest.mark.usefixtures("app")
def test_a_task_is_pickled_by_its_path() -> None:
    from shop.since_61 import ping  # noqa: PLC0415 - Django is set up by now

    assert pickle.loads(pickle.dumps(ping)) == ping  # noqa: S301 - our own
