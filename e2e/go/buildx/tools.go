//go:build tools

// Which buildx the tests run with; `go build github.com/docker/buildx/cmd/buildx` in this folder makes it.
package tools

import _ "github.com/docker/buildx/cmd/buildx"
