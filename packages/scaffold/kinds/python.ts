import { baseImages } from '../baseImages';
import { supervisor } from './supervisor';
import type { Service, ServiceSources } from '../serviceKind';

/** Python's standard library alone, until requirements.txt names more. */
export function python(service: Service): ServiceSources {
  return {
    files: {
      Dockerfile: dockerfile(service),
      'requirements.txt': '',
      'src/server.py': server(service),
      'dev.sh': supervisor,
      'slipway.yaml': config,
    },
    entry: 'src/server.py',
    memory: { request: '32Mi', limit: '256Mi' },
    healthPath: '/healthz',
    npm: 'no',
    scripts: {},
    devDependencies: {},
  };
}

function dockerfile({ port }: Service): string {
  return `FROM ${baseImages.python} AS base
WORKDIR /app
# A change of requirements.txt makes a new image; everything below is copied into running containers.
COPY requirements.txt ./
RUN if [ -s requirements.txt ]; then pip install --no-cache-dir -r requirements.txt; fi
# The folder belongs to the user who runs, so that files can also be added to it while it runs.
RUN chown 1000:1000 /app
USER 1000:1000
COPY --chown=1000:1000 src .
# A log line is to be seen when it is written, and byte code of synced files is of no use to anyone.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=${port}
EXPOSE ${port}

# What \`dev\` runs: it starts again when Slipway says that files have changed.
FROM base AS dev
COPY --chown=1000:1000 dev.sh ./
CMD ["sh", "dev.sh", "python3", "server.py"]

FROM base
CMD ["python3", "server.py"]
`;
}

function server({ name, port }: Service): string {
  return `import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "${port}"))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            self.send(200, "ok")
        elif self.path == "/":
            self.send(200, "Hello from ${name}")
        else:
            self.send(404, f"there is nothing at {self.path}")

    def send(self, status, text):
        body = f"{text}\\n".encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        if self.path != "/healthz":
            super().log_message(*args)


# The first process of a container gets no default signal handling: without this a pod takes its whole grace period to end.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(f"${name} listens on {PORT}")
ThreadingHTTPServer(("", PORT), Handler).serve_forever()
`;
}

const config = `version: 1
# How the running program takes up edited files: dev.sh starts it again.
reload:
  command: [sh, -c, kill -HUP 1]
`;
