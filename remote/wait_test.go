package remote_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/test/local/machine"
)

// cutShort is a way to a VM that fails, and then hangs until patience ends.
type cutShort struct {
	end   context.CancelCauseFunc
	dials int
}

func (c *cutShort) Dial(ctx context.Context) (net.Conn, error) {
	if c.dials++; c.dials == 1 {
		return nil, errkind.New(errkind.Unreachable, "the door is shut")
	}
	c.end(context.DeadlineExceeded)
	<-ctx.Done()
	return nil, errkind.New(errkind.Unreachable, "no time left")
}

// TestWaitForSSHTellsTheReason: an attempt that the end of patience cuts short does not hide why those before it failed.
func TestWaitForSSHTellsTheReason(t *testing.T) {
	t.Parallel()
	pair, err := keypair.GenerateKeyPair(filepath.Join(t.TempDir(), "ssh"), "")
	if err != nil {
		t.Fatal(err)
	}
	key, _ := machine.HostKey(t)
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	way := &cutShort{end: end}
	h := remote.Host{Name: "dev", VMID: "dev-id", KeyPath: pair.Private, HostKey: key, Via: way}
	_, err = remote.WaitForSSH(ctx, h, time.Millisecond, nil)
	if errkind.Of(err) != errkind.Unreachable || !strings.Contains(err.Error(), "gave up after 2 attempts: ") || !strings.Contains(err.Error(), "the door is shut") {
		t.Errorf("after %d attempts: %v", way.dials, err)
	}
}
