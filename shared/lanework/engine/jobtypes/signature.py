"""Reading a job function's signature: its payload, whether it takes a run, what it returns."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard, get_origin, get_type_hints

from pydantic import BaseModel

from lanework.engine.jobtypes.run import Run
from lanework.errors import DeclarationError, did_you_mean, shown
from lanework.model.job.payload import with_misplaced_marks
from lanework.model.limits import TENANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FunctionType

Signature: TypeAlias = "tuple[str, list[inspect.Parameter], dict[str, Any]]"

POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
"""Kinds of parameters that a job's payload and run may be passed to."""


def signature_of(name: str, function: Callable[..., object]) -> tuple[type[BaseModel], bool, Any]:
    """Return the payload's model, whether the function takes a run, and what it returns."""
    where, parameters, hints = read_signature(name, function)
    if not parameters or parameters[0].kind not in POSITIONAL:
        msg = f"{where} takes no payload: its first parameter must be a pydantic model, as in (payload: SignIn)"
        raise DeclarationError(msg)
    model = hints.get(parameters[0].name)
    if not is_model(model):
        hint = _hint_of_batch(model)
        msg = f"{where}: parameter {parameters[0].name!r} must be annotated with a pydantic model, got {model!r}{hint}"
        raise DeclarationError(msg)
    check_marks(where, model)
    takes_run = len(parameters) > 1 and hints.get(parameters[1].name) is Run and parameters[1].kind in POSITIONAL
    check_rest(
        where,
        parameters[2 if takes_run else 1 :],
        "a job is called with (payload) or, where the second parameter is annotated Run, with (payload, run)",
    )
    return model, takes_run, hints.get("return", Any)


def read_signature(name: str, function: Callable[..., object]) -> Signature:
    """Return how errors call a job's function, its parameters, and what they are annotated with."""
    code = code_of(function)
    where = f"job {name!r} ({code.__module__}.{code.__qualname__})"
    _check_that_it_runs(where, function)
    return where, list(inspect.signature(function).parameters.values()), _hints(where, code)


def is_model(found: object) -> TypeGuard[type[BaseModel]]:
    """Tell whether an annotation is a pydantic model."""
    return inspect.isclass(found) and issubclass(found, BaseModel)


def check_marks(where: str, model: type[BaseModel]) -> None:
    """Refuse a payload with a field that is Public in part."""
    if misplaced := with_misplaced_marks(model):
        msg = (
            f"{where}: {model.__name__}.{misplaced[0]} is Public in part only; write Public[…] around the whole "
            "annotation, as in Public[list[str]], or leave it out"
        )
        raise DeclarationError(msg)


def check_rest(where: str, rest: Iterable[inspect.Parameter], called: str) -> None:
    """Refuse further parameters that nothing is passed for."""
    for extra in rest:
        if extra.default is extra.empty and extra.kind not in (extra.VAR_KEYWORD, extra.VAR_POSITIONAL):
            msg = f"{where}: parameter {extra.name!r} needs a default; {called}"
            raise DeclarationError(msg)


def _hint_of_batch(found: object) -> str:
    is_batch = getattr(get_origin(found) or found, "__module__", "") == "lanework.engine.jobtypes.batch"
    return "; a batch of jobs is taken by a function under @family.batch(…)" if is_batch else ""


def code_of(function: Callable[..., object]) -> FunctionType:
    """Return the function that runs where this is called, such as a partial's; DeclarationError if none is seen."""
    while isinstance(function, partial):
        function = function.func
    found: Any = function
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        found = inspect.getattr_static(type(function), "__call__", None)  # an object that can be called
    found = getattr(found, "__func__", found)
    if not inspect.isfunction(found):  # such as a cache of functools': what it wraps
        found = getattr(function, "__wrapped__", None)
    if inspect.isfunction(found):
        return found
    msg = f"a job is a function, or an object that is called as one, written in Python; got {function!r}"
    raise DeclarationError(msg)


def is_async(function: Callable[..., object]) -> bool:
    """Tell whether calling it gives a coroutine, as far as that can be seen before."""
    return inspect.iscoroutinefunction(code_of(function))


def _check_that_it_runs(where: str, function: Callable[..., object]) -> None:
    """Refuse code whose call runs nothing of it, also under a decorator that keeps it as `__wrapped__`."""
    code: object = code_of(function)
    seen: list[object] = []
    while code is not None and code not in seen:
        if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
            msg = (
                f"{where} has a `yield`: a call of it makes a generator and runs no code. Leave the `yield` out; a "
                "job that works in parts can report them by run.progress, or enqueue a job for each"
            )
            raise DeclarationError(msg)
        seen.append(code)
        code = getattr(code, "__wrapped__", None)


def check_keys(name: str, model: type[BaseModel], keys: Iterable[str]) -> None:
    """Refuse a key of a limit, or of unique work, that is no field of the payload, nor `TENANT`."""
    for key in keys:
        if key != TENANT and key not in model.model_fields:
            msg = (
                f"job {name!r}: key {shown(key)} is no field of {model.__name__}{did_you_mean(key, model.model_fields)}"
            )
            raise DeclarationError(msg)


def _hints(where: str, function: Callable[..., object]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        msg = (
            f"{where}: annotation {error.name!r} can't be resolved; import it at run time (not under TYPE_CHECKING) "
            "and declare payload models at the top of a module"
        )
        raise DeclarationError(msg) from error
