"""Jobs that are no tasks, in an application of their own."""

from pydantic import BaseModel

from lanework import App, Jobs


class Letter(BaseModel):
    """Payload."""

    text: str


letters = Jobs(queue="letters")
SENT: list[str] = []


@letters.job("letter.send")
def send(letter: Letter) -> None:
    SENT.append(letter.text)


app = App(letters)
