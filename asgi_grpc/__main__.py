"""``python -m asgi_grpc`` is ``asgi-grpc``."""

from __future__ import annotations

import sys

from asgi_grpc.cli import main

sys.exit(main())
