"""Paths and queries that want to be something else."""

from __future__ import annotations

import json

from tests.hostile.cases import FULL, INT32, INT64, NO_NUMBER, NO_TIME, SECRET, SERVER, Case, invalid, ok, refused
from tests.hostile.wire import Reply, request

NOWHERE = refused(404, "NOT_FOUND", "no method is bound to this path")
NEITHER = {"h11": NOWHERE, "httptools": SERVER}
MALFORMED = invalid("the path has a '%' without two hexadecimal digits after it")
NOT_UTF8 = invalid("the path is not UTF-8")


def get(target: str | bytes, host: str = "plain") -> bytes:
    """A GET of whatever."""
    return request("GET", target, host=host)


def path(name: str, target: str | bytes, answer: list[Reply], host: str = "plain") -> Case:
    """A path, and its answer from both servers."""
    return Case(name=name, send=get(target, host), expect=answer)


def variable(problem: str) -> list[Reply]:
    """A path variable that is refused."""
    joint = " " if problem.startswith("from") else ", "
    return invalid(f'the path variable "number": expected an integer{joint}{problem}')


PATHS = [
    path("dots go nowhere", "/v1/echo/../../etc/passwd", NOWHERE),
    path("dots are a segment like any other", "/v1/echo/..", ok({"text": ".."})),
    path("encoded dots are a segment like any other", "/v1/echo/%2e%2e", ok({"text": ".."})),
    path("encoded dots lead nowhere", "/v1/%2e%2e/echo", NOWHERE),
    path(
        "dots in a variable of several segments stay", "/v1/files/../..//etc/%2e%2e/x", ok({"text": "../..//etc/../x"})
    ),
    path("an encoded slash stays in its segment", "/v1/echo/a%2Fb%2fc", ok({"text": "a/b/c"})),
    path("an encoded slash can be told from a slash", "/v1/files/a%2Fb/c%2fd", ok({"text": "a%2Fb/c%2fd"})),
    path(
        "an encoded slash cannot, where that was asked for", "/v1/files/a%2Fb/c", ok({"text": "a/b/c"}), host="options"
    ),
    path("an encoded slash is no separator of the path", "/v1%2Fecho", NOWHERE),
    path("two slashes are not one", "//v1//echo", NOWHERE),
    path("an empty segment is no value", "/v1/echo/", NOWHERE),
    path("escapes are decoded once", "/v1/echo/%252e%252E%252f", ok({"text": "%2e%2E%2f"})),
    path("an encoded NUL is a character", "/v1/echo/a%00b", ok({"text": "a\0b"})),
    path("encoded line ends are characters", "/v1/echo/a%0d%0aSet-Cookie:%20a=b", ok({"text": "a\r\nSet-Cookie: a=b"})),
    path("an escape without digits", f"/v1/echo/{SECRET}%zz", MALFORMED),
    path("an escape that is cut", f"/v1/echo/{SECRET}%4", MALFORMED),
    path("a percent sign alone", f"/v1/files/{SECRET}/%", MALFORMED),
    path("an escape as Microsoft had it", f"/v1/echo/{SECRET}%u0041", MALFORMED),
    path("a malformed escape in a literal", "/v1/ech%zz", NOWHERE),
    path("an escaped literal is that literal", "/v1/%65cho", ok()),
    path("UTF-8 that is longer than needed", f"/v1/echo/{SECRET}%c0%ae%c0%af", NOT_UTF8),
    path("an encoded surrogate", f"/v1/echo/{SECRET}%ed%a0%80", NOT_UTF8),
    path("beyond Unicode", f"/v1/echo/{SECRET}%f4%90%80%80", NOT_UTF8),
    path("a backslash is no slash", "/v1\\echo", NOWHERE),
    path("a backslash is a character", "/v1/echo/..\\..\\x", ok({"text": "..\\..\\x"})),
    path("parameters are part of the segment", "/v1/echo;a=b", NOWHERE),
    path("parameters are part of the value", "/v1/echo/a;jsessionid=1", ok({"text": "a;jsessionid=1"})),
    path("a verb that nobody bound is part of the value", "/v1/echo/a:delete", ok({"text": "a:delete"})),
    path("a path of 60 KiB that nobody serves", "/" + "a/" * (30 << 10), NOWHERE),
    path("a path of 60 KiB of escapes", "/v1/echo/" + "%41" * (20 << 10), ok({"text": "A" * (20 << 10)})),
    path("a number that is none", f"/v1/number/{SECRET}", variable("got a string that is not a number")),
    path(
        "a number of 5000 digits",
        "/v1/number/" + "9" * 5000,
        variable("from -2147483648 to 2147483647, got one outside"),
    ),
    path("a number in other digits", "/v1/number/%D9%A1", variable("got a string that is not a number")),
    path("a number with a sign and a space", "/v1/number/%2B1", variable("got a string that is not a number")),
    path("a prefix that is not stripped twice", "/api/api/v1/echo", NOWHERE, host="mounted"),
    path("a prefix is stripped", "/api/v1/echo", ok(), host="mounted"),
    path("a prefix that is only the beginning of a segment", "/apiv1/echo", NOWHERE, host="mounted"),
    path("dots do not lead out of a prefix", "/api/../v1/echo", NOWHERE, host="mounted"),
    path("an encoded prefix is none", "/%61pi/v1/echo", NOWHERE, host="mounted"),
    path(
        "the application gets what is not ours",
        "/v1/%2e%2e/echo",
        [Reply(200, "the other application")],
        host="wrapping",
    ),
    Case(
        name="a whole URL of somebody else as the target",
        send=get("http://evil.example/v1/echo/a"),
        expect={"h11": NOWHERE, "httptools": ok({"text": "a"})},  # the Host says where it goes
    ),
    Case(
        name="a URL with a user as the target",
        send=get(f"http://u:{SECRET}@plain/v1/echo"),
        expect={"h11": NOWHERE, "httptools": ok()},
    ),
    Case(name="an asterisk as the target", send=request("OPTIONS", "*"), expect=NOWHERE),
    Case(name="an authority as the target", send=request("CONNECT", "evil.example:443"), expect=NEITHER),
    Case(name="no slash", send=get("v1/echo"), expect=NEITHER),
    Case(name="a space in the target", send=get(f"/v1/echo/{SECRET} b"), expect=SERVER),
    Case(name="raw bytes in the target", send=get(b"/v1/echo/\xc3\xa9"), expect={"h11": SERVER, "httptools": SERVER}),
    Case(name="a NUL in the target", send=get(b"/v1/echo/\0"), expect=SERVER),
    Case(
        name="a fragment in the target",
        send=get("/v1/echo/a#b"),
        expect={"h11": ok({"text": "a#b"}), "httptools": ok({"text": "a"})},
    ),
]


def query(name: str, text: str | bytes, answer: list[Reply], host: str = "plain") -> Case:
    """A query, and its answer."""
    raw = text if isinstance(text, bytes) else text.encode()
    return Case(name=f"a query: {name}", send=get(b"/v1/echo?" + raw, host), expect=answer)


def parameter(name: str, problem: str) -> list[Reply]:
    """A parameter that is refused."""
    return invalid(f'the query parameter "{name}": {problem}')


QUERIES = [
    query(
        "six thousand parameters",
        "&".join(f"tags={n}" for n in range(6000)),
        ok({"tags": [str(n) for n in range(6000)]}),
    ),
    query(
        "six thousand times the same",
        "&".join(["number=1"] * 6000),
        parameter("number", "expected a singular field once, got it again"),
    ),
    query(
        "six thousand unknown names",
        "&".join(f"x{n}={SECRET}" for n in range(3000)),
        parameter("x0", "expected a field of hostile.Everything, got an unknown name"),
    ),
    query("sixty thousand separators", "&" * 60000, ok()),
    query(
        "a path of 20000 levels",
        "child." * 9000 + f"text={SECRET}",
        parameter("child." * 9 + "child…", "expected at most 100 levels, got more"),
    ),
    query(
        "a path of 99 levels", "child." * 99 + "text=a", ok(json.loads('{"child":' * 99 + '{"text":"a"}' + "}" * 99))
    ),
    query(
        "a path of dots", "." * 50000 + f"={SECRET}", parameter("." * 59 + "…", "expected at most 100 levels, got more")
    ),
    query("an empty name", f"={SECRET}", parameter("", "expected a field of hostile.Everything, got an unknown name")),
    query(
        "a name with markup",
        f"%3Cscript%3E%0d%0a={SECRET}",
        parameter("<script>��", "expected a field of hostile.Everything, got an unknown name"),
    ),
    query(
        "a name of 60 KiB",
        "a" * 60000 + f"={SECRET}",
        parameter("a" * 59 + "…", "expected a field of hostile.Everything, got an unknown name"),
    ),
    query(
        "a malformed escape",
        f"text={SECRET}%zz",
        invalid("the query has a '%' without two hexadecimal digits after it"),
    ),
    query("not UTF-8", f"text={SECRET}%ff", invalid("the query is not UTF-8")),
    query(
        "two members of a oneof",
        f"left={SECRET}&right={SECRET}",
        parameter("right", "expected one member of a oneof, got another one as well"),
    ),
    query(
        "a map without a key",
        f"labels={SECRET}",
        parameter("labels", "expected a map's parameter to be written name[key]=value"),
    ),
    query(
        "a map whose key does not end",
        f"labels[a={SECRET}",
        parameter("labels[a", "expected a map's parameter to be written name[key]=value"),
    ),
    query(
        "a key of Python's",
        "labels[__class__]=a&labels[__proto__]=b",
        ok({"labels": {"__class__": "a", "__proto__": "b"}}),
    ),
    query(
        "a member of Python's",
        f"__class__={SECRET}",
        parameter("__class__", "expected a field of hostile.Everything, got an unknown name"),
    ),
    query(
        "an index",
        f"tags[0]={SECRET}",
        parameter("tags[0]", "expected a '[' only after a map, got one after another field"),
    ),
    query(
        "a message as a value",
        "child={}",
        parameter("child", "expected a type that one text can hold, not the message hostile.Everything"),
    ),
    query(
        "a list of messages",
        "children.text=a",
        parameter("children.text", "expected a message before the '.', got the field children, which has no parts"),
    ),
    query(
        "a number that is none",
        f"number={SECRET}",
        parameter("number", NO_NUMBER),
    ),
    query(
        "a number over its range",
        "number=2147483648",
        parameter("number", INT32),
    ),
    query(
        "a number with a giant exponent",
        "long=1e999999999",
        parameter("long", INT64),
    ),
    query(
        "a real number over its range",
        "real=1e400",
        parameter("real", "expected a number in the range of a double, got a larger one"),
    ),
    query(
        "base64 that is none", f"raw={SECRET}!", parameter("raw", "expected base64, got a string with other characters")
    ),
    query(
        "a time that is none",
        f"time={SECRET}",
        parameter("time", NO_TIME),
    ),
    query(
        "JSON that is too deep",
        "value=" + "[" * 1000,
        parameter("value", "expected at most 100 levels of objects and arrays, got more"),
    ),
    query(
        "a mask that is none",
        f"mask={SECRET}_a",
        parameter("mask", 'expected the paths of a FieldMask in lowerCamelCase, got "_" in one'),
    ),
    query(
        "unknown names where they are skipped",
        f"x={SECRET}&child.x={SECRET}&number=1",
        [Reply(200, FULL | {"number": 1})],
        host="foreign",
    ),
]

CASES = [*PATHS, *QUERIES]
