#!/bin/bash
# The whole test suite, as CI runs it: seconds per stage, the ten slowest tests, and a red exit code if
# anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
summary=()

stage() { # stage NAME COMMAND...
    local name=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if "$@"; then
        summary+=("$(printf '%5ds  ok    %s' $((SECONDS - began)) "$name")")
    else
        summary+=("$(printf '%5ds  FAIL  %s' $((SECONDS - began)) "$name")")
        failed+=("$name")
    fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

formatted() {
    local wrong
    wrong=$(gofmt -l $(git ls-files '*.go'))
    [ -z "$wrong" ] || { printf 'gofmt would change:\n%s\n' "$wrong"; return 1; }
}

tests() {
    # An X server and a terminal for the tests of windows.
    ./test/prerequisites.sh Xvfb=xvfb xterm=xterm xwininfo=x11-utils || [ -z "${CI:-}" ] || return 1
    # The seed of -shuffle is printed by every package that fails. The race detector would keep each process, of which there
    # are thousands, for a second after its end.
    GORACE=atexit_sleep_ms=0 go test -race -shuffle=on -timeout 45m -json ./... >"$log" 2>&1
    local code=$?
    go run ./test/report <"$log" || code=1
    return $code
}

otherSystems() {
    GOOS=darwin go build ./... && GOOS=windows go build ./...
}

generated() {
    local dir
    dir=$(mktemp -d)
    go run ./cmd/azlin/docgen "$dir" && diff -r "$dir/reference" docs/reference
    local code=$?
    rm -rf "$dir"
    [ $code -eq 0 ] || echo "docs/reference is out of date: run make docs"
    return $code
}

# The real Azure CLI is driven against the emulator where it can be had; CI has no excuse.
azureCLI() {
    if ! ./test/prerequisites.sh az=azure-cli; then
        [ -z "${CI:-}" ] || return 1
        echo "the real az is not tested here"
        return 0
    fi
    go test -tags az -count=1 -parallel 4 -timeout 20m -v ./test/az 2>&1 | grep -E '^ *(ok|FAIL|---|--- |[a-z_]+_test)'
    return "${PIPESTATUS[0]}"
}

# Debian's cloud-init judges what azlin renders; without it those tests are skipped, for which CI has no excuse.
cloudInit() {
    if ! ./test/cloud-init.sh; then
        [ -z "${CI:-}" ] || return 1
        echo "cloud-init's own validator is not asked here"
    fi
}

# OpenSSH's server judges reconnecting. Where there is a service manager it would listen from then on, so only CI installs it.
sshd=
[ -z "${CI:-}" ] || sshd=/usr/sbin/sshd=openssh-server

# A client of Bastion that is not azlin's own runs on Debian's python3.
stage "prerequisites" ./test/prerequisites.sh $sshd pgrep=procps python:requests=python3-requests python:websocket=python3-websocket
stage "cloud-init's validator" cloudInit
stage "formatting" formatted
stage "vet, with every build tag" go vet -tags live,torture,az ./...
stage "generated files" generated
stage "lint" ./test/lint.sh
stage "tests" tests
stage "the API map" go run ./test/apimap
stage "the real az" azureCLI
stage "the demo" make -s demo
stage "other systems" otherSystems

printf '\n== seconds per stage\n'
printf '%s\n' "${summary[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nFAILED: %s\n' "${failed[*]}"
    exit 1
fi
