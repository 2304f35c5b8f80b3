"""``Schema``: the services that a gateway can serve, and every way to make one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, ModuleType

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema._comments import read_comments
from asgi_grpc.schema._files import SetSource, build_pool, closure, merge_sets, read_set
from asgi_grpc.schema._nouns import Method, Service
from asgi_grpc.schema._protoc import compile_protos
from asgi_grpc.schema._reflection import reflect
from asgi_grpc.schema._rules import read_service
from asgi_grpc.schema._service_config import override
from asgi_grpc.schema._services_json import read_services_json


class Schema:
    """A set of services with their HTTP bindings; immutable.

    Make one with a ``from_...`` constructor. All of them raise ``ConfigurationError`` for whatever is wrong, with the
    method, the file or the service that it is wrong with.

    Attributes:
        services: by full name, in the order of their sources.
        pool: holds the descriptors of every message of these services, and what else came with them: the types that
            an ``Any`` may hold.
        files: that the services came from, without their imports.
        comments: of the .proto files, by full name; of an enum's value that of the enum, a dot, and its own name. Only
            what the sources still have: .proto files, and descriptor sets written with ``--include_source_info``.
    """

    def __init__(
        self,
        services: Iterable[Service],
        *,
        pool: DescriptorPool,
        files: Iterable[FileDescriptor],
        comments: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.services: Mapping[str, Service] = MappingProxyType({service.full_name: service for service in services})
        self.pool = pool
        self.files: tuple[FileDescriptor, ...] = tuple(files)
        self.comments = comments

    @classmethod
    def from_modules(cls, *modules: ModuleType) -> Schema:
        """Take the services of generated modules.

        Args:
            modules: as protoc writes them, e.g. ``greeter_pb2`` (not ``greeter_pb2_grpc``). Requests and replies will
                be instances of these modules' own classes.
        """
        files = [_file_of(module) for module in modules]
        return cls(_services_of(files), pool=descriptor_pool.Default(), files=files)

    @classmethod
    def from_descriptor_set(cls, *sources: SetSource) -> Schema:
        """Take the services of serialized ``FileDescriptorSet`` messages.

        Args:
            sources: bytes, or paths of files, as ``protoc --include_imports --descriptor_set_out`` or ``buf build``
                writes them. Files may come in any order and repeatedly; two different files of one name are refused.
                Of imports that are missing, only those under ``google/`` that installed packages carry are made up
                for.
        """
        return cls._of(merge_sets(read_set(source) for source in sources))

    @classmethod
    def from_protos(cls, *paths: str | os.PathLike[str], include: Sequence[str | os.PathLike[str]] = ()) -> Schema:
        """Take the services of ``.proto`` files; needs the extra ``protoc``. Costs a run of protoc.

        Args:
            paths: of the files.
            include: folders in which imports are looked up, before the files' own folders. google/protobuf and
                google/api are always found. Services of imported files are not taken.
        """
        compiled, names = compile_protos(paths, include)
        schema = cls._of(merge_sets([read_set(compiled)]))
        asked_for = [file for file in schema.files if file.name in names]
        return cls(_services_of(asked_for), pool=schema.pool, files=asked_for, comments=schema.comments)

    @classmethod
    def from_services_json(
        cls, path: str | os.PathLike[str], *, descriptors: SetSource | ModuleType | Sequence[SetSource | ModuleType]
    ) -> Schema:
        """Take the services, their kinds and their HTTP rules from a ``services.json``.

        Args:
            path: of the file: service -> method -> ``input_type``, ``output_type``, ``options``, ``streaming_type``,
                ``method_full_name``, ``http``. Its rules stand in place of the annotations of the descriptors.
            descriptors: the messages: descriptor sets, as for ``from_descriptor_set``, or generated modules. If they
                have the services too, both must agree.
        """
        if isinstance(descriptors, bytes | str | os.PathLike | ModuleType):
            descriptors = [descriptors]
        pool, files, comments = _open(descriptors)
        return cls(read_services_json(path, pool), pool=pool, files=files, comments=comments)

    @classmethod
    async def from_reflection(
        cls,
        target: str | grpc.aio.Channel,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout_s: float = 10.0,
    ) -> Schema:
        """Ask a running server for its services; needs the extra ``reflection``.

        Args:
            target: of a server, e.g. ``"localhost:50051"``, or a channel of any kind, which stays open.
            credentials: for a target, e.g. ``grpc.ssl_channel_credentials()``; None: it is a server without TLS.
            timeout_s: for the whole exchange.
        """
        files, services = await reflect(target, credentials=credentials, timeout_s=timeout_s)
        return cls._of(files).only(services)

    @classmethod
    def from_pool(cls, *services: str, pool: DescriptorPool | None = None) -> Schema:
        """Take services by full name from a pool; the default one holds all modules that were imported."""
        pool = pool or descriptor_pool.Default()
        found: list[ServiceDescriptor] = []
        for name in dict.fromkeys(services):
            try:
                found.append(pool.FindServiceByName(name))
            except KeyError as exc:
                raise ConfigurationError(f"no imported module defines the service {name}") from exc
        return cls(map(read_service, found), pool=pool, files=[service.file for service in found])

    @classmethod
    def merge(cls, *schemas: Schema) -> Schema:
        """Put schemas of any sources together; a service that several define comes from the first."""
        services: dict[str, Service] = {}
        for schema in schemas:
            services.update((name, service) for name, service in schema.services.items() if name not in services)
        files = [file for schema in schemas for file in schema.files]
        comments = {name: text for schema in reversed(schemas) for name, text in schema.comments.items()}
        pools = {id(schema.pool): schema.pool for schema in schemas}
        if len(pools) == 1:
            return cls(services.values(), pool=schemas[0].pool, files=files, comments=comments)
        # Only the types of an Any are looked up here: each service keeps the descriptors that it came with.
        sets = [FileDescriptorSet(file=closure(schema.files).values()) for schema in schemas]
        pool, _ = build_pool(merge_sets((f"schema {n}", parsed) for n, parsed in enumerate(sets, 1)))
        return cls(services.values(), pool=pool, files=files, comments=comments)

    @classmethod
    def _of(cls, files: Mapping[str, FileDescriptorProto]) -> Schema:
        """The services of serialized files, in a pool of their own."""
        pool, built = build_pool(files)
        return cls(_services_of(built), pool=pool, files=built, comments=read_comments(files.values()))

    @property
    def methods(self) -> Iterator[Method]:
        """Every method of every service."""
        return (method for service in self.services.values() for method in service.methods)

    def only(self, services: Sequence[str]) -> Schema:
        """The same schema with only these services, by full name."""
        for name in services:
            if name not in self.services:
                known = ", ".join(self.services) or "none"
                raise ConfigurationError(f"the schema has no service {name}; it has {known}")
        return self._with(self.services[name] for name in services)

    def with_service_config(self, path: str | os.PathLike[str]) -> Schema:
        """The same schema with the HTTP rules of a service configuration in place of the methods' own.

        Args:
            path: of a ``google.api.Service`` in YAML (needs PyYAML) or JSON, of which the ``http`` part is read. A
                rule replaces all bindings of its method but the default one.
        """
        return self._with(override(self.services.values(), path))

    def _with(self, services: Iterable[Service]) -> Schema:
        """The same schema with other services."""
        return Schema(services, pool=self.pool, files=self.files, comments=self.comments)


def _open(
    descriptors: Sequence[SetSource | ModuleType],
) -> tuple[DescriptorPool, list[FileDescriptor], Mapping[str, str]]:
    """A pool of descriptor sets and modules, with their comments; modules alone keep their own pool and its classes."""
    modules = [_file_of(source) for source in descriptors if isinstance(source, ModuleType)]
    sets = [read_set(source) for source in descriptors if not isinstance(source, ModuleType)]
    if not sets:
        return descriptor_pool.Default(), modules, {}
    sets += [(f"the module of {file.name}", FileDescriptorSet(file=closure([file]).values())) for file in modules]
    merged = merge_sets(sets)
    return *build_pool(merged), read_comments(merged.values())


def _services_of(files: Iterable[FileDescriptor]) -> list[Service]:
    """The services that files define, in the order of the files and of their text."""
    services = []
    for file in files:
        # The mapping by name has an order of its own.
        services += sorted(file.services_by_name.values(), key=lambda service: service.index)
    return [read_service(service) for service in services]


def _file_of(module: ModuleType) -> FileDescriptor:
    """The file that a generated module was generated from."""
    file = getattr(module, "DESCRIPTOR", None)
    if not isinstance(file, FileDescriptor):
        name = getattr(module, "__name__", type(module).__name__)
        raise ConfigurationError(f"{name} is not a module that protoc generates for messages (one named ..._pb2)")
    return file
