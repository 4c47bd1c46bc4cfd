//go:build tools

// Which helm the tests run with; `go build helm.sh/helm/v4/cmd/helm` in this folder makes it.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
