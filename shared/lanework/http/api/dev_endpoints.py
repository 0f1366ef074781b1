"""Endpoints to try things with, in development only: a job type is enqueued with the example of its payload."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from lanework.engine.jobtypes.job_type import JobType
from lanework.http.api.responses import Enqueued
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.job_types import type_in


class DevelopmentApi(Endpoints):
    """Tries job types."""

    tag = "Development"

    @endpoint("POST", "/api/jobs/test/{name}", Role.ADMIN, status=HTTPStatus.ACCEPTED)
    def try_job(
        self,
        name: Annotated[str, Path(description="Words of one job type: otp for user.otp.")],
        payload: Annotated[
            dict[str, Any] | None, Body(description="Over the fields of the type's own example.")
        ] = None,
    ) -> Enqueued:
        """Enqueue a job of a type, with the example of its payload where you give no field."""
        found = type_in(name, self.app.registry)
        wanted = json.dumps({**_example(found), **(payload or {})})
        return Enqueued.of(self.app.enqueue(found.name, wanted), found.name)


def _example(job_type: JobType) -> dict[str, Any]:
    """Return the first example that the payload's JSON schema names, as pydantic's `json_schema_extra` gives it."""
    examples: list[dict[str, Any]] = job_type.model.model_json_schema().get("examples", [])
    return next(iter(examples), {})
