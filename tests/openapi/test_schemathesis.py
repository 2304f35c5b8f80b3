"""Requests that a public program makes from the served documents of both examples: a gateway never answers 500.

``OPENAPI_EXAMPLES`` is their number for each operation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from tests.processes import GREETER, ROOT, STREAMING, UVICORN, Started, python, started

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "4"))
OPERATIONS = {"greeter": 10, "streaming": 17}

# Some of the streams never end: their first message comes at once, and then this ends them.
HEADERS = {"Grpc-Timeout": "300m"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Started]:
    """A gateway with both services behind it; at the end it must have had no accident."""
    with (
        started(*python(GREETER, "--port", "0")) as greeter,
        started(*python(STREAMING, "--port", "0")) as streaming,
        started(
            *(sys.executable, "-m", "uvicorn", "tests.openapi.gateway:app", "--port", "0"),
            ready=UVICORN,
            env={"GREETER_TARGET": greeter.address, "STREAMING_TARGET": streaming.address},
            cwd=ROOT,
        ) as running,
    ):
        yield running
    assert "Traceback" not in running.stderr


@pytest.mark.parametrize("example", list(OPERATIONS))
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_no_request_gets_a_500(example: str, mode: schemathesis.GenerationMode, gateway: Started) -> None:
    document = schemathesis.openapi.from_url(f"http://{gateway.address}/{example}.json")
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS[example]
    statuses: set[int] = set()
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(headers=HEADERS, timeout=20)
            statuses.add(answer.status_code)
            assert answer.status_code != 500, case.as_curl_command()

        ask()
    assert 400 in statuses
    assert mode is schemathesis.GenerationMode.NEGATIVE or 200 in statuses
