from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc import Schema
from asgi_grpc.schema._comments import read_comments

PROTO = """\
// Of the file.
syntax = "proto3";

// Of the package.
package a.b;

// A book.
//   indented
// (-- for ourselves --)
message Book {
  string name = 1;  // after it
  // The genre.
  Genre genre = 2;
  // (-- a secret --)
  int32 secret = 3 [
    // Of an option.
    deprecated = true
  ];
  /* Inside. */
  message Page {
    // Its number.
    int32 number = 1;
  }
  // Kinds of books.
  enum Genre {
    NONE = 0;
    // Long.
    NOVEL = 1;
  }
  // Of a oneof.
  oneof x { int32 y = 4; }
}

// Colours.
enum Color { GREY = 0; }

// Lends.
service Library {
  // Lends one.
  // To one.
  rpc Lend(Book) returns (Book);
}
"""

COMMENTS = {
    "a.b.Book": "A book.\n  indented",
    "a.b.Book.name": "after it",
    "a.b.Book.genre": "The genre.",
    "a.b.Book.Page": "Inside.",
    "a.b.Book.Page.number": "Its number.",
    "a.b.Book.Genre": "Kinds of books.",
    "a.b.Book.Genre.NOVEL": "Long.",
    "a.b.Color": "Colours.",
    "a.b.Library": "Lends.",
    "a.b.Library.Lend": "Lends one.\nTo one.",
}


def schema(tmp_path: Path) -> Schema:
    path = tmp_path / "book.proto"
    path.write_text(PROTO)
    return Schema.from_protos(path)


def test_comments_are_found_by_full_name(tmp_path: Path) -> None:
    assert schema(tmp_path).comments == COMMENTS


def test_derived_schemas_keep_them(tmp_path: Path) -> None:
    whole = schema(tmp_path)
    assert whole.only(["a.b.Library"]).comments == COMMENTS
    assert Schema.merge(whole).comments == COMMENTS


def test_of_several_schemas_the_first_has_the_word(tmp_path: Path) -> None:
    whole = schema(tmp_path)
    other = Schema(whole.services.values(), pool=whole.pool, files=(), comments={"a.b.Book": "else", "c": "more"})
    assert Schema.merge(whole, other).comments == {**COMMENTS, "c": "more"}


def test_a_file_without_a_package_or_source_info() -> None:
    found = FileDescriptorSet()
    bare = found.file.add(name="bare.proto")
    bare.message_type.add(name="M")
    assert read_comments(found.file) == {}
    bare.source_code_info.location.add(path=[4, 0], leading_comments=" Hello.\n")
    assert read_comments(found.file) == {"M": "Hello."}
