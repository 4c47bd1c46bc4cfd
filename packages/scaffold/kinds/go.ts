import { baseImages } from '../baseImages';
import { supervisor } from './supervisor';
import type { Service, ServiceSources } from '../serviceKind';

/** Go: an image with nothing but the program in it, and for `dev` one with the compiler. */
export function go(service: Service): ServiceSources {
  return {
    files: {
      Dockerfile: dockerfile(service),
      'go.mod': `module ${service.name}\n\ngo 1.22\n`,
      'main.go': main(service),
      'dev.sh': supervisor,
      'slipway.yaml': config,
    },
    entry: 'main.go',
    // The compiler runs in the same container while `dev` does.
    memory: { request: '64Mi', limit: '1Gi' },
    healthPath: '/healthz',
    npm: 'no',
    scripts: {},
    devDependencies: {},
  };
}

function dockerfile({ port }: Service): string {
  return `FROM ${baseImages.go} AS modules
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE=/go/cache
# A change of these makes a new image.
COPY go.mod go.sum* ./
RUN go mod download

# What \`dev\` runs: an edit is compiled in the container, and the program starts again.
FROM modules AS dev
# The standard library is compiled once here, and not again with each edit.
RUN go build net/http && chown -R 1000:1000 /src /go/cache
USER 1000:1000
COPY --chown=1000:1000 . .
ENV PORT=${port}
EXPOSE ${port}
CMD ["sh", "-c", "go build -o /tmp/server . ; exec sh dev.sh /tmp/server"]

FROM modules AS build
COPY . .
RUN --mount=type=cache,target=/go/cache go build -trimpath -ldflags "-s -w" -o /server .

FROM scratch
COPY --from=build /server /server
USER 65532:65532
ENV PORT=${port}
EXPOSE ${port}
ENTRYPOINT ["/server"]
`;
}

function main({ name, port }: Service): string {
  return `package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "${port}"
	}

	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Hello from ${name}") })

	server := &http.Server{Addr: ":" + port, Handler: routes}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	go func() {
		<-stop.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(grace)
	}()

	log.Printf("${name} listens on %s", port)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
`;
}

const config = `version: 1
# How the running program takes up edited files: it is compiled in the container, and dev.sh starts the new one.
# While it does not compile, the old one goes on.
reload:
  command: [sh, -c, 'cd /src && go build -o /tmp/server . && kill -HUP 1']
`;
