package remote

import (
	"context"
	"strings"
	"time"
)

// connectionMark is an environment variable that identifies the Connector that started a process on the VM.
const connectionMark = "AZLIN_CONNECTION"

// mark sets that variable before the command that sshd runs, if it is needed.
func (in Interactive) mark() string {
	if in.id == "" || !in.hasRemoteForwards() {
		return ""
	}
	return connectionMark + "=" + in.id + " "
}

// staleGoes limits the time to end an earlier connection.
const staleGoes = 5 * time.Second

// endStale ends this Connector's earlier connections on the VM. A VM may notice only after minutes or hours that a
// connection is dead, and until then its forwarded ports stay in use. It is best effort: the forwards are retried for a
// while.
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

// Programs run by tmux have the variable too, but their parent is not sshd.
const staleScript = `for e in $(grep -zlx MARK /proc/[0-9]*/environ 2>/dev/null); do
    p=$(sed -n 's/^PPid:[[:space:]]*//p' "${e%environ}status" 2>/dev/null)
    case $(cat "/proc/$p/comm" 2>/dev/null) in sshd*) kill "$p" ;; esac
done`
