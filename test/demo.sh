#!/bin/sh
# The main job, from nothing, on the local emulator: create a VM, clone a repository into it, work in its
# tmux session, list it, delete it. Nothing outside a temporary directory is touched.
set -eu
cd "$(dirname "$0")/.."
azlin=$PWD/bin/azlin
home=$(mktemp -d)
export HOME="$home" AZLIN_CONFIG_DIR="$home/azlin" AZLIN_CONTEXT=emulator
unset TMUX
tmux="tmux -L azlin-demo-$$"

finish() {
    status=$?
    $tmux kill-server 2>/dev/null || true
    "$azlin" emulator stop >/dev/null 2>&1 || true
    if [ -n "${daemon:-}" ]; then kill "$daemon" 2>/dev/null || true; fi
    rm -rf "$home"
    if [ $status -ne 0 ]; then echo "demo: FAILED" >&2; fi
    exit $status
}
trap finish EXIT

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }

# A repository to clone, served on loopback.
mkdir -p "$home/git/hello"
git -C "$home/git/hello" init -q -b main
printf 'hello from a cloned repository\n' >"$home/git/hello/README"
git -C "$home/git/hello" add README
git -C "$home/git/hello" -c user.name=demo -c user.email=demo@example.org commit -q -m 'Say hello'
port=$((20000 + $$ % 20000))
git daemon --reuseaddr --export-all --base-path="$home/git" --listen=127.0.0.1 --port="$port" "$home/git" 2>/dev/null &
daemon=$!

PATH=$PWD/bin:$PATH
run azlin new --name demo --repo "git://127.0.0.1:$port/hello" --yes --no-auto-connect
run azlin list
run azlin exec demo -- git -C hello log --oneline -1

say azlin connect demo "   # in a terminal, into tmux"
$tmux new-session -d -x 100 -y 24 "azlin connect demo"
line='echo "session: $(tmux display-message -p "#S") on $(hostname): $(cat ~/hello/README)"'
seen=
for _ in $(seq 100); do
    seen=$($tmux capture-pane -p 2>/dev/null | grep 'session: [a-z]' || true)
    case $seen in *'session: demo on demo: hello from a cloned repository'*) break ;; esac
    # Typed again until the shell on the VM is there to read it.
    $tmux send-keys "$line" Enter
    sleep 0.3
done
printf '%s\n' "$seen" | tail -1
case $seen in
*'session: demo on demo: hello from a cloned repository'*) ;;
*) echo "the tmux session on the VM did not answer" >&2; $tmux capture-pane -p >&2; exit 1 ;;
esac
$tmux kill-server

run azlin kill demo --yes
run azlin list
say azlin emulator status -o json --jq .resources
left=$(azlin emulator status -o json --jq '[.resources | to_entries[] | select(.key | test("virtualMachines|disks|networkInterfaces|publicIPAddresses|networkSecurityGroups"; "i")) | .value] | add // 0')
azlin emulator status -o json --jq .resources
if [ "$left" != 0 ]; then
    echo "demo: $left resources of the VM are left over" >&2
    exit 1
fi
printf '\ndemo: everything worked, and nothing of the VM is left.\n'
