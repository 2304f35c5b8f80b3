"""google.api.http rules that are refused."""

from __future__ import annotations

import pytest
from google.api.http_pb2 import CustomHttpPattern, HttpRule

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Schema
from asgi_grpc.schema._rules import read_rule
from tests.schema.protos import compile_protos

ADDITIONAL = HttpRule(get="/b", additional_bindings=[HttpRule(get="/c")])


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (HttpRule(body="*"), "p.S.Do: an HTTP rule without a pattern (get, put, post, delete, patch or custom)"),
        (HttpRule(custom=CustomHttpPattern(path="/a")), "p.S.Do: a custom HTTP rule without a kind"),
        (HttpRule(get=""), "p.S.Do: an HTTP rule with an empty path"),
        (
            HttpRule(get="/a", additional_bindings=[ADDITIONAL]),
            "p.S.Do: additional_bindings inside additional_bindings",
        ),
    ],
)
def test_a_rule_that_says_nothing_is_refused(rule: HttpRule, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_rule(rule, method="p.S.Do", source="annotation")
    assert str(caught.value) == problem


def test_the_method_of_a_bad_annotation_is_named() -> None:
    data = compile_protos(
        a="""
        syntax = "proto3";
        package p;
        import "google/api/annotations.proto";
        message M {}
        service S { rpc Do(M) returns (M) { option (google.api.http) = {}; } }
        """
    )
    with pytest.raises(ConfigurationError, match=r"^p\.S\.Do: an HTTP rule without a pattern"):
        Schema.from_descriptor_set(data)
