package remote

import (
	"context"
	"strings"
	"time"
)

// connectionMark names, in the environment of what sshd runs, the connector that asked for it.
const connectionMark = "AZLIN_CONNECTION"

// mark puts the name of this connector before the command that sshd runs, where that will be of use.
func (in Interactive) mark() string {
	if in.id == "" || !in.hasRemoteForwards() {
		return ""
	}
	return connectionMark + "=" + in.id + " "
}

// staleGoes is how long it may take to end an earlier connection.
const staleGoes = 5 * time.Second

// endStale ends what an earlier connection of this connector left on the VM. A VM does not notice for minutes, or
// hours, that a connection is dead, and as long as it does not, the ports that were forwarded from there stay taken. It
// is best effort: the forwards are tried again for a while.
func (in Interactive) endStale(ctx context.Context, h Host) {
	if in.mark() == "" || !in.tmux() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, staleGoes)
	defer cancel()
	c, err := Dial(ctx, h)
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Script(ctx, strings.ReplaceAll(staleScript, "MARK", strings.TrimSpace(in.mark())))
}

// The programs that tmux runs have the mark, too; the parent of none of them is sshd.
const staleScript = `for e in $(grep -zlx MARK /proc/[0-9]*/environ 2>/dev/null); do
    p=$(sed -n 's/^PPid:[[:space:]]*//p' "${e%environ}status" 2>/dev/null)
    case $(cat "/proc/$p/comm" 2>/dev/null) in sshd*) kill "$p" ;; esac
done`
