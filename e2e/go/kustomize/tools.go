//go:build tools

// Which kustomize the tests run with; `go build sigs.k8s.io/kustomize/kustomize/v5` in this folder makes it.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
