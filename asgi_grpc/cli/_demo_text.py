"""What ``asgi-grpc demo`` prints: lines that work when pasted into a shell, or into a browser's console."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

PROBES = ("/v1/helloworld/demo", "/v1/users/demo/events?limit=1")
"""What has to answer before the demo is announced: one path of each service."""

_TEXT = """\
Two gRPC services, all four kinds of call, at {http}

One request, one reply:
  curl {http}/v1/helloworld/Ada
  curl -H 'Content-Type: application/json' -d '{{"name":"Ada","language":"es"}}' {http}/v1/helloworld

One request, many replies, as NDJSON and as Server-Sent Events:
  curl -N {http}/v1/helloworld/Ada/stream
  curl -N -H 'Accept: text/event-stream' '{http}/v1/users/demo/events?limit=4&start_time=2026-01-01T00:00:00Z'

Many requests, over HTTP with both directions at once, and over WebSocket:
  printf '{{"name":"Ada"}}\\n{{"name":"Grace"}}\\n' | curl -N -T - -X POST {http}/v1/helloworld/bidi-stream
  printf '{{"name":"Ada"}}\\n{{"name":"Grace"}}\\n' | {call} {http}/v1/helloworld/client-stream --data -
  printf '{{"name":"Ada"}}\\n{{"name":"Grace"}}\\n' | {call} {ws}/v1/helloworld/bidi-stream --data -
  printf '{{"user_id":"ada","content":"hello"}}\\n' | {call} {ws}/v1/rooms/lobby/chat --data -

20 000 of them:
  seq 20000 | sed 's/.*/{{"name":"load","value":&}}/' | {call} {ws}/v1/metrics --data -

In the console of a browser that shows {http}:
  const ws = new WebSocket("{ws}/v1/helloworld/bidi-stream"); ws.onmessage = (event) => console.log(event.data); \
ws.onopen = () => ["Ada", "Grace"].forEach((name) => ws.send(JSON.stringify({{name}})))

Ctrl-C ends everything.
"""


def demo_text(port: int) -> str:
    """The text for a gateway at this port of localhost. Commands stand alone on lines that begin with two spaces."""
    where = f"localhost:{port}"
    return _TEXT.format(http=f"http://{where}", ws=f"ws://{where}", call=f"{own_command()} call")


def own_command() -> str:
    """How to run this program from any shell: by name where it is found, else by its path, else through Python."""
    beside = Path(sys.executable).with_name("asgi-grpc")
    if (found := shutil.which("asgi-grpc")) is not None and Path(found) == beside:
        return "asgi-grpc"
    if beside.is_file():
        return shlex.quote(str(beside))
    return f"{shlex.quote(sys.executable)} -m asgi_grpc"
