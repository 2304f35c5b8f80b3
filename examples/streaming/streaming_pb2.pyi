import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_EVENT_TYPE_UNSPECIFIED: _ClassVar[UserEventType]
    USER_EVENT_TYPE_LOGIN: _ClassVar[UserEventType]
    USER_EVENT_TYPE_LOGOUT: _ClassVar[UserEventType]
    USER_EVENT_TYPE_PROFILE_UPDATE: _ClassVar[UserEventType]
    USER_EVENT_TYPE_PASSWORD_CHANGE: _ClassVar[UserEventType]
    USER_EVENT_TYPE_HEARTBEAT: _ClassVar[UserEventType]

class NotificationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_TYPE_UNSPECIFIED: _ClassVar[NotificationType]
    NOTIFICATION_TYPE_HEARTBEAT: _ClassVar[NotificationType]
    NOTIFICATION_TYPE_MENTION: _ClassVar[NotificationType]
    NOTIFICATION_TYPE_FILE_STORED: _ClassVar[NotificationType]

class ChatMessageType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHAT_MESSAGE_TYPE_UNSPECIFIED: _ClassVar[ChatMessageType]
    CHAT_MESSAGE_TYPE_TEXT: _ClassVar[ChatMessageType]
    CHAT_MESSAGE_TYPE_IMAGE: _ClassVar[ChatMessageType]
    CHAT_MESSAGE_TYPE_FILE: _ClassVar[ChatMessageType]
    CHAT_MESSAGE_TYPE_SYSTEM: _ClassVar[ChatMessageType]
    CHAT_MESSAGE_TYPE_TYPING: _ClassVar[ChatMessageType]

class CollaborationEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLLABORATION_EVENT_TYPE_UNSPECIFIED: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_JOIN: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_LEAVE: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_SNAPSHOT: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_OPERATION: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_CURSOR: _ClassVar[CollaborationEventType]
    COLLABORATION_EVENT_TYPE_REJECTED: _ClassVar[CollaborationEventType]
USER_EVENT_TYPE_UNSPECIFIED: UserEventType
USER_EVENT_TYPE_LOGIN: UserEventType
USER_EVENT_TYPE_LOGOUT: UserEventType
USER_EVENT_TYPE_PROFILE_UPDATE: UserEventType
USER_EVENT_TYPE_PASSWORD_CHANGE: UserEventType
USER_EVENT_TYPE_HEARTBEAT: UserEventType
NOTIFICATION_TYPE_UNSPECIFIED: NotificationType
NOTIFICATION_TYPE_HEARTBEAT: NotificationType
NOTIFICATION_TYPE_MENTION: NotificationType
NOTIFICATION_TYPE_FILE_STORED: NotificationType
CHAT_MESSAGE_TYPE_UNSPECIFIED: ChatMessageType
CHAT_MESSAGE_TYPE_TEXT: ChatMessageType
CHAT_MESSAGE_TYPE_IMAGE: ChatMessageType
CHAT_MESSAGE_TYPE_FILE: ChatMessageType
CHAT_MESSAGE_TYPE_SYSTEM: ChatMessageType
CHAT_MESSAGE_TYPE_TYPING: ChatMessageType
COLLABORATION_EVENT_TYPE_UNSPECIFIED: CollaborationEventType
COLLABORATION_EVENT_TYPE_JOIN: CollaborationEventType
COLLABORATION_EVENT_TYPE_LEAVE: CollaborationEventType
COLLABORATION_EVENT_TYPE_SNAPSHOT: CollaborationEventType
COLLABORATION_EVENT_TYPE_OPERATION: CollaborationEventType
COLLABORATION_EVENT_TYPE_CURSOR: CollaborationEventType
COLLABORATION_EVENT_TYPE_REJECTED: CollaborationEventType

class StreamUserEventsRequest(_message.Message):
    __slots__ = ("user_id", "event_types", "start_time", "heartbeat_interval", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    event_types: _containers.RepeatedScalarFieldContainer[UserEventType]
    start_time: _timestamp_pb2.Timestamp
    heartbeat_interval: _duration_pb2.Duration
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., event_types: _Optional[_Iterable[_Union[UserEventType, str]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class UserEvent(_message.Message):
    __slots__ = ("id", "user_id", "type", "timestamp", "data")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    type: UserEventType
    timestamp: _timestamp_pb2.Timestamp
    data: _any_pb2.Any
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., type: _Optional[_Union[UserEventType, str]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., data: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...

class RoomVisit(_message.Message):
    __slots__ = ("room_id", "members")
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    room_id: str
    members: int
    def __init__(self, room_id: _Optional[str] = ..., members: _Optional[int] = ...) -> None: ...

class DownloadFileRequest(_message.Message):
    __slots__ = ("file_id", "offset")
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    file_id: str
    offset: int
    def __init__(self, file_id: _Optional[str] = ..., offset: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("user_id", "types", "heartbeat_interval", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    types: _containers.RepeatedScalarFieldContainer[NotificationType]
    heartbeat_interval: _duration_pb2.Duration
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., types: _Optional[_Iterable[_Union[NotificationType, str]]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("id", "user_id", "type", "timestamp", "title", "body")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    type: NotificationType
    timestamp: _timestamp_pb2.Timestamp
    title: str
    body: str
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., type: _Optional[_Union[NotificationType, str]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., title: _Optional[str] = ..., body: _Optional[str] = ...) -> None: ...

class FileChunk(_message.Message):
    __slots__ = ("metadata", "chunk", "offset")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    metadata: FileMetadata
    chunk: bytes
    offset: int
    def __init__(self, metadata: _Optional[_Union[FileMetadata, _Mapping]] = ..., chunk: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...

class FileMetadata(_message.Message):
    __slots__ = ("filename", "total_size", "content_type", "checksum", "user_id")
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    filename: str
    total_size: int
    content_type: str
    checksum: str
    user_id: str
    def __init__(self, filename: _Optional[str] = ..., total_size: _Optional[int] = ..., content_type: _Optional[str] = ..., checksum: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class UploadFileResponse(_message.Message):
    __slots__ = ("file_id", "bytes_uploaded", "download_url", "checksum_verified")
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    BYTES_UPLOADED_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_URL_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    file_id: str
    bytes_uploaded: int
    download_url: str
    checksum_verified: bool
    def __init__(self, file_id: _Optional[str] = ..., bytes_uploaded: _Optional[int] = ..., download_url: _Optional[str] = ..., checksum_verified: bool = ...) -> None: ...

class DataRecord(_message.Message):
    __slots__ = ("id", "source", "fields", "timestamp")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    fields: _struct_pb2.Struct
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BatchProcessingResult(_message.Message):
    __slots__ = ("accepted", "rejected", "errors")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    rejected: int
    errors: _containers.RepeatedCompositeFieldContainer[RejectedRecord]
    def __init__(self, accepted: _Optional[int] = ..., rejected: _Optional[int] = ..., errors: _Optional[_Iterable[_Union[RejectedRecord, _Mapping]]] = ...) -> None: ...

class RejectedRecord(_message.Message):
    __slots__ = ("number", "id", "problem")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    number: int
    id: str
    problem: str
    def __init__(self, number: _Optional[int] = ..., id: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class MetricData(_message.Message):
    __slots__ = ("name", "value", "timestamp", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    timestamp: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MetricsCollectionResult(_message.Message):
    __slots__ = ("count", "sum", "min", "max", "metrics")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    count: int
    sum: float
    min: float
    max: float
    metrics: _containers.RepeatedCompositeFieldContainer[MetricSummary]
    def __init__(self, count: _Optional[int] = ..., sum: _Optional[float] = ..., min: _Optional[float] = ..., max: _Optional[float] = ..., metrics: _Optional[_Iterable[_Union[MetricSummary, _Mapping]]] = ...) -> None: ...

class MetricSummary(_message.Message):
    __slots__ = ("name", "count", "sum", "min", "max")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    sum: float
    min: float
    max: float
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., sum: _Optional[float] = ..., min: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...

class ChatMessage(_message.Message):
    __slots__ = ("id", "user_id", "room_id", "content", "timestamp", "type")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    user_id: str
    room_id: str
    content: str
    timestamp: _timestamp_pb2.Timestamp
    type: ChatMessageType
    def __init__(self, id: _Optional[str] = ..., user_id: _Optional[str] = ..., room_id: _Optional[str] = ..., content: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[_Union[ChatMessageType, str]] = ...) -> None: ...

class CollaborationEvent(_message.Message):
    __slots__ = ("id", "document_id", "user_id", "type", "revision", "timestamp", "operation", "cursor", "text", "problem")
    ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    id: str
    document_id: str
    user_id: str
    type: CollaborationEventType
    revision: int
    timestamp: _timestamp_pb2.Timestamp
    operation: Operation
    cursor: int
    text: str
    problem: str
    def __init__(self, id: _Optional[str] = ..., document_id: _Optional[str] = ..., user_id: _Optional[str] = ..., type: _Optional[_Union[CollaborationEventType, str]] = ..., revision: _Optional[int] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., operation: _Optional[_Union[Operation, _Mapping]] = ..., cursor: _Optional[int] = ..., text: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ("position", "delete_count", "insert")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DELETE_COUNT_FIELD_NUMBER: _ClassVar[int]
    INSERT_FIELD_NUMBER: _ClassVar[int]
    position: int
    delete_count: int
    insert: str
    def __init__(self, position: _Optional[int] = ..., delete_count: _Optional[int] = ..., insert: _Optional[str] = ...) -> None: ...

class DataInput(_message.Message):
    __slots__ = ("source", "value", "timestamp")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    source: str
    value: float
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, source: _Optional[str] = ..., value: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProcessingResult(_message.Message):
    __slots__ = ("source", "value", "count", "mean", "min", "max", "standard_deviation", "error")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    source: str
    value: float
    count: int
    mean: float
    min: float
    max: float
    standard_deviation: float
    error: _status_pb2.Status
    def __init__(self, source: _Optional[str] = ..., value: _Optional[float] = ..., count: _Optional[int] = ..., mean: _Optional[float] = ..., min: _Optional[float] = ..., max: _Optional[float] = ..., standard_deviation: _Optional[float] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
