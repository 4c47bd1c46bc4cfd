module slipway.dev/cluster/pause

go 1.24.0
