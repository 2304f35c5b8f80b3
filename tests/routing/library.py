"""A schema that has a bit of everything, for the tests of this room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import CodecOptions
from asgi_grpc.routing import Bound, Match, Router
from asgi_grpc.schema import Binding, Method, Schema
from tests.schema.protos import compile_protos

SCHEMA = Schema.from_descriptor_set(
    compile_protos(
        library="""
        syntax = "proto3";
        package library;
        import "google/api/httpbody.proto";
        import "google/protobuf/any.proto";
        import "google/protobuf/duration.proto";
        import "google/protobuf/field_mask.proto";
        import "google/protobuf/struct.proto";
        import "google/protobuf/timestamp.proto";
        import "google/protobuf/wrappers.proto";
        import "old.proto";

        enum Genre { NONE = 0; NOVEL = 1; POEM = 3; }
        message Book {
          string name = 1;
          string page_title = 2;
          int64 pages = 3;
          optional int32 edition = 4;
          Genre genre = 5;
          repeated string tags = 6;
          map<string, int32> copies = 7;
          google.protobuf.Timestamp printed = 8;
          google.protobuf.Struct extra = 9;
          Book sequel = 10;
          oneof price { int32 cents = 11; string barter = 12; Book swap = 13; }
          google.protobuf.Value free = 14;
          repeated Book parts = 15;
          google.protobuf.Any any = 16;
        }
        message Request {
          string name = 1;
          int64 number = 2;
          Book book = 3;
          google.protobuf.FieldMask update_mask = 4;
          repeated string tags = 5;
          repeated Book books = 6;
          map<string, Book> shelf = 7;
          map<int32, string> labels = 8;
          map<bool, int64> flags = 9;
          bool loud = 10;
          bytes raw = 11;
          double weight = 12;
          float height = 13;
          Genre genre = 14;
          optional string note = 15;
          google.protobuf.Timestamp since = 16;
          google.protobuf.Duration wait = 17;
          google.protobuf.Int32Value limit = 18;
          google.protobuf.Struct extra = 19;
          google.protobuf.Value value = 20;
          oneof who { string user = 21; Book pupil = 22; int32 badge = 23; }
          repeated Genre genres = 24;
          uint32 small = 25;
          repeated google.protobuf.Int32Value limits = 26;
          string strange = 27 [json_name = "very strange \\\\ name"];
          google.protobuf.Any any = 28;
          repeated double weights = 29;
          google.protobuf.NullValue nothing = 30;
          optional Genre maybe = 31;
          string a_b = 32 [json_name = "swapped"];
          string swapped = 33 [json_name = "aB"];
          map<bool, Book> by_flag = 34;
        }
        message TwoMasks {
          google.protobuf.FieldMask one = 1;
          google.protobuf.FieldMask two = 2;
          Book book = 3;
        }
        message Masks { repeated google.protobuf.FieldMask masks = 1; Book book = 2; }
        message Upload {
          string name = 1;
          string note = 2;
          oneof what { google.api.HttpBody file = 3; string text = 4; }
          google.api.HttpBody other = 5;
          repeated google.api.HttpBody files = 6;
        }
        service Library {
          rpc Do(Request) returns (Request);
          rpc Old(old.Request) returns (old.Request);
          rpc Twice(TwoMasks) returns (TwoMasks);
          rpc Many(Masks) returns (Masks);
          rpc Raw(google.api.HttpBody) returns (google.api.HttpBody);
          rpc Upload(.library.Upload) returns (.library.Upload);
          rpc Talk(stream Request) returns (stream Request);
          rpc Tell(stream Request) returns (Request);
          rpc Hear(Request) returns (stream Request);
        }
        """,
        old="""
        syntax = "proto2";
        package old;
        message Request {
          required string name = 1;
          optional Inner inner = 2;
          optional int32 number = 3 [default = 7];
          repeated int32 numbers = 4;
        }
        message Inner { required int32 a = 1; optional int32 b = 2; }
        """,
    )
)
METHODS: dict[str, Method] = {method.full_name.rpartition(".")[2]: method for method in SCHEMA.methods}
REQUEST = GetMessageClass(METHODS["Do"].input)


def method(name: str, *bindings: Binding) -> Method:
    """One of the methods above with other bindings."""
    return replace(METHODS[name], bindings=bindings)


def rule(template: str, body: str = "", http_method: str = "GET", response_body: str = "") -> Binding:
    """A binding."""
    return Binding(http_method=http_method, template=template, body=body, response_body=response_body)


def matched(
    template: str,
    path: str,
    *,
    body: str = "",
    http_method: str = "GET",
    name: str = "Do",
    response_body: str = "",
    ignore_unknown_query: bool = False,
    options: CodecOptions | None = None,
) -> Match:
    """A path matched by a table of one template."""
    router = Router(
        [method(name, rule(template, body, http_method, response_body))],
        codec_options=options or CodecOptions(),
        ignore_unknown_query=ignore_unknown_query,
    )
    return router.match(http_method, path.encode())


def bound(
    template: str, path: str, query: str = "", *, strict: bool = False, whole: bool = False, **rule_and_options: Any
) -> Bound:
    """A path and a query, bound by a table of one template."""
    return matched(template, path, **rule_and_options).bind(query.encode(), strict=strict, whole=whole)


def plain(message: Message) -> dict[str, Any]:
    """A message as plain data, by protobuf's own hand."""
    return MessageToDict(message, preserving_proto_field_name=True)


def played(bound: Bound, *frames: str) -> tuple[list[dict[str, Any]], str | None]:
    """Decode frames: the messages as plain data, and the error's text."""
    messages, error = bound.decode([frame.encode() for frame in frames])
    return [plain(message) for message in messages], None if error is None else str(error)
