"""The message that a program in any language may put on a lane's queue; docs/message.v1.schema.json is its schema."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from pydantic_core import from_json

from lanework.errors import UndecodableError
from lanework.model.job.validation_errors import problems_of

_MARK: Final = "lanework"
_LATEST: Final = 1_000


class OpenMessage(BaseModel):
    """A job to enqueue, as its own producer wrote it. Any change of these fields is another number in `lanework`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    lanework: Literal[1] = Field(description="Marks the message, and is the version of this form.")
    type: str = Field(description="The job type.", examples=["report.month"])
    payload: dict[str, Any] = Field(description="A JSON object, as the type's model wants it.")
    id: str | None = Field(
        default=None,
        description="The job's id: 1 to 128 of letters, digits and _ . : @ = + ~ -, beginning with a letter or digit. "
        "A repeated id enqueues nothing new. Default: the id that SQS gives the message.",
    )
    run_at: AwareDatetime | None = Field(
        default=None, description="When to start, with a time zone; at once if it is left out or past."
    )
    tenant: str | None = Field(default=None, description="On whose behalf: 1 to 128 printable ASCII characters.")
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="What goes along beside the payload, such as `correlation-id`: names of lower-case letters, "
        "digits and -, values of printable ASCII, 1 KB together.",
    )
    version: PositiveInt | None = Field(
        default=None, description="Version of the payload. Default: the one that the job type declares."
    )

    @classmethod
    def decode(cls, body: str) -> OpenMessage | None:
        """
        Return the open message that a body holds; None if it holds none.

        Raises:
            UndecodableError: It is marked as one and can't be read, or it was meant to be one; the message says what is
                wrong, and repeats nothing of the body.
        """
        fields = _object_in(body)
        if _MARK not in fields:
            if isinstance(fields.get("payload"), dict) and "attempts" not in fields:
                msg = f'not a Lanework message: an open message has "{_MARK}": 1 (docs/open-message.md)'
                raise UndecodableError(msg)
            return None
        version = fields[_MARK]
        if type(version) is not int or version != 1:
            said = f" of version {version}" if type(version) is int and 1 < version <= _LATEST else ""
            msg = f'open message{said} refused: this release reads "{_MARK}": 1; deploy one that reads it'
            raise UndecodableError(msg)
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            msg = f"open message refused: {'; '.join(problems_of(error, whole='body'))}"
            raise UndecodableError(msg) from None


def is_open(body: str) -> bool:
    """Tell whether a message is marked as an open one, of whatever version."""
    return _MARK in _object_in(body)


def with_id(body: str, message_id: str | None) -> str:
    """
    Return an open message that says its id, if it says none: that of the SQS message it came in.

    A copy in a dead-letter queue is another message with another id, and would be another job.
    """
    fields = _object_in(body)
    if message_id is None or _MARK not in fields or fields.get("id") is not None:
        return body
    return f'{body.rstrip()[:-1]},"id":"{message_id}"}}'


def _object_in(body: str) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
