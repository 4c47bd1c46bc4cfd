//go:build tools

// Which BuildKit the tests build with in a cluster; `go build github.com/moby/buildkit/cmd/buildkitd` in this folder makes its daemon.
package tools

import (
	_ "github.com/moby/buildkit/cmd/buildctl"
	_ "github.com/moby/buildkit/cmd/buildkitd"
)
