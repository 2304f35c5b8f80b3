"""The pydantic models that the printed clients import."""

from __future__ import annotations

from pydantic import BaseModel


class HelloRequest(BaseModel):
    """``helloworld.HelloRequest``."""

    name: str = ""
    language: str = ""


class HelloReply(BaseModel):
    """``helloworld.HelloReply``."""

    message: str = ""
    language: str = ""
