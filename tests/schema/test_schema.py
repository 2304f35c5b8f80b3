"""Schemas from modules, descriptor sets and pools."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf import descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Binding, Method, Schema
from tests.schema.protos import compile_protos, files_of

LIBRARY = compile_protos(
    library="""
    syntax = "proto3";
    package library.v1;
    import "shelf.proto";
    import "google/api/annotations.proto";
    import "google/protobuf/timestamp.proto";
    message Book { string name = 1; google.protobuf.Timestamp printed_at = 2; Shelf shelf = 3; }
    service Zoo { rpc Feed(stream Book) returns (Book); rpc Visit(Book) returns (stream Book); }
    service Library {
      rpc GetBook(Book) returns (Book) {
        option (google.api.http) = {
          get: "/v1/{name=books/*}"
          response_body: "shelf"
          additional_bindings { custom { kind: "LOCK" path: "/v1/{name}:lock" } body: "*" }
          additional_bindings { patch: "/v1/books" body: "shelf" }
        };
      }
      rpc Chat(stream Book) returns (stream Book);
    }
    """,
    shelf="""
    syntax = "proto3";
    package library.v1;
    message Shelf { int64 number = 1; }
    """,
)

FULL = "google.protobuf.FileDescriptorSet"


def default(path: str) -> Binding:
    return Binding(http_method="POST", template=path, body="*", source="default")


def facts(method: Method) -> tuple[str, str, str, str, str]:
    return method.full_name, method.path, method.input.full_name, method.output.full_name, method.kind


def test_a_descriptor_set_gives_services_methods_and_kinds_in_order() -> None:
    schema = Schema.from_descriptor_set(LIBRARY)
    book = "library.v1.Book"
    assert list(schema.services) == ["library.v1.Zoo", "library.v1.Library"]
    assert [facts(method) for method in schema.methods] == [
        ("library.v1.Zoo.Feed", "/library.v1.Zoo/Feed", book, book, "client_streaming"),
        ("library.v1.Zoo.Visit", "/library.v1.Zoo/Visit", book, book, "server_streaming"),
        ("library.v1.Library.GetBook", "/library.v1.Library/GetBook", book, book, "unary"),
        ("library.v1.Library.Chat", "/library.v1.Library/Chat", book, book, "bidirectional"),
    ]


def test_bindings_are_the_annotation_then_additional_ones_then_the_default() -> None:
    schema = Schema.from_descriptor_set(LIBRARY)
    assert [list(method.bindings) for method in schema.services["library.v1.Library"].methods] == [
        [
            Binding(http_method="GET", template="/v1/{name=books/*}", response_body="shelf"),
            Binding(http_method="LOCK", template="/v1/{name}:lock", body="*"),
            Binding(http_method="PATCH", template="/v1/books", body="shelf"),
            default("/library.v1.Library/GetBook"),
        ],
        [default("/library.v1.Library/Chat")],
    ]


def test_an_annotation_at_the_default_path_stands_for_the_default() -> None:
    schema = Schema.from_descriptor_set(
        compile_protos(
            a="""
            syntax = "proto3";
            import "google/api/annotations.proto";
            message M { M m = 1; }
            service S { rpc Do(M) returns (M) { option (google.api.http) = { post: "/S/Do" body: "m" }; } }
            """
        )
    )
    assert [method.bindings for method in schema.methods] == [
        (Binding(http_method="POST", template="/S/Do", body="m"),)
    ]


def test_another_http_method_at_the_default_path_stands_beside_the_default() -> None:
    schema = Schema.from_descriptor_set(
        compile_protos(
            a="""
            syntax = "proto3";
            import "google/api/annotations.proto";
            message M {}
            service S { rpc Do(M) returns (M) { option (google.api.http) = { get: "/S/Do" }; } }
            """
        )
    )
    assert [method.bindings for method in schema.methods] == [
        (Binding(http_method="GET", template="/S/Do"), default("/S/Do"))
    ]


def test_files_may_come_in_any_order_repeatedly_and_from_several_sources(tmp_path: Path) -> None:
    everything = files_of(LIBRARY)
    path = tmp_path / "library.binpb"
    path.write_bytes(
        FileDescriptorSet(file=[f for f in everything.file if f.name == "library.proto"]).SerializeToString()
    )
    rest = FileDescriptorSet(file=[f for f in reversed(everything.file) if f.name != "library.proto"])
    schema = Schema.from_descriptor_set(path, rest.SerializeToString(), str(path), LIBRARY)
    assert list(schema.services) == ["library.v1.Zoo", "library.v1.Library"]


def test_messages_of_a_set_are_its_own_and_ready_for_any() -> None:
    schema = Schema.from_descriptor_set(LIBRARY)
    method = schema.services["library.v1.Library"].methods[0]
    book = message_factory.GetMessageClass(method.input)(name="n")
    assert book.SerializeToString() == b"\x0a\x01n"
    assert schema.pool.FindMessageTypeByName("library.v1.Shelf") is method.input.fields_by_name["shelf"].message_type
    assert schema.pool is not descriptor_pool.Default()


def test_well_known_imports_may_be_missing() -> None:
    own = [f for f in files_of(LIBRARY).file if not f.name.startswith("google/")]
    schema = Schema.from_descriptor_set(FileDescriptorSet(file=own).SerializeToString())
    assert list(schema.services) == ["library.v1.Zoo", "library.v1.Library"]


@pytest.mark.parametrize("name", ["shelf.proto", "google/api/no_such_file.proto"])
def test_other_missing_imports_say_what_to_do(name: str) -> None:
    broken = FileDescriptorSet(file=[FileDescriptorProto(name="a.proto", dependency=[name])])
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(broken.SerializeToString())
    assert str(caught.value) == (
        f"{name}, which a.proto imports, is not in the descriptor set: write the set with "
        "protoc --include_imports --descriptor_set_out (or buf build)"
    )


def test_two_different_files_of_one_name_are_refused(tmp_path: Path) -> None:
    other = files_of(LIBRARY)
    other.file[-1].message_type[0].name = "Tome"
    path = tmp_path / "other.binpb"
    path.write_bytes(other.SerializeToString())
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(LIBRARY, path)
    assert (
        str(caught.value)
        == f"two different files are named library.proto: in the descriptor set and in the descriptor set {path}"
    )


def test_of_google_s_own_files_the_newer_counts() -> None:
    """Each protoc carries those of its version, and two sets may come from two of them."""
    newer = files_of(LIBRARY)
    (annotations,) = [file for file in newer.file if file.name == "google/api/http.proto"]
    annotations.message_type.add(name="OfTomorrow")
    for sources in ((LIBRARY, newer.SerializeToString()), (newer.SerializeToString(), LIBRARY)):
        pool = Schema.from_descriptor_set(*sources).pool
        assert pool.FindMessageTypeByName("google.api.OfTomorrow").name == "OfTomorrow"


def test_comments_and_derived_json_names_make_no_difference() -> None:
    other = files_of(LIBRARY)
    for file in other.file:
        file.source_code_info.location.add(leading_comments="hello")
        for message in file.message_type:
            for field in message.field:
                field.ClearField("json_name")
    assert Schema.from_descriptor_set(LIBRARY, other.SerializeToString()).services


def test_a_json_name_of_its_own_makes_a_difference() -> None:
    text = (
        'syntax = "proto3"; message M { string a_b = 1 %s; extend google.protobuf.FileOptions { string x = 60000; } }'
    )
    text = text.replace("message", 'import "google/protobuf/descriptor.proto"; message', 1)
    with pytest.raises(ConfigurationError, match=r"two different files are named a\.proto"):
        Schema.from_descriptor_set(compile_protos(a=text % ""), compile_protos(a=text % '[json_name = "x"]'))


def test_one_symbol_in_two_files_names_both() -> None:
    text = 'syntax = "proto3"; package p; message M {}'
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(compile_protos(a=text), compile_protos(b=text))
    assert str(caught.value) == "p.M is defined in a.proto and again in b.proto"


def test_other_faults_of_a_file_are_passed_on() -> None:
    broken = files_of(compile_protos(a='syntax = "proto3"; message M { M m = 1; }'))
    broken.file[0].message_type[0].field[0].type_name = ".no.Such"
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(broken.SerializeToString())
    assert str(caught.value) == "a.proto: couldn't resolve name '.no.Such'"


def test_files_that_import_each_other_are_refused() -> None:
    circle = FileDescriptorSet(
        file=[
            FileDescriptorProto(name="a.proto", dependency=["b.proto"]),
            FileDescriptorProto(name="b.proto", dependency=["a.proto"]),
        ]
    )
    with pytest.raises(ConfigurationError, match="import each other"):
        Schema.from_descriptor_set(circle.SerializeToString())


def test_a_long_chain_of_imports_is_no_problem() -> None:
    chain = FileDescriptorSet(
        file=[FileDescriptorProto(name=f"{n}", dependency=[f"{n + 1}"] if n < 3000 else []) for n in range(3001)]
    )
    assert dict(Schema.from_descriptor_set(chain.SerializeToString()).services) == {}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff\xff", f"is not a serialized {FULL} (what protoc --descriptor_set_out writes)"),
        (b"", "holds no named files"),
        (FileDescriptorSet(file=[FileDescriptorProto()]).SerializeToString(), "holds no named files"),
    ],
    ids=["noise", "empty", "nameless"],
)
def test_what_is_no_descriptor_set_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(data)
    assert str(caught.value) == f"the descriptor set {problem}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_descriptor_set(tmp_path / "none.binpb")
    assert str(caught.value) == f"the descriptor set {tmp_path}/none.binpb can't be read: No such file or directory"


def module_of(data: bytes, name: str) -> ModuleType:
    """What a generated module is to us: something with a DESCRIPTOR in the default pool."""
    pool = descriptor_pool.Default()
    for file in files_of(data).file:
        if not file.name.startswith("google/"):
            pool.Add(file)
    module = ModuleType(name)
    module.DESCRIPTOR = pool.FindFileByName(f"{name}.proto")  # type: ignore[attr-defined]
    return module


MODULE = module_of(
    compile_protos(
        schema_module="""
        syntax = "proto3";
        package schema_module;
        message M {}
        service S { rpc Do(M) returns (M); }
        service R { rpc Do(M) returns (M); }
        """
    ),
    "schema_module",
)


def test_modules_give_services_in_the_default_pool() -> None:
    schema = Schema.from_modules(MODULE, timestamp_pb2)
    assert list(schema.services) == ["schema_module.S", "schema_module.R"]
    assert schema.pool is descriptor_pool.Default()


def test_a_module_without_messages_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_modules(ModuleType("greeter_pb2_grpc"))
    assert (
        str(caught.value) == "greeter_pb2_grpc is not a module that protoc generates for messages (one named ..._pb2)"
    )


def test_a_pool_gives_services_by_name() -> None:
    assert list(Schema.from_pool("schema_module.R", "schema_module.S", "schema_module.R").services) == [
        "schema_module.R",
        "schema_module.S",
    ]
    pool = Schema.from_descriptor_set(LIBRARY).pool
    assert list(Schema.from_pool("library.v1.Zoo", pool=pool).services) == ["library.v1.Zoo"]
    with pytest.raises(ConfigurationError, match=r"^no imported module defines the service no\.Such$"):
        Schema.from_pool("no.Such")


def test_only_keeps_the_services_named() -> None:
    schema = Schema.from_descriptor_set(LIBRARY)
    assert list(schema.only(["library.v1.Library"]).services) == ["library.v1.Library"]
    with pytest.raises(ConfigurationError) as caught:
        schema.only(["library.v1.Library", "Library"])
    assert str(caught.value) == "the schema has no service Library; it has library.v1.Zoo, library.v1.Library"


def test_schemas_merge_and_the_first_wins() -> None:
    modules, files = Schema.from_modules(MODULE), Schema.from_descriptor_set(LIBRARY)
    merged = Schema.merge(modules, files, Schema.from_descriptor_set(LIBRARY))
    assert list(merged.services) == ["schema_module.S", "schema_module.R", "library.v1.Zoo", "library.v1.Library"]
    assert merged.services["library.v1.Zoo"] is files.services["library.v1.Zoo"]
    names = ["schema_module.M", "library.v1.Shelf"]
    assert [merged.pool.FindMessageTypeByName(name).full_name for name in names] == names


def test_schemas_of_one_pool_keep_it() -> None:
    whole = Schema.from_descriptor_set(LIBRARY)
    merged = Schema.merge(whole.only(["library.v1.Library"]), whole.only(["library.v1.Zoo"]))
    assert list(merged.services) == ["library.v1.Library", "library.v1.Zoo"]
    assert merged.pool is whole.pool


def test_nothing_merges_to_nothing() -> None:
    assert dict(Schema.merge().services) == {}
