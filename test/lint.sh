#!/bin/sh
# Runs golangci-lint with the repository's configuration, building the pinned version when it is missing.
set -eu
cd "$(dirname "$0")/.."
version=v2.15.0
bin=$(go env GOPATH)/bin/golangci-lint-$version
if [ ! -x "$bin" ]; then
    dir=$(mktemp -d)
    GOBIN=$dir GOFLAGS= go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
    mkdir -p "$(dirname "$bin")"
    mv "$dir/golangci-lint" "$bin"
    rmdir "$dir"
fi
exec "$bin" run ./...
