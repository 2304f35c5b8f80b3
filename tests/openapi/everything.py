"""A schema with every kind of field, binding and stream, for the tests of this room."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from jsonschema import Draft202012Validator

from asgi_grpc import Schema
from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects import Dialect, find_dialect
from asgi_grpc.openapi import openapi_document
from asgi_grpc.routing import Router
from tests.schema.protos import WELL_KNOWN

EVERYTHING = """
syntax = "proto3";
package every.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

// How much light.
enum Light {
  DARK = 0;
  // As in the shade.
  DIM = 1;
  BRIGHT = 5;
}

// A leaf. It grows.
message Leaf {
  string name = 1;
  Leaf next = 2;  // again
  int32 size = 3 [deprecated = true];
}

message Request {
  // Which one.
  string name = 1;
  double a_double = 2;
  float a_float = 3;
  int32 an_int32 = 4;
  int64 an_int64 = 5;
  uint32 a_uint32 = 6;
  uint64 a_uint64 = 7;
  bool a_bool = 8;
  bytes a_bytes = 9;
  Light light = 10;
  optional string maybe = 11;
  Leaf leaf = 12;
  repeated string words = 13;
  repeated Leaf leaves = 14;
  map<string, int64> counts = 15;
  map<bool, Leaf> by_flag = 16;
  map<int32, Light> lights = 17;
  oneof choice {
    string text = 18;
    int32 number = 19;
    Leaf grown = 20;
  }
  google.protobuf.Timestamp time = 21;
  google.protobuf.Duration wait = 22;
  google.protobuf.FieldMask mask = 23;
  google.protobuf.Any any = 24;
  google.protobuf.Struct struct = 25;
  google.protobuf.Value value = 26;
  google.protobuf.ListValue list = 27;
  google.protobuf.Int64Value boxed = 28;
  google.protobuf.Empty empty = 29;
  google.protobuf.NullValue nothing = 30;
  string strange = 31 [json_name = "a.b[c]"];
  repeated google.protobuf.Value values = 32;
  map<string, google.protobuf.Value> jsons = 33;
  string odd = 34 [json_name = "odd one"];
}

message Wrapped {
  optional int32 maybe = 1;
  google.protobuf.BoolValue flag = 2;
  Leaf leaf = 3;
  map<string, Leaf> leaves = 4;
}

// Does
// everything.
service Every {
  // Reads one. In full.
  //
  // More of it.
  rpc Get(Request) returns (Leaf) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/books/*}"
      additional_bindings { get: "/v1/a/{leaf.name}/b/*/{an_int32}:look" }
      additional_bindings { post: "/v1/leaves/{name}" body: "leaf" }
      additional_bindings { put: "/v1/lists" body: "leaves" response_body: "next" }
      additional_bindings { custom { kind: "COPY" path: "/v1/copies/{text}" } }
      additional_bindings { custom { kind: "*" path: "/v1/any/{odd}" } body: "*" }
    };
  }
  rpc Delete(Request) returns (google.protobuf.Empty) {
    option deprecated = true;
    option (google.api.http) = {
      delete: "/v1/shelves/{name}/books/{maybe}"
      additional_bindings { get: "/v1/files/{name=**}" }
      additional_bindings { get: "/v1/files/{name}" }
      additional_bindings { get: "/v1/trees/{name=x%2Fy/**}/z" }
      additional_bindings { patch: "/v1/caf%C3%A9-x%7B/*/{time}" }
    };
  }
  rpc Unwrap(Leaf) returns (Wrapped) {
    option (google.api.http) = {
      get: "/v1/maybe" response_body: "maybe"
      additional_bindings { get: "/v1/flag" response_body: "flag" }
      additional_bindings { get: "/v1/leaf" response_body: "leaf" }
      additional_bindings { get: "/v1/leaf-map" response_body: "leaves" }
    };
  }
  rpc Bytes(google.api.HttpBody) returns (google.api.HttpBody);
  rpc Up(stream Leaf) returns (Leaf);
  rpc Down(Leaf) returns (stream Leaf) {
    option (google.api.http) = { get: "/v1/down" response_body: "next" };
  }
  rpc BytesDown(Leaf) returns (stream google.api.HttpBody);
  rpc Both(stream Request) returns (stream Wrapped) {
    option (google.api.http) = { post: "/v1/both" body: "leaf" };
  }
}
"""


@functools.cache
def schema_of(text: str) -> Schema:
    """A schema of one .proto file, with its comments."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "every.proto").write_text(text)
        out = Path(folder, "out.binpb")
        include = [f"-I{path}" for path in (folder, *WELL_KNOWN)]
        kept = ["--include_imports", "--include_source_info"]
        assert protoc.main(["protoc", *include, *kept, f"--descriptor_set_out={out}", "every.proto"]) == 0
        schema = Schema.from_descriptor_set(out)
    return schema.only([name for name in schema.services if not name.startswith("google.")])


def everything() -> Schema:
    """The schema above."""
    return schema_of(EVERYTHING)


def described(
    schema: Schema, dialect: str | Dialect = "envelope", codec_options: CodecOptions | None = None, **options: Any
) -> dict[str, Any]:
    """The document of all methods of a schema."""
    spelled = find_dialect(dialect)
    routes = Router(schema.methods, codec_options=codec_options or spelled.codec_options).routes
    return openapi_document(routes, dialect=spelled, codec_options=codec_options, comments=schema.comments, **options)


def of_methods(body: str, messages: str = "message M { string a = 1; string b = 2; }", name: str = "S") -> Schema:
    """A schema of one service."""
    head = 'syntax = "proto3"; package p; import "google/api/annotations.proto";'
    return schema_of(f"{head} {messages} service {name} {{ {body} }}")


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Validates values by a schema that refers to the document's components."""
    return Draft202012Validator({**schema, "components": document["components"]})


def dialects() -> Sequence[str]:
    """All that have a name."""
    return ("envelope", "grpc-gateway", "bare")
