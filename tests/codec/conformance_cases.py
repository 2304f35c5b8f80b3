"""What protobuf's public conformance suite asks of JSON, as facts: a name, an input, and what must become of it.

Of messages the expected fields stand as keyword arguments. ``Infinity`` and ``NaN`` are floats here; where a value
stands for a well-known type it is written as the dictionary of its fields.
"""

from __future__ import annotations

from typing import Any

INF = float("inf")
NAN = float("nan")
URL = "type.googleapis.com/"

_NAMES = {
    "fieldname1": "fieldname1",
    "field_name2": "fieldName2",
    "_field_name3": "FieldName3",
    "field__name4_": "fieldName4",
    "field0name5": "field0name5",
    "field_0_name6": "field0Name6",
    "fieldName7": "fieldName7",
    "FieldName8": "FieldName8",
    "field_Name9": "fieldName9",
    "Field_Name10": "FieldName10",
    "FIELD_NAME11": "FIELDNAME11",
    "FIELD_name12": "FIELDName12",
    "__field_name13": "FieldName13",
    "__Field_name14": "FieldName14",
    "field__name15": "fieldName15",
    "field__Name16": "fieldName16",
    "field_name17__": "fieldName17",
    "Field_name18__": "FieldName18",
}


def _numbered(low: int, high: int, *, proto: bool = False) -> str:
    names = list(_NAMES) if proto else list(_NAMES.values())
    return "{" + ", ".join(f'"{names[n - 1]}": {n}' for n in range(low, high + 1)) + "}"


def _numbers(low: int, high: int) -> dict[str, Any]:
    return {list(_NAMES)[n - 1]: n for n in range(low, high + 1)}


_SCALARS = ["Int32", "Int64", "Uint32", "Uint64", "Sint32", "Sint64", "Fixed32", "Fixed64", "Sfixed32", "Sfixed64"]
_SCALARS += ["Float", "Double", "Bool", "String", "Bytes", "NestedEnum", "NestedMessage"]
_WRAPPERS = ["Bool", "Int32", "Uint32", "Int64", "Uint64", "Float", "Double", "String", "Bytes"]
_ALL_NULL = [f"optional{kind}" for kind in _SCALARS] + [f"repeated{kind}" for kind in _SCALARS]
_ALL_NULL += ["mapInt32Int32", "mapBoolBool", "mapStringNestedMessage"]
_WRAPPERS_NULL = [f"{label}{kind}Wrapper" for label in ("optional", "repeated") for kind in _WRAPPERS]


def _nulls(names: list[str]) -> str:
    return "{" + ", ".join(f'"{name}": null' for name in names) + "}"


ACCEPTED: list[tuple[str, str, dict[str, Any]]] = [
    ("HelloWorld", '{"optionalString":"Hello, World!"}', {"optional_string": "Hello, World!"}),
    ("FieldNameInSnakeCase", _numbered(1, 4), _numbers(1, 4)),
    ("FieldNameWithNumbers", _numbered(5, 6), _numbers(5, 6)),
    ("FieldNameWithMixedCases", _numbered(7, 12), _numbers(7, 12)),
    ("FieldNameWithDoubleUnderscores", _numbered(13, 18), _numbers(13, 18)),
    ("OriginalProtoFieldName", _numbered(1, 18, proto=True), _numbers(1, 18)),
    ("FieldNameEscaped", r'{"fieldn\u0061me1": 1}', {"fieldname1": 1}),
    ("OneLineNoSpaces", '{"optionalInt32":1,"optionalInt64":2}', {"optional_int32": 1, "optional_int64": 2}),
    ("OneLineWithSpaces", '{ "optionalInt32" : 1 , "optionalInt64" : 2 }', {"optional_int32": 1, "optional_int64": 2}),
    (
        "MultilineNoSpaces",
        '{\n"optionalInt32"\n:\n1\n,\n"optionalInt64"\n:\n2\n}',
        {"optional_int32": 1, "optional_int64": 2},
    ),
    (
        "MultilineWithSpaces",
        '{\n  "optionalInt32"  :  1\n  ,\n  "optionalInt64"  :  2\n}\n',
        {"optional_int32": 1, "optional_int64": 2},
    ),
    ("Int32FieldMaxValue", '{"optionalInt32": 2147483647}', {"optional_int32": 2147483647}),
    ("Int32FieldMinValue", '{"optionalInt32": -2147483648}', {"optional_int32": -2147483648}),
    ("Uint32FieldMaxValue", '{"optionalUint32": 4294967295}', {"optional_uint32": 4294967295}),
    ("Int64FieldMaxValue", '{"optionalInt64": "9223372036854775807"}', {"optional_int64": 2**63 - 1}),
    ("Int64FieldMinValue", '{"optionalInt64": "-9223372036854775808"}', {"optional_int64": -(2**63)}),
    ("Uint64FieldMaxValue", '{"optionalUint64": "18446744073709551615"}', {"optional_uint64": 2**64 - 1}),
    ("Int64FieldMaxValueNotQuoted", '{"optionalInt64": 9223372036854774784}', {"optional_int64": 9223372036854774784}),
    ("Int64FieldMinValueNotQuoted", '{"optionalInt64": -9223372036854775808}', {"optional_int64": -(2**63)}),
    (
        "Uint64FieldMaxValueNotQuoted",
        '{"optionalUint64": 18446744073709549568}',
        {"optional_uint64": 18446744073709549568},
    ),
    ("Int32FieldStringValue", '{"optionalInt32": "2147483647"}', {"optional_int32": 2147483647}),
    ("Int32FieldStringValueEscaped", r'{"optionalInt32": "2\u003147483647"}', {"optional_int32": 2147483647}),
    ("Int32FieldStringValueZero", '{"optionalInt32": "0"}', {"optional_int32": 0}),
    ("Int32FieldQuotedExponentialValue", '{"optionalInt32": "1e5"}', {"optional_int32": 100000}),
    ("Int32FieldFloatTrailingZero", '{"optionalInt32": 100000.000}', {"optional_int32": 100000}),
    ("Int32FieldExponentialFormat", '{"optionalInt32": 1e5}', {"optional_int32": 100000}),
    ("Int32FieldMaxFloatValue", '{"optionalInt32": 2.147483647e9}', {"optional_int32": 2147483647}),
    ("Int32FieldMinFloatValue", '{"optionalInt32": -2.147483648e9}', {"optional_int32": -2147483648}),
    ("Uint32FieldMaxFloatValue", '{"optionalUint32": 4.294967295e9}', {"optional_uint32": 4294967295}),
    ("BoolFieldTrue", '{"optionalBool":true}', {"optional_bool": True}),
    ("BoolFieldFalse", '{"optionalBool":false}', {"optional_bool": False}),
    ("FloatFieldMinPositiveValue", '{"optionalFloat": 1.175494e-38}', {"optional_float": 1.175494e-38}),
    ("FloatFieldMaxNegativeValue", '{"optionalFloat": -1.175494e-38}', {"optional_float": -1.175494e-38}),
    ("FloatFieldMaxPositiveValue", '{"optionalFloat": 3.402823e+38}', {"optional_float": 3.402823e38}),
    ("FloatFieldMinNegativeValue", '{"optionalFloat": -3.402823e+38}', {"optional_float": -3.402823e38}),
    ("FloatFieldQuotedValue", '{"optionalFloat": "1"}', {"optional_float": 1}),
    ("FloatFieldQuotedExponentialValue", '{"optionalFloat": "1.175494e-38"}', {"optional_float": 1.175494e-38}),
    ("FloatFieldNan", '{"optionalFloat": "NaN"}', {"optional_float": NAN}),
    ("FloatFieldInfinity", '{"optionalFloat": "Infinity"}', {"optional_float": INF}),
    ("FloatFieldNegativeInfinity", '{"optionalFloat": "-Infinity"}', {"optional_float": -INF}),
    ("DoubleFieldMinPositiveValue", '{"optionalDouble": 2.22507e-308}', {"optional_double": 2.22507e-308}),
    ("DoubleFieldMaxNegativeValue", '{"optionalDouble": -2.22507e-308}', {"optional_double": -2.22507e-308}),
    ("DoubleFieldMaxPositiveValue", '{"optionalDouble": 1.79769e+308}', {"optional_double": 1.79769e308}),
    ("DoubleFieldMinNegativeValue", '{"optionalDouble": -1.79769e+308}', {"optional_double": -1.79769e308}),
    ("DoubleFieldQuotedValue", '{"optionalDouble": "1"}', {"optional_double": 1}),
    ("DoubleFieldQuotedExponentialValue", '{"optionalDouble": "2.22507e-308"}', {"optional_double": 2.22507e-308}),
    ("DoubleFieldNan", '{"optionalDouble": "NaN"}', {"optional_double": NAN}),
    ("DoubleFieldInfinity", '{"optionalDouble": "Infinity"}', {"optional_double": INF}),
    ("DoubleFieldNegativeInfinity", '{"optionalDouble": "-Infinity"}', {"optional_double": -INF}),
    ("EnumField", '{"optionalNestedEnum": "FOO"}', {"optional_nested_enum": 0}),
    ("EnumFieldWithAlias", '{"optionalAliasedEnum": "ALIAS_BAZ"}', {"optional_aliased_enum": 2}),
    ("EnumFieldWithAliasUseAlias", '{"optionalAliasedEnum": "MOO"}', {"optional_aliased_enum": 2}),
    ("EnumFieldWithAliasLowerCase", '{"optionalAliasedEnum": "moo"}', {"optional_aliased_enum": 2}),
    ("EnumFieldWithAliasDifferentCase", '{"optionalAliasedEnum": "bAz"}', {"optional_aliased_enum": 2}),
    ("EnumFieldNumericValueZero", '{"optionalNestedEnum": 0}', {"optional_nested_enum": 0}),
    ("EnumFieldNumericValueNonZero", '{"optionalNestedEnum": 1}', {"optional_nested_enum": 1}),
    ("StringField", '{"optionalString": "Hello world!"}', {"optional_string": "Hello world!"}),
    ("StringFieldUnicode", '{"optionalString": "谷歌"}', {"optional_string": "谷歌"}),
    ("StringFieldEscape", r'{"optionalString": "\"\\\/\b\f\n\r\t"}', {"optional_string": '"\\/\b\f\n\r\t'}),
    ("StringFieldUnicodeEscape", r'{"optionalString": "\u8C37\u6B4C"}', {"optional_string": "谷歌"}),
    (
        "StringFieldUnicodeEscapeWithLowercaseHexLetters",
        r'{"optionalString": "\u8c37\u6b4c"}',
        {"optional_string": "谷歌"},
    ),
    ("StringFieldSurrogatePair", r'{"optionalString": "\uD83D\uDE01"}', {"optional_string": "😁"}),
    ("StringFieldEmbeddedNull", r'{"optionalString": "Hello\u0000world!"}', {"optional_string": "Hello\0world!"}),
    ("BytesField", '{"optionalBytes": "AQI="}', {"optional_bytes": b"\1\2"}),
    ("BytesFieldBase64Url", '{"optionalBytes": "-_"}', {"optional_bytes": b"\xfb"}),
    ("MessageField", '{"optionalNestedMessage": {"a": 1234}}', {"optional_nested_message": {"a": 1234}}),
    ("OneofFieldNullFirst", '{"oneofUint32": null, "oneofString": "test"}', {"oneof_string": "test"}),
    ("OneofFieldNullSecond", '{"oneofString": "test", "oneofUint32": null}', {"oneof_string": "test"}),
    ("OneofZeroUint32", '{"oneofUint32": 0}', {"oneof_uint32": 0}),
    ("OneofZeroMessage", '{"oneofNestedMessage": {}}', {"oneof_nested_message": {}}),
    ("OneofZeroString", '{"oneofString": ""}', {"oneof_string": ""}),
    ("OneofZeroBytes", '{"oneofBytes": ""}', {"oneof_bytes": b""}),
    ("OneofZeroBool", '{"oneofBool": false}', {"oneof_bool": False}),
    ("OneofZeroUint64", '{"oneofUint64": 0}', {"oneof_uint64": 0}),
    ("OneofZeroFloat", '{"oneofFloat": 0.0}', {"oneof_float": 0}),
    ("OneofZeroDouble", '{"oneofDouble": 0.0}', {"oneof_double": 0}),
    ("OneofZeroEnum", '{"oneofEnum":"FOO"}', {"oneof_enum": 0}),
    ("Int32MapField", '{"mapInt32Int32": {"1": 2, "3": 4}}', {"map_int32_int32": {1: 2, 3: 4}}),
    ("Uint32MapField", '{"mapUint32Uint32": {"1": 2, "3": 4}}', {"map_uint32_uint32": {1: 2, 3: 4}}),
    ("Int64MapField", '{"mapInt64Int64": {"1": 2, "3": 4}}', {"map_int64_int64": {1: 2, 3: 4}}),
    ("Uint64MapField", '{"mapUint64Uint64": {"1": 2, "3": 4}}', {"map_uint64_uint64": {1: 2, 3: 4}}),
    ("BoolMapField", '{"mapBoolBool": {"true": true, "false": false}}', {"map_bool_bool": {True: True, False: False}}),
    (
        "MessageMapField",
        '{"mapStringNestedMessage": {"hello": {"a": 1234}, "world": {"a": 5678}}}',
        {"map_string_nested_message": {"hello": {"a": 1234}, "world": {"a": 5678}}},
    ),
    ("Int32MapEscapedKey", r'{"mapInt32Int32": {"\u0031": 2}}', {"map_int32_int32": {1: 2}}),
    ("Int64MapEscapedKey", r'{"mapInt64Int64": {"\u0031": 2}}', {"map_int64_int64": {1: 2}}),
    ("BoolMapEscapedKey", r'{"mapBoolBool": {"tr\u0075e": true}}', {"map_bool_bool": {True: True}}),
    ("PrimitiveRepeatedField", '{"repeatedInt32": [1, 2, 3, 4]}', {"repeated_int32": [1, 2, 3, 4]}),
    ("EnumRepeatedField", '{"repeatedNestedEnum": ["FOO", "BAR", "BAZ"]}', {"repeated_nested_enum": [0, 1, 2]}),
    ("StringRepeatedField", '{"repeatedString": ["Hello", "world"]}', {"repeated_string": ["Hello", "world"]}),
    ("BytesRepeatedField", '{"repeatedBytes": ["AAEC", "AQI="]}', {"repeated_bytes": [b"\0\1\2", b"\1\2"]}),
    (
        "MessageRepeatedField",
        '{"repeatedNestedMessage": [{"a": 1234}, {"a": 5678}]}',
        {"repeated_nested_message": [{"a": 1234}, {"a": 5678}]},
    ),
    ("AllFieldAcceptNull", _nulls(_ALL_NULL), {}),
    ("OptionalBoolWrapper", '{"optionalBoolWrapper": false}', {"optional_bool_wrapper": {"value": False}}),
    ("OptionalInt32Wrapper", '{"optionalInt32Wrapper": 0}', {"optional_int32_wrapper": {"value": 0}}),
    ("OptionalUint32Wrapper", '{"optionalUint32Wrapper": 0}', {"optional_uint32_wrapper": {"value": 0}}),
    ("OptionalInt64Wrapper", '{"optionalInt64Wrapper": 0}', {"optional_int64_wrapper": {"value": 0}}),
    ("OptionalUint64Wrapper", '{"optionalUint64Wrapper": 0}', {"optional_uint64_wrapper": {"value": 0}}),
    ("OptionalFloatWrapper", '{"optionalFloatWrapper": 0}', {"optional_float_wrapper": {"value": 0}}),
    ("OptionalDoubleWrapper", '{"optionalDoubleWrapper": 0}', {"optional_double_wrapper": {"value": 0}}),
    ("OptionalStringWrapper", '{"optionalStringWrapper": ""}', {"optional_string_wrapper": {"value": ""}}),
    ("OptionalBytesWrapper", '{"optionalBytesWrapper": ""}', {"optional_bytes_wrapper": {"value": b""}}),
    (
        "OptionalWrapperTypesWithNonDefaultValue",
        (
            '{"optionalBoolWrapper": true, "optionalInt32Wrapper": 1, "optionalUint32Wrapper": 1,'
            ' "optionalInt64Wrapper": "1", "optionalUint64Wrapper": "1", "optionalFloatWrapper": 1,'
            ' "optionalDoubleWrapper": 1, "optionalStringWrapper": "1", "optionalBytesWrapper": "AQI="}'
        ),
        {
            "optional_bool_wrapper": {"value": True},
            **{
                f"optional_{kind}_wrapper": {"value": 1}
                for kind in ("int32", "uint32", "int64", "uint64", "float", "double")
            },
            "optional_string_wrapper": {"value": "1"},
            "optional_bytes_wrapper": {"value": b"\1\2"},
        },
    ),
    (
        "RepeatedBoolWrapper",
        '{"repeatedBoolWrapper": [true, false]}',
        {"repeated_bool_wrapper": [{"value": True}, {"value": False}]},
    ),
    *(
        (
            f"Repeated{kind}Wrapper",
            f'{{"repeated{kind}Wrapper": [0, 1]}}',
            {f"repeated_{kind.lower()}_wrapper": [{"value": 0}, {"value": 1}]},
        )
        for kind in ("Int32", "Uint32", "Int64", "Uint64", "Float", "Double")
    ),
    (
        "RepeatedStringWrapper",
        '{"repeatedStringWrapper": ["", "AQI="]}',
        {"repeated_string_wrapper": [{"value": ""}, {"value": "AQI="}]},
    ),
    (
        "RepeatedBytesWrapper",
        '{"repeatedBytesWrapper": ["", "AQI="]}',
        {"repeated_bytes_wrapper": [{"value": b""}, {"value": b"\1\2"}]},
    ),
    ("WrapperTypesWithNullValue", _nulls(_WRAPPERS_NULL), {}),
    (
        "DurationMinValue",
        '{"optionalDuration": "-315576000000.999999999s"}',
        {"optional_duration": {"seconds": -315576000000, "nanos": -999999999}},
    ),
    (
        "DurationMaxValue",
        '{"optionalDuration": "315576000000.999999999s"}',
        {"optional_duration": {"seconds": 315576000000, "nanos": 999999999}},
    ),
    (
        "DurationRepeatedValue",
        '{"repeatedDuration": ["1.5s", "-1.5s"]}',
        {"repeated_duration": [{"seconds": 1, "nanos": 500000000}, {"seconds": -1, "nanos": -500000000}]},
    ),
    ("DurationNull", '{"optionalDuration": null}', {}),
    ("DurationNegativeSeconds", '{"optionalDuration": "-5s"}', {"optional_duration": {"seconds": -5}}),
    ("DurationNegativeNanos", '{"optionalDuration": "-0.5s"}', {"optional_duration": {"nanos": -500000000}}),
    *(
        (name, f'{{"optionalTimestamp": "{text}"}}', {"optional_timestamp": {"seconds": seconds, "nanos": nanos}})
        for name, text, seconds, nanos in (
            ("TimestampMinValue", "0001-01-01T00:00:00Z", -62135596800, 0),
            ("TimestampMaxValue", "9999-12-31T23:59:59.999999999Z", 253402300799, 999999999),
            ("TimestampEpochValue", "1970-01-01T00:00:00.000Z", 0, 0),
            ("TimestampNanoAfterEpochlValue", "1970-01-01T00:00:00.000000001Z", 0, 1),
            ("TimestampNanoBeforeEpochValue", "1969-12-31T23:59:59.999999999Z", -1, 999999999),
            ("TimestampLittleAfterEpochlValue", "1970-01-01T00:00:01.000000001Z", 1, 1),
            ("TimestampLittleBeforeEpochValue", "1969-12-31T23:59:58.999999999Z", -2, 999999999),
            ("TimestampTenAndHalfSecondsAfterEpochValue", "1970-01-01T00:00:10.500Z", 10, 500000000),
            ("TimestampTenAndHalfSecondsBeforeEpochValue", "1969-12-31T23:59:49.500Z", -11, 500000000),
            ("TimestampLeap", "1993-02-10T00:00:00.000Z", 729302400, 0),
            ("TimestampWithPositiveOffset", "1970-01-01T08:00:01+08:00", 1, 0),
            ("TimestampWithNegativeOffset", "1969-12-31T16:00:01-08:00", 1, 0),
        )
    ),
    (
        "TimestampRepeatedValue",
        '{"repeatedTimestamp": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]}',
        {"repeated_timestamp": [{"seconds": -62135596800}, {"seconds": 253402300799, "nanos": 999999999}]},
    ),
    ("TimestampNull", '{"optionalTimestamp": null}', {}),
    ("FieldMask", '{"optionalFieldMask": "foo,barBaz"}', {"optional_field_mask": {"paths": ["foo", "bar_baz"]}}),
    ("EmptyFieldMask", '{"optionalFieldMask": ""}', {"optional_field_mask": {}}),
    (
        "Struct",
        (
            '{"optionalStruct": {"nullValue": null, "intValue": 1234, "boolValue": true, "doubleValue": 1234.5678,'
            ' "stringValue": "Hello world!", "listValue": [1234, "5678"], "objectValue": {"value": 0}}}'
        ),
        {
            "optional_struct": {
                "nullValue": None,
                "intValue": 1234,
                "boolValue": True,
                "doubleValue": 1234.5678,
                "stringValue": "Hello world!",
                "listValue": [1234, "5678"],
                "objectValue": {"value": 0},
            }
        },
    ),
    ("StructWithEmptyListValue", '{"optionalStruct": {"listValue": []}}', {"optional_struct": {"listValue": []}}),
    ("ValueAcceptInteger", '{"optionalValue": 1}', {"optional_value": {"number_value": 1}}),
    ("ValueAcceptFloat", '{"optionalValue": 1.5}', {"optional_value": {"number_value": 1.5}}),
    ("ValueAcceptBool", '{"optionalValue": false}', {"optional_value": {"bool_value": False}}),
    ("ValueAcceptNull", '{"optionalValue": null}', {"optional_value": {"null_value": 0}}),
    ("ValueAcceptString", '{"optionalValue": "hello"}', {"optional_value": {"string_value": "hello"}}),
    ("ValueAcceptList", '{"optionalValue": [0, "hello"]}', {"optional_value": {"list_value": [0, "hello"]}}),
    ("ValueAcceptObject", '{"optionalValue": {"value": 1}}', {"optional_value": {"struct_value": {"value": 1}}}),
    ("RepeatedValue", '{"repeatedValue": [["a"]]}', {"repeated_value": [{"list_value": ["a"]}]}),
    ("RepeatedListValue", '{"repeatedListValue": [["a"]]}', {"repeated_list_value": [["a"]]}),
    ("AnyWithNoType", '{"optionalAny": {}}', {"optional_any": {}}),
    ("AnyNull", '{"optionalAny": null}', {}),
]

ANYS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("Any", '{"@type": "$SELF", "optionalInt32": 12345}', "$SELF", {"optional_int32": 12345}),
    ("AnyUnorderedTypeTag", '{"optionalInt32": 12345, "@type": "$SELF"}', "$SELF", {"optional_int32": 12345}),
    *(
        (name, f'{{"@type": "{URL}google.protobuf.{kind}", "value": {value}}}', f"{URL}google.protobuf.{kind}", fields)
        for name, kind, value, fields in (
            ("AnyWithInt32ValueWrapper", "Int32Value", "12345", {"value": 12345}),
            ("AnyWithDuration", "Duration", '"1.5s"', {"seconds": 1, "nanos": 500000000}),
            ("AnyWithTimestamp", "Timestamp", '"1970-01-01T00:00:00Z"', {}),
            ("AnyWithFieldMask", "FieldMask", '"foo,barBaz"', {"paths": ["foo", "bar_baz"]}),
            ("AnyWithStruct", "Struct", '{"foo": 1}', {"fields": {"foo": {"number_value": 1}}}),
            ("AnyWithValueForJsonObject", "Value", '{"foo": 1}', {"struct_value": {"foo": 1}}),
            ("AnyWithValueForInteger", "Value", "1", {"number_value": 1}),
        )
    ),
    ("AnyEmpty", f'{{"@type": "{URL}google.protobuf.Empty"}}', f"{URL}google.protobuf.Empty", {}),
]
"""Name, the JSON of ``optionalAny``, the URL of its type (``$SELF``: of the message itself), the fields within."""

REFUSED: list[tuple[str, str]] = [
    ("StringEndsWithEscapeChar", '{"optionalString": "abc\\'),
    ("FieldNameNotQuoted", "{fieldname1: 1}"),
    ("TrailingCommaInAnObject", '{"fieldname1":1,}'),
    ("TrailingCommaInAnObjectWithSpace", '{"fieldname1":1 ,}'),
    ("TrailingCommaInAnObjectWithSpaceCommaSpace", '{"fieldname1":1 , }'),
    ("TrailingCommaInAnObjectWithNewlines", '{\n  "fieldname1":1,\n}'),
    ("JsonWithComments", '{\n  // This is a comment.\n  "fieldname1": 1\n}'),
    ("MissingCommaOneLine", '{ "optionalInt32": 1 "optionalInt64": 2 }'),
    ("MissingCommaMultiline", '{\n  "optionalInt32": 1\n  "optionalInt64": 2\n}'),
    ("FieldNameDuplicate", '{"optionalNestedMessage": {a: 1}, "optionalNestedMessage": {}}'),
    ("FieldNameDuplicateDifferentCasing1", '{"optional_nested_message": {a: 1}, "optionalNestedMessage": {}}'),
    ("FieldNameDuplicateDifferentCasing2", '{"optionalNestedMessage": {a: 1}, "optional_nested_message": {}}'),
    ("Int32FieldTooLarge", '{"optionalInt32": 2147483648}'),
    ("Int32FieldTooSmall", '{"optionalInt32": -2147483649}'),
    ("Uint32FieldTooLarge", '{"optionalUint32": 4294967296}'),
    ("Int64FieldTooLarge", '{"optionalInt64": "9223372036854775808"}'),
    ("Int64FieldTooSmall", '{"optionalInt64": "-9223372036854775809"}'),
    ("Uint64FieldTooLarge", '{"optionalUint64": "18446744073709551616"}'),
    ("Int32FieldNotInteger", '{"optionalInt32": 0.5}'),
    ("Uint32FieldNotInteger", '{"optionalUint32": 0.5}'),
    ("Int64FieldNotInteger", '{"optionalInt64": "0.5"}'),
    ("Uint64FieldNotInteger", '{"optionalUint64": "0.5"}'),
    ("Int32FieldStringValuePartiallyNumeric", '{"optionalInt32": "12abc"}'),
    ("Int32FieldStringValueNonNumeric", '{"optionalInt32": "abc"}'),
    ("Int32FieldEmptyString", '{"optionalInt32": ""}'),
    ("Uint32FieldEmptyString", '{"optionalUint32": ""}'),
    ("Int64FieldEmptyString", '{"optionalInt64": ""}'),
    ("Uint64FieldEmptyString", '{"optionalUint64": ""}'),
    ("Int32FieldNotNumber", '{"optionalInt32": "3x3"}'),
    ("Uint32FieldNotNumber", '{"optionalUint32": "3x3"}'),
    ("Int64FieldNotNumber", '{"optionalInt64": "3x3"}'),
    ("Uint64FieldNotNumber", '{"optionalUint64": "3x3"}'),
    ("Int32FieldPlusSign", '{"optionalInt32": +1}'),
    ("Int32FieldLeadingZero", '{"optionalInt32": 01}'),
    ("Int32FieldNegativeWithLeadingZero", '{"optionalInt32": -01}'),
    ("Int32FieldLeadingSpace", '{"optionalInt32": " 1"}'),
    ("Int32FieldTrailingSpace", '{"optionalInt32": "1 "}'),
    ("BoolFieldIntegerZero", '{"optionalBool":0}'),
    ("BoolFieldIntegerOne", '{"optionalBool":1}'),
    ("BoolFieldCamelCaseTrue", '{"optionalBool":True}'),
    ("BoolFieldCamelCaseFalse", '{"optionalBool":False}'),
    ("BoolFieldAllCapitalTrue", '{"optionalBool":TRUE}'),
    ("BoolFieldAllCapitalFalse", '{"optionalBool":FALSE}'),
    ("BoolFieldDoubleQuotedTrue", '{"optionalBool":"true"}'),
    ("BoolFieldDoubleQuotedFalse", '{"optionalBool":"false"}'),
    *(
        (f"{kind}Field{name}", f'{{"optional{kind}": {text}}}')
        for kind in ("Float", "Double")
        for name, text in (
            ("NanNotQuoted", "NaN"),
            ("InfinityNotQuoted", "Infinity"),
            ("NegativeInfinityNotQuoted", "-Infinity"),
            ("EmptyString", '""'),
            ("StringValuePartiallyNumeric", '"12abc"'),
            ("StringValueNonNumeric", '"abc"'),
        )
    ),
    ("FloatFieldTooSmall", '{"optionalFloat": -3.502823e+38}'),
    ("FloatFieldTooLarge", '{"optionalFloat": 3.502823e+38}'),
    ("DoubleFieldTooSmall", '{"optionalDouble": -1.89769e+308}'),
    ("DoubleFieldTooLarge", '{"optionalDouble": 1.89769e+308}'),
    ("DoubleFieldTooLargeWithPlus", '{"optionalDouble": +1.89769e+308}'),
    ("EnumFieldNotQuoted", '{"optionalNestedEnum": FOO}'),
    ("StringFieldUppercaseEscapeLetter", r'{"optionalString": "\U8C37\U6b4C"}'),
    ("StringFieldInvalidEscape", r'{"optionalString": "\uXXXX\u6B4C"}'),
    ("StringFieldUnterminatedEscape", r'{"optionalString": "\u8C3"}'),
    ("StringFieldUnpairedHighSurrogate", r'{"optionalString": "\uD800"}'),
    ("StringFieldUnpairedLowSurrogate", r'{"optionalString": "\uDC00"}'),
    ("StringFieldSurrogateInWrongOrder", r'{"optionalString": "\uDE01\uD83D"}'),
    ("StringFieldNotAString", '{"optionalString": 12345}'),
    ("OneofFieldDuplicate", '{"oneofUint32": 1, "oneofString": "test"}'),
    ("Int32MapFieldKeyNotQuoted", '{"mapInt32Int32": {1: 2, 3: 4}}'),
    ("Uint32MapFieldKeyNotQuoted", '{"mapUint32Uint32": {1: 2, 3: 4}}'),
    ("Int64MapFieldKeyNotQuoted", '{"mapInt64Int64": {1: 2, 3: 4}}'),
    ("Uint64MapFieldKeyNotQuoted", '{"mapUint64Uint64": {1: 2, 3: 4}}'),
    ("BoolMapFieldKeyNotQuoted", '{"mapBoolBool": {true: true, false: false}}'),
    ("StringFieldSingleQuoteKey", "{'optionalString': \"Hello world!\"}"),
    ("StringFieldSingleQuoteValue", "{\"optionalString\": 'Hello world!'}"),
    ("StringFieldSingleQuoteBoth", "{'optionalString': 'Hello world!'}"),
    ("RepeatedFieldWrongElementTypeExpectingIntegersGotBool", '{"repeatedInt32": [1, false, 3, 4]}'),
    ("RepeatedFieldWrongElementTypeExpectingIntegersGotString", '{"repeatedInt32": [1, 2, "name", 4]}'),
    ("RepeatedFieldWrongElementTypeExpectingIntegersGotMessage", '{"repeatedInt32": [1, 2, 3, {"a": 4}]}'),
    ("RepeatedFieldWrongElementTypeExpectingStringsGotInt", '{"repeatedString": ["1", 2, "3", "4"]}'),
    ("RepeatedFieldWrongElementTypeExpectingStringsGotBool", '{"repeatedString": ["1", "2", false, "4"]}'),
    ("RepeatedFieldWrongElementTypeExpectingStringsGotMessage", '{"repeatedString": ["1", 2, "3", {"a": 4}]}'),
    ("RepeatedFieldWrongElementTypeExpectingMessagesGotInt", '{"repeatedNestedMessage": [{"a": 1}, 2]}'),
    ("RepeatedFieldWrongElementTypeExpectingMessagesGotBool", '{"repeatedNestedMessage": [{"a": 1}, false]}'),
    ("RepeatedFieldWrongElementTypeExpectingMessagesGotString", '{"repeatedNestedMessage": [{"a": 1}, "2"]}'),
    ("RepeatedFieldTrailingComma", '{"repeatedInt32": [1, 2, 3, 4,]}'),
    ("RepeatedFieldTrailingCommaWithSpace", '{"repeatedInt32": [1, 2, 3, 4 ,]}'),
    ("RepeatedFieldTrailingCommaWithSpaceCommaSpace", '{"repeatedInt32": [1, 2, 3, 4 , ]}'),
    ("RepeatedFieldTrailingCommaWithNewlines", '{"repeatedInt32": [\n  1,\n  2,\n  3,\n  4,\n]}'),
    ("RepeatedFieldPrimitiveElementIsNull", '{"repeatedInt32": [1, null, 2]}'),
    ("RepeatedFieldMessageElementIsNull", '{"repeatedNestedMessage": [{"a":1}, null, {"a":2}]}'),
    ("MapFieldKeyIsNull", '{"mapInt32Int32": {null: 1}}'),
    ("MapFieldValueIsNull", '{"mapInt32Int32": {"0": null}}'),
    ("DurationMissingS", '{"optionalDuration": "1"}'),
    ("DurationJsonInputTooSmall", '{"optionalDuration": "-315576000001.000000000s"}'),
    ("DurationJsonInputTooLarge", '{"optionalDuration": "315576000001.000000000s"}'),
    *(
        (f"Timestamp{name}", f'{{"optionalTimestamp": "{text}"}}')
        for name, text in (
            ("JsonInputTooSmall", "0000-01-01T00:00:00Z"),
            ("JsonInputTooLarge", "10000-01-01T00:00:00Z"),
            ("JsonInputMissingZ", "0001-01-01T00:00:00"),
            ("JsonInputMissingT", "0001-01-01 00:00:00Z"),
            ("JsonInputLowercaseZ", "0001-01-01T00:00:00z"),
            ("JsonInputLowercaseT", "0001-01-01t00:00:00Z"),
            ("WithMissingColonInOffset", "1970-01-01T08:00:01+0800"),
        )
    ),
    ("FieldMaskInvalidCharacter", '{"optionalFieldMask": "foo,bar_bar"}'),
    ("AnyWktRepresentationWithEmptyTypeAndValue", '{"optionalAny": {"@type": "", "value": ""}}'),
    ("AnyWktRepresentationWithBadType", '{"optionalAny": {"@type": "not_a_url", "value": ""}}'),
    ("RejectUnknownEnumStringValueInOptionalField", '{"optional_nested_enum": "UNKNOWN_ENUM_VALUE"}'),
    ("RejectUnknownEnumStringValueInRepeatedField", '{"repeated_nested_enum": ["UNKNOWN_ENUM_VALUE"]}'),
    ("RejectUnknownEnumStringValueInMapValue", '{"map_string_nested_enum": {"key": "UNKNOWN_ENUM_VALUE"}}'),
    ("RejectReservedFieldName.Boolean", '{"reserved_field": true}'),
    ("RejectReservedFieldName.Number", '{"reserved_field": 1}'),
    ("RejectReservedFieldName.String", '{"reserved_field": "hello"}'),
    ("RejectReservedFieldName.Message", '{"reserved_field": {"a": 1}}'),
    ("RejectTopLevelNull", "null"),
]

IGNORED: list[tuple[str, str, dict[str, Any]]] = [
    ("IgnoreUnknownJsonNumber", '{"unknown": 1}', {}),
    ("IgnoreUnknownJsonString", '{"unknown": "a"}', {}),
    ("IgnoreUnknownJsonTrue", '{"unknown": true}', {}),
    ("IgnoreUnknownJsonFalse", '{"unknown": false}', {}),
    ("IgnoreUnknownJsonNull", '{"unknown": null}', {}),
    ("IgnoreUnknownJsonObject", '{"unknown": {"a": 1}}', {}),
    ("IgnoreUnknownEnumStringValueInOptionalField", '{"optional_nested_enum": "UNKNOWN_ENUM_VALUE"}', {}),
    ("IgnoreUnknownEnumStringValueInRepeatedField", '{"repeated_nested_enum": ["UNKNOWN_ENUM_VALUE"]}', {}),
    ("IgnoreUnknownEnumStringValueInMapValue", '{"map_string_nested_enum": {"key": "UNKNOWN_ENUM_VALUE"}}', {}),
    (
        "IgnoreUnknownEnumStringValueInRepeatedPart",
        '{"repeated_nested_enum": ["FOO", "UNKNOWN_ENUM_VALUE", "FOO"]}',
        {"repeated_nested_enum": [0, 0]},
    ),
    (
        "IgnoreUnknownEnumStringValueInMapPart",
        '{"map_string_nested_enum": {"key1": "FOO", "key2": "UNKNOWN_ENUM_VALUE"}}',
        {"map_string_nested_enum": {"key1": 0}},
    ),
]

WRITTEN: list[tuple[str, str, dict[str, Any]]] = [
    ("FieldNameInLowerCamelCase", _numbered(1, 4), {list(_NAMES.values())[n - 1]: n for n in range(1, 5)}),
    ("FieldNameWithNumbers", _numbered(5, 6), {list(_NAMES.values())[n - 1]: n for n in range(5, 7)}),
    ("FieldNameWithMixedCases", _numbered(7, 12), {list(_NAMES.values())[n - 1]: n for n in range(7, 13)}),
    ("FieldNameWithDoubleUnderscores", _numbered(13, 18), {list(_NAMES.values())[n - 1]: n for n in range(13, 19)}),
    ("Int64FieldBeString", '{"optionalInt64": 1}', {"optionalInt64": "1"}),
    ("Uint64FieldBeString", '{"optionalUint64": 1}', {"optionalUint64": "1"}),
    *(
        (f"Duration{name}", f'{{"optionalDuration": "{text}"}}', {"optionalDuration": written})
        for name, text, written in (
            ("HasZeroFractionalDigit", "1.000000000s", "1s"),
            ("Has3FractionalDigits", "1.010000000s", "1.010s"),
            ("Has6FractionalDigits", "1.000010000s", "1.000010s"),
            ("Has9FractionalDigits", "1.000000010s", "1.000000010s"),
        )
    ),
    *(
        (f"Timestamp{name}", f'{{"optionalTimestamp": "{text}"}}', {"optionalTimestamp": written})
        for name, text, written in (
            ("ZeroNormalized", "1969-12-31T16:00:00-08:00", "1970-01-01T00:00:00Z"),
            ("HasZeroFractionalDigit", "1970-01-01T00:00:00.000000000Z", "1970-01-01T00:00:00Z"),
            ("Has3FractionalDigits", "1970-01-01T00:00:00.010000000Z", "1970-01-01T00:00:00.010Z"),
            ("Has6FractionalDigits", "1970-01-01T00:00:00.000010000Z", "1970-01-01T00:00:00.000010Z"),
            ("Has9FractionalDigits", "1970-01-01T00:00:00.000000010Z", "1970-01-01T00:00:00.000000010Z"),
        )
    ),
    ("NullValueInOtherOneofOldFormat", '{"oneofNullValue": "NULL_VALUE"}', {"oneofNullValue": None}),
    ("NullValueInOtherOneofNewFormat", '{"oneofNullValue": null}', {"oneofNullValue": None}),
]

ONLY_PROTO3: list[tuple[str, str, dict[str, Any]]] = [
    ("EnumFieldUnknownValue", '{"optionalNestedEnum": 123}', {"optionalNestedEnum": 123}),
    ("SkipsDefaultPrimitive", '{"FieldName13": 0}', {}),
    ("NullValueInNormalMessage", '{"optionalNullValue": null}', {}),
]

ONLY_PROTO2: list[tuple[str, str, dict[str, Any]]] = [
    ("StoresDefaultPrimitive", '{"FieldName13": 0}', {"FieldName13": 0}),
    ("FieldNameExtension", '{"[conformance2.extension_int32]": 1}', {"[conformance2.extension_int32]": 1}),
]

UNWRITABLE: list[tuple[str, dict[str, Any]]] = [
    ("DurationProtoInputTooSmall", {"optional_duration": {"seconds": -315576000001}}),
    ("DurationProtoInputTooLarge", {"optional_duration": {"seconds": 315576000001}}),
    ("TimestampProtoInputTooSmall", {"optional_timestamp": {"seconds": -62135596801}}),
    ("TimestampProtoInputTooLarge", {"optional_timestamp": {"seconds": 253402300800}}),
    ("FieldMaskPathsDontRoundTrip", {"optional_field_mask": {"paths": ["fooBar"]}}),
    ("FieldMaskNumbersDontRoundTrip", {"optional_field_mask": {"paths": ["foo_3_bar"]}}),
    ("FieldMaskTooManyUnderscore", {"optional_field_mask": {"paths": ["foo__bar"]}}),
    ("ValueRejectNanNumberValue", {"optional_value": {"number_value": NAN}}),
    ("ValueRejectInfNumberValue", {"optional_value": {"number_value": INF}}),
]

NORMALIZED: list[tuple[str, bytes, str, str]] = [
    ("FloatFieldNormalizeQuietNan", b"\x5d\x45\x23\xa1\x7f", "optionalFloat", "NaN"),
    ("FloatFieldNormalizeSignalingNan", b"\x5d\x21\x43\xb5\xff", "optionalFloat", "NaN"),
    ("DoubleFieldNormalizeQuietNan", b"\x61\xbc\x9a\x78\x56\x34\x12\xfa\x7f", "optionalDouble", "NaN"),
    ("DoubleFieldNormalizeSignalingNan", b"\x61\x21\x43\x65\x87\xa9\xcb\xfb\xff", "optionalDouble", "NaN"),
]
"""Binary in, JSON out: the bytes of one field."""
