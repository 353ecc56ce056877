"""Schemathesis against the running application, filled by a scan: what its document says is what it does.

No 500, no answer that the document does not have, nothing accepted that it forbids, and nothing without a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from tests.conftest import DEEP
from tests.peers import practice
from tests.peers.dashboard import Dashboard, dashboard

from leadglass.model.account import Permission
from leadglass.web.api.document import document

EXAMPLES = 200 if DEEP else 3
SAID_NO = ["2xx", "304", "400", "404", "409", "412", "428", "503"]
"""What a request may get that the document allows: 400 is a cursor of another list, a network that is none; 503 a
dossier without what makes it."""
OPERATIONS = 40
"""Fewer would mean that a route has lost its place in the document."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with dashboard(tmp_path_factory.mktemp("api")) as one:
        practice.fill(one.database)
        yield one


@pytest.fixture(scope="module")
def schema(made: Dashboard) -> Any:
    config = schemathesis.Config.from_dict(
        {"checks": {"positive_data_acceptance": {"expected-statuses": SAID_NO}}}
    )
    found = schemathesis.openapi.from_dict(document(made.app.routes), config=config)
    found.app = made.app
    return found


@pytest.fixture(scope="module")
def operations(schema: Any) -> list[Any]:
    return [each.ok() for each in schema.get_all_operations()]


def is_sent(value: object) -> bool:
    """Whether a URL shows it as what it is: nothing is not there, and a list of one is that one."""
    inner = list(value.values()) if isinstance(value, dict) else value
    return (
        len([one for one in inner if one is not None]) > 1 if isinstance(inner, list) else inner is not None
    )


def test_the_document_has_every_route(operations: list[Any]) -> None:
    assert len(operations) >= OPERATIONS


@pytest.mark.parametrize("mode", GenerationMode)
def test_the_application_does_what_its_document_says(
    made: Dashboard, operations: list[Any], mode: GenerationMode
) -> None:
    client = made.program(list(Permission)).client
    shown = {"Authorization": client.headers["Authorization"]}
    failed = []
    for operation in operations:
        strategy = operation.as_strategy(generation_mode=mode)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=not DEEP,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def check(case: Any) -> None:
            assume(mode is GenerationMode.POSITIVE or all(map(is_sent, (case.query or {}).values())))
            case.call_and_validate(base_url="http://localhost", headers=shown)

        try:
            check()
        except Unsatisfiable:  # an operation without a parameter: nothing of it can be wrong
            assert mode is GenerationMode.NEGATIVE
        except ExceptionGroup as failure:
            failed.append(f"{operation.label}: {failure.exceptions!r}")
    assert failed == []
