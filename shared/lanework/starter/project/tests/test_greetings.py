"""A job in a test is a plain call; an application in memory shows what becomes of one that is enqueued."""

import pytest

from jobs import app
from jobs.greetings import Greeting, greet
from lanework import State
from lanework.testing import a_run, app_in_memory, drain


def test_a_greeting_names_whom_it_greets() -> None:
    assert greet(Greeting(name="Anu"), a_run()) == "Hello, Anu!"


def test_a_language_that_it_lacks_is_an_error() -> None:
    with pytest.raises(KeyError):
        greet(Greeting(language="fr"), a_run())


def test_an_enqueued_greeting_is_completed() -> None:
    shop = app_in_memory(app)
    receipt = shop.enqueue("greeting.send", {"name": "Anu"})

    drain(shop)

    assert shop.get(receipt.job_id).state is State.COMPLETED
