#!/bin/sh
# Installs the programs that azlin and its tests run, or prints the line that does. A service among them is not started.
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
for extra in "$@"; do # further PROGRAM=PACKAGE pairs, python:MODULE=PACKAGE, or file:PATH=PACKAGE
    case $extra in
    python:*)
        module=${extra%%=*}
        /usr/bin/python3 -c "import ${module#python:}" 2>/dev/null || missing="$missing ${extra#*=}"
        ;;
    file:*)
        file=${extra%%=*}
        [ -e "${file#file:}" ] || missing="$missing ${extra#*=}"
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
    echo "    sudo apt-get update && sudo apt-get install --yes --no-install-recommends$missing" >&2
    exit 2
fi

# Debian starts the service of a package as soon as it is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$sudo rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
    $sudo chmod 755 $policy
fi
install() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
}
echo "installing$missing" >&2
$sudo apt-get update -qq
failed=
# shellcheck disable=SC2086 # the list is meant to be split
install $missing || for package in $missing; do # one that does not exist here must not keep the others away
    install "$package" || failed="$failed $package"
done
case $missing in
*openssh-server*) # the tests run it themselves; nobody asked for one that listens after the next boot
    if command -v systemctl >/dev/null 2>&1; then
        $sudo systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true
        [ ! -d /run/systemd/system ] || $sudo systemctl stop ssh.service ssh.socket >/dev/null 2>&1 || true
    fi
    ;;
esac
[ -z "$failed" ] || {
    echo "not installed:$failed" >&2
    exit 2
}
