"""A FastAPI application with routes of its own, and the Greeter beside them: ``uvicorn fastapi_app:app``."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from asgi_grpc import GrpcMiddleware, Schema

GREETER = Path(__file__).parent.parent / "greeter"


class Item(BaseModel):
    """Something in the shop."""

    item_id: int
    name: str


ITEMS = {1: Item(item_id=1, name="a pen"), 2: Item(item_id=2, name="some ink")}

app = FastAPI(title="A shop that greets")


@app.get("/items")
async def items() -> list[Item]:
    """All that there is."""
    return list(ITEMS.values())


# What FastAPI has no route for would be a 404; what the Greeter has a binding for never gets that far.
app.add_middleware(
    GrpcMiddleware,
    schema=Schema.from_descriptor_set(GREETER / "greeter.binpb"),
    upstream=os.environ.get("GREETER_TARGET", "localhost:50051"),
)
