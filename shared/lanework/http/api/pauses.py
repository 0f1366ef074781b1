"""Endpoints about pauses: what is paused, pause, resume."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lanework.engine.operations.pauses import flag_of
from lanework.engine.operations.pauses import resume as resume_
from lanework.http.api.requests import Pausing
from lanework.http.auth.tokens import Role
from lanework.http.endpoints import Endpoints, endpoint
from lanework.http.routing import RESUME_WITHIN
from lanework.model.json_view import JsonView
from lanework.model.lanes import lane_of


class Paused(JsonView):
    """What is paused."""

    success: Literal[True] = True
    paused: tuple[str, ...] = Field(description="Such as lane:low, queue:email or type:user.otp.")


class Resumed(JsonView):
    """A pause that is over."""

    success: Literal[True] = True
    resumed: str
    released: int = Field(description="Jobs that it held and that were moved so far; they start within a minute.")


class PausesApi(Endpoints):
    """Pauses and resumes."""

    tag = "Pauses"

    @endpoint("GET", "/api/jobs/pauses", Role.VIEWER)
    def list_pauses(self) -> Paused:
        """List what is paused."""
        return Paused(paused=tuple(sorted(self.app.ports.flags.read().paused)))

    @endpoint("POST", "/api/jobs/pause", Role.ADMIN)
    def pause(self, what: Pausing) -> Paused:
        """Pause a lane, a queue or a job type: within seconds none of its jobs starts."""
        lane = what.named_lane
        name = self.app.pause(lane=None if lane is None else lane_of(lane), queue=what.queue, job_type=what.type)
        return Paused(paused=(name,))

    @endpoint("POST", "/api/jobs/resume", Role.ADMIN)
    def resume(self, what: Pausing) -> Resumed:
        """Resume a lane, a queue or a job type; jobs that it held start within a minute."""
        name = flag_of(
            lane=what.named_lane,
            queue=what.queue,
            job_type=what.type,
            registry=self.app.registry,
            ports=self.app.ports,
        )
        return Resumed(resumed=name, released=resume_(name, self.app.ports, within=RESUME_WITHIN))
