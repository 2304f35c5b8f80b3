"""``python -m asgi_grpc`` is ``asgi-grpc``."""

from __future__ import annotations

import sys

from asgi_grpc.cli import main

if __name__ == "__main__":
    sys.exit(main())
