"""The API does what its OpenAPI document says, whatever it is sent: schemathesis makes the requests of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lanework.http.auth.tokens import Role
from lanework.testing import Clock, app_in_memory
from tests.support.gateway import TOKENS, a_client, a_wsgi_application
from tests.support.http_shop import an_application

if TYPE_CHECKING:
    from schemathesis import Case

TOKEN = {"Authorization": f"Bearer {TOKENS[Role.ADMIN]}"}
EXAMPLES = 10

app = app_in_memory(an_application(), Clock())
for name in ("0", "die"):
    app.enqueue("user.greeting", {"name": name}, job_id=name)
schema = schemathesis.openapi.from_wsgi("/openapi.json", a_wsgi_application(a_client(app).handler), headers=TOKEN)


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
def test_what_is_sent(case: Case[Any]) -> None:
    # Names of lanes, types and queues are no part of the document, so what fits it may still be refused.
    case.call_and_validate(headers=TOKEN, excluded_checks=[positive_data_acceptance])
