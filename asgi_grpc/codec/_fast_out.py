"""The fast path out: generated functions by type, compiled when a type is first met.

Whatever has no JSON form raises here; the complete path then says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec._compile_out import READ_WELL_KNOWN, Body, Read, Shapes, Surroundings
from asgi_grpc.codec._fast_in import COMPILING
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import Kind, MessagePlan
from asgi_grpc.codec._print import Printer
from asgi_grpc.codec._quick import Miss
from asgi_grpc.codec._types import Types


class FastOut:
    """The functions of one pool and one set of options. Found without a lock, made under one, published last."""

    def __init__(self, types: Types, options: CodecOptions, printer: Printer) -> None:
        self._types = types
        self._around = Surroundings(
            types=types,
            options=options,
            shapes=Shapes(options),
            read_any=self._any,
            read_message=printer.message,
            read_extension=printer.extension,
        )
        self._readers: dict[Descriptor, Read] = {}
        self._in_any: dict[str, tuple[Callable[[bytes], Any], Read]] = {}

    def reader(self, descriptor: Descriptor) -> Read:
        """What turns a message of any kind into something that msgspec writes as its JSON."""
        return self._readers.get(descriptor) or self._compile(descriptor)

    def _compile(self, descriptor: Descriptor) -> Read:
        with COMPILING:
            if descriptor not in self._readers:
                plan = self._types.plan(descriptor)
                if plan.wrapped is not None:
                    body = Body(self._around)
                    self._readers[descriptor] = body.returning(body.scalar(plan.wrapped, "m.value"), plan.full_name)
                elif plan.kind is Kind.ANY:
                    self._readers[descriptor] = self._any
                elif plan.kind is not Kind.MESSAGE:
                    self._readers[descriptor] = READ_WELL_KNOWN[plan.kind]
                else:
                    self._compile_graph(plan)
            return self._readers[descriptor]

    def _compile_graph(self, plan: MessagePlan) -> None:
        """A message and what it can hold. Functions may call one another in circles: all are made, then linked."""
        made: dict[Descriptor, Read] = {}
        bodies: list[Body] = []
        waiting = [plan]
        while waiting:
            plan = waiting.pop()
            body = Body(self._around)
            made[plan.descriptor] = body.message(plan)
            bodies.append(body)
            known = {*self._readers, *made, *(other.descriptor for other in waiting)}
            waiting += [self._types.plan(needed) for needed in body.needs if needed not in known]
        made |= self._readers
        for body in bodies:
            body.link(made)
        self._readers.update(made)

    def _any(self, message: Any) -> Any:
        url: str = message.type_url
        if not url and not message.value:
            return {}
        authority, _, name = url.rpartition("/")
        if not authority or authority[0] == "/":
            raise Miss
        parse, read = self._in_any.get(name) or self._compile_in_any(name)
        return read(parse(message.value), url)

    def _compile_in_any(self, full_name: str) -> tuple[Callable[[bytes], Any], Read]:
        plan = self._types.named(full_name)
        if plan is None:
            raise Miss
        with COMPILING:
            read = _with_type(self.reader(plan.descriptor))
            if plan.kind is Kind.MESSAGE:
                body = Body(self._around)
                read = body.message(plan, in_any=True)
                body.link(self._readers)
            found = self._in_any[full_name] = GetMessageClass(plan.descriptor).FromString, read
        return found


def _with_type(read: Read) -> Read:
    """A well-known type in an Any: its JSON stands under ``value``."""
    return lambda message, url: {"@type": url, "value": read(message)}
