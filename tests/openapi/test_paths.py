from __future__ import annotations

import pytest

from asgi_grpc.openapi._paths import path_template
from asgi_grpc.routing import Router
from tests.openapi.everything import everything, of_methods

MESSAGES = """
message M { string name = 1; N book = 2; string first_name = 3; string odd = 4 [json_name = "odd one"]; }
message N { string full_name = 1; }
"""


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/", "/"),
        ("/v1", "/v1"),
        ("/v1/{name}", "/v1/{name}"),
        ("/v1/{name=*}:lend", "/v1/{name}:lend"),
        ("/v1/{name=shelves/*}", "/v1/shelves/{shelvesId}"),
        ("/v1/{name=shelves/*/books/*}/pages", "/v1/shelves/{shelvesId}/books/{booksId}/pages"),
        ("/v1/{name=shelves/**}", "/v1/shelves/{shelvesPath}"),
        ("/v1/{name=shelves/**}/last", "/v1/shelves/{shelvesPath}/last"),
        ("/v1/{name=**}/last", "/v1/{name}/last"),
        ("/v1/{name=shelves}", "/v1/shelves"),
        ("/{name=*/*}", "/{segmentId}/{segmentId_}"),
        ("/**", "/{segmentPath}"),
        ("/many-words_here/*", "/many-words_here/{manyWordsHereId}"),
        ("/-/*", "/-/{segmentId}"),
        ("/v1/{book.full_name}/{first_name}", "/v1/{book.fullName}/{firstName}"),
        ("/v1/{odd}", "/v1/{odd}"),
        ("/a%2Fb/caf%c3%a9:v%7B", "/a%2Fb/caf%C3%A9:v%7B"),
    ],
)
def test_a_template_becomes_a_path(template: str, path: str) -> None:
    schema = of_methods(f'rpc A(M) returns (M) {{ option (google.api.http) = {{ get: "{template}" }}; }}', MESSAGES)
    found = path_template(Router(schema.methods).routes[0])
    assert found.path(found.names) == path


def test_a_shape_has_no_names() -> None:
    shapes = [path_template(route).shape for route in Router(everything().methods).routes]
    assert shapes[:3] == ["/v1/shelves/{}/books/{}", "/v1/a/{}/b/{}/{}:look", "/v1/leaves/{}"]
