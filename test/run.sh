#!/bin/bash
# The whole test suite, as CI runs it: seconds per stage, the ten slowest tests, and a red exit code if
# anything failed. With --race it runs all tests under the race detector, and nothing else.
set -uo pipefail
cd "$(dirname "$0")/.."
# A stage that lacks a program returns this, and has said what to install.
skip=75

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# What a stage prints comes when it has ended, whole: two stages are at work at a time.
stage() { # stage NAME COMMAND...
    local name=$1 began=$SECONDS word=ok out
    shift
    out=$(mktemp -p "$logs" stage.XXXXXX)
    "$@" >"$out" 2>&1
    case $? in
    0) ;;
    "$skip") word=skipped ;;
    *) word=FAIL ;;
    esac
    {
        flock 9
        printf '\n== %s\n' "$name"
        cat "$out"
        printf '%5ds  %-7s  %s\n' $((SECONDS - began)) $word "$name" >>"$logs/summary"
    } 9>"$logs/lock"
    [ $word != FAIL ]
}

# Tests whose program is missing are skipped: a C compiler is for the race detector, an X server and a terminal are for windows,
# OpenSSH's server is for reconnecting, and python3 runs a client of Bastion that is not azlin's own.
programs() {
    ./test/prerequisites.sh gcc=gcc file:/usr/include/stdio.h=libc6-dev pgrep=procps file:/usr/sbin/sshd=openssh-server \
        Xvfb=xvfb xterm=xterm xwininfo=x11-utils python:requests=python3-requests python:websocket=python3-websocket || return $skip
}

# Debian's cloud-init judges what azlin renders.
cloudInit() { ./test/cloud-init.sh || return $skip; }

formatted() {
    local wrong
    wrong=$(gofmt -l $(git ls-files '*.go'))
    [ -z "$wrong" ] || { printf 'gofmt would change:\n%s\n' "$wrong"; return 1; }
}

# The tests of these packages start processes and wait for them. The race detector would slow down each process, and see
# little: "make race" has the time for that.
processes='/azlin/(cmd/azlin|test)(/|$)|/emulator/host$'

# Tests with such a word in their name do the same a hundred times: they cut it off at each request, damage each byte, or have
# hundreds of VMs. Under the race detector they take five to thirty times as long, and it sees what it has seen in the tests
# next to them. "make race" again.
repeating='Any(Crash|Kill|Cut)|EveryRequest|LaunchAtWork|LostRequests|CutOff|Damage|TenThousand|TwoHundred|LargeFleet|RandomDocuments'
repeating+='|FourRequests|AreConstant|CostFewCalls|RetryStorm|FewHours'

library() { go list ./... | grep -vE "$processes"; }

run() { # run LOG ARGUMENTS...: go test, with a report
    local log=$logs/$1.json code
    shift
    # The seed of -shuffle is printed by every package that fails. A stage of its own vets.
    go test -vet=off -shuffle=on -timeout 45m -json "$@" >"$log" 2>&1
    code=$?
    go run ./test/report "$log" || code=1
    return $code
}

# The race detector would keep each process for a second after its end.
raced() { GORACE=atexit_sleep_ms=0 run "$1" -race "${@:2}"; }

inProcess() {
    if command -v gcc >/dev/null; then
        raced library -skip "$repeating" $(library)
    else
        echo "The race detector needs gcc; these tests run without it."
        run library -skip "$repeating" $(library)
    fi
}

inProcessOften() {
    local dirs
    dirs=$(git grep -lE "^func (Test|Example|Fuzz)[A-Za-z]*($repeating)" '*_test.go' | xargs -n 1 dirname | sort -u | sed 's|^|./|')
    run repeating -run "$repeating" $(go list $dirs | grep -vE "$processes")
}

# These wait more than they work, so more of them run at once than there are cores.
inProcesses() { run processes -parallel 8 $(go list ./... | grep -E "$processes"); }

if [ "${1:-}" = --race ]; then
    stage "prerequisites" programs
    raced everything ./... || exit 1
    exec go run ./test/report -slowest "$logs"/*.json
fi

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

# The real Azure CLI is driven against the emulator.
azureCLI() {
    ./test/prerequisites.sh az=azure-cli || return $skip
    go test -tags az -vet=off -count=1 -parallel 8 -timeout 20m -v ./test/az 2>&1 | grep -E '^ *(ok|FAIL|---|--- |[a-z_]+_test)'
    return "${PIPESTATUS[0]}"
}

stage "prerequisites" programs
stage "cloud-init's validator" cloudInit
stage "formatting" formatted
stage "generated files" generated

# The left lane compiles and computes, the right one waits for processes: side by side they keep two cores busy.
compute() {
    stage "lint, with every build tag" ./test/lint.sh
    stage "tests of the library, under the race detector" inProcess
    stage "tests that repeat themselves, without it" inProcessOften
    stage "other systems" otherSystems
}
wait_for_processes() {
    stage "tests that start processes" inProcesses
    stage "the real az" azureCLI
    stage "the API map" go run ./test/apimap
    stage "the demo" make -s demo
}
compute &
wait_for_processes
wait

go run ./test/report -slowest "$logs"/*.json || printf '%5ds  FAIL     the report\n' 0 >>"$logs/summary"
printf '\n== seconds per stage; two lanes side by side\n'
cat "$logs/summary"
printf '%5ds  altogether\n' $SECONDS
if grep ' FAIL ' "$logs/summary" >"$logs/failed"; then
    printf '\nFAILED:\n'
    cat "$logs/failed"
    exit 1
fi
