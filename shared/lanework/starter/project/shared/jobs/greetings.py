"""Greetings: one job type, to be changed into yours."""

from pydantic import BaseModel

from lanework import Jobs, Public, Run

greetings = Jobs(queue="greetings", attempts=3)


class Greeting(BaseModel):
    """Whom to greet. Only fields that are `Public` may appear in logs."""

    name: str = "Bat"
    language: Public[str] = "en"


WORDS = {"en": "Hello", "mn": "Сайн байна уу"}


@greetings.job("greeting.send", lane="high")
def greet(greeting: Greeting, run: Run) -> str:
    """Greet somebody. What is returned is kept as the job's result; what is raised means a retry."""
    run.progress(50, "looking for the word")
    return f"{WORDS[greeting.language]}, {greeting.name}!"
