#!/bin/sh
# Installs the programs that azlin and its tests run, or prints the line that does.
set -eu

need_go=1.26
if ! command -v go >/dev/null 2>&1; then
    echo "Go is not installed. Fetch Go $need_go or newer from https://go.dev/dl/ and put its bin directory on PATH." >&2
    exit 2
fi
# Any Go since 1.21 fetches the toolchain that go.mod names by itself; older ones cannot read go.mod.
case $(go env GOVERSION 2>/dev/null) in
go1.[0-9] | go1.[0-9].* | go1.1[0-9] | go1.1[0-9].* | go1.20 | go1.20.* | '')
    echo "$(go version) is too old. Fetch Go $need_go or newer from https://go.dev/dl/ and put its bin directory on PATH." >&2
    exit 2
    ;;
esac

missing=
want() { # want PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
want ssh openssh-client
want tmux tmux
want rsync rsync
want git git
want jq jq
for extra in "$@"; do # further PROGRAM=PACKAGE pairs, or python:MODULE=PACKAGE
    case $extra in
    python:*)
        module=${extra%%=*}
        /usr/bin/python3 -c "import ${module#python:}" 2>/dev/null || missing="$missing ${extra#*=}"
        ;;
    *) want "${extra%%=*}" "${extra#*=}" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install:$missing" >&2
    exit 2
fi
if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo=sudo
else
    echo "Some programs are missing. Install them with:" >&2
    echo "    sudo apt-get update && sudo apt-get install --yes$missing" >&2
    exit 2
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is meant to be split
$sudo apt-get update -qq && $sudo apt-get install -qq --yes --no-install-recommends $missing >/dev/null
