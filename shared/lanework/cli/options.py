"""Options that several commands take, and how an option that takes a duration, a time, a lane or a payload is made."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from lanework.cli.exits import EPILOG
from lanework.cli.param_types import duration, job_id, lane, moment, one_of
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def duration_option(what: str) -> Any:  # noqa: ANN401 - as typer has it
    """Return an option that takes a duration."""
    return typer.Option(parser=duration, metavar="DURATION", help=what)


def time_option(what: str, *names: str) -> Any:  # noqa: ANN401 - as above
    """Return an option that takes a time."""
    return typer.Option(*names, parser=moment, metavar="TIME", help=what)


def word_option(words: type[StrEnum], what: str, *names: str) -> Any:  # noqa: ANN401 - as above
    """Return an option that takes one of these words."""
    return typer.Option(*names, parser=one_of(words), metavar="WORD", help=what)


def lane_option(what: str, *names: str) -> Any:  # noqa: ANN401 - as above
    """Return an option that takes a lane."""
    return typer.Option("--lane", *names, parser=lane, metavar="LANE", help=f"{what}: critical … batch, or 1 to 5.")


def payload_option(what: str) -> Any:  # noqa: ANN401 - as above
    """Return the option that takes a payload."""
    return typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help=what)


def limit_option(what: str) -> Any:  # noqa: ANN401 - as above
    """Return the option that says how much is listed."""
    return typer.Option("--limit", "-n", min=1, max=100, help=f"Most {what}, 1 to 100.")


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
JobId = Annotated[str, typer.Argument(metavar="ID", parser=job_id)]
LaneName = Annotated[Lane, typer.Argument(metavar="LANE", parser=lane, help="critical … batch, or 1 to 5.")]
OnlyLane = Annotated[Lane | None, lane_option("Only this lane")]
OnlyQueue = Annotated[str | None, typer.Option("--queue", help="Only this queue.")]
OnlyType = Annotated[str | None, typer.Option("--type", help="Only this job type.")]
PageOfJobs = Annotated[int, limit_option("jobs of a page")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="The cursor that the page before printed.")]


def group(name: str, what: str) -> typer.Typer:
    """Return a command that others belong to."""
    return typer.Typer(
        name=name,
        help=what,
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that a dataclass has as its fields, in the place of the parameter that takes it."""
    parameters: list[inspect.Parameter] = []
    classes: dict[str, Any] = {}
    for name, own in inspect.signature(command, eval_str=True).parameters.items():
        if is_dataclass(own.annotation):
            classes[name] = own.annotation
            parameters += options_of(own.annotation)
        else:
            parameters.append(own.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def with_values(**values: object) -> None:
        given = {
            name: class_(**{field.name: values.pop(field.name) for field in fields(class_)})
            for name, class_ in classes.items()
        }
        command(**values, **given)

    return with_signature(with_values, parameters)


def with_signature(command: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """Let typer see a command as one with these parameters."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def options_of(class_: Any) -> list[inspect.Parameter]:  # noqa: ANN401 - a dataclass
    """Return the parameters of a command that are the fields of a dataclass."""
    hints = get_type_hints(class_, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(class_)
    ]
