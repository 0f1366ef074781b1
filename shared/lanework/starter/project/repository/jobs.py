"""Background jobs: an application of one family, with a job to begin with."""

from pydantic import BaseModel

from lanework import App, Jobs, Public

greetings = Jobs(queue="greetings", attempts=3)


class Greeting(BaseModel):
    """Whom to greet. Only fields that are `Public` may appear in logs."""

    name: Public[str] = "Bat"


@greetings.job("greeting.send", lane="high")
def greet(greeting: Greeting) -> str:
    """Greet somebody. What is returned is kept as the job's result; what is raised means a retry."""
    return f"Hello, {greeting.name}!"


app = App(greetings)
