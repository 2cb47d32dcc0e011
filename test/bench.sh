#!/bin/sh
# Speed as ratios against a named baseline that is measured in the same run.
set -eu
cd "$(dirname "$0")/.."
go test -run '^$' -bench . -benchtime 20x ./emulator/... 2>/dev/null | grep -E '^(Benchmark|pkg)' || true
exec go run ./test/bench bin/azlin
