"""A bucket on loopback: just as much of S3 as create-only storage speaks."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def a_bucket_server() -> Iterator[tuple[str, dict[str, tuple[bytes, str]]]]:
    """Its address, and what it keeps: path → content and content type."""
    kept: dict[str, tuple[bytes, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path in kept and self.headers["If-None-Match"] == "*":
                return self._answer(412, b"")
            kept[self.path] = (content, self.headers["Content-Type"] or "")
            return self._answer(200, b"")

        def do_GET(self) -> None:
            found = kept.get(self.path)
            self._answer(404 if found is None else 200, b"" if found is None else found[0])

        def log_message(self, *args: object) -> None:
            """Tests stay quiet."""

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Fri, 20 Nov 2026 12:00:00 GMT")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
