"""Reports what the cache has counted."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from cache import Cache

PORT = 8000
cache = Cache(urlsplit(os.environ.get("CACHE_URL", "redis://cache:6379")))


def report():
    visits = int(cache.get("visits") or 0)
    return {"visits": visits, "summary": f"{visits} visits so far"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            return self.send(200, {"ok": True})
        if self.path != "/":
            return self.send(404, {"error": f"nothing at {self.path}"})
        try:
            self.send(200, report())
        except OSError as error:
            self.send(502, {"error": f"the cache does not answer: {error}"})

    def send(self, status, body):
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        if self.path != "/healthz":
            print(f"GET {self.path} {code}", flush=True)


if __name__ == "__main__":
    # A container's first process gets no default signal handling, so without this a pod would take its whole grace period to end.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: sys.exit(0))
    print(f"reports listens on {PORT}", flush=True)
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
