package remote_test

import (
	"context"
	"encoding/json"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// connectEnv makes this test binary a program that connects to a VM on its terminal.
const connectEnv = "REMOTE_TEST_CONNECT"

// told is what such a program is told.
type told struct {
	Host                remote.Host
	Key, Known, Session string
}

// connectAsTold returns the exit code of the session, or 100.
func connectAsTold(spec string) int {
	var t told
	if err := json.Unmarshal([]byte(spec), &t); err != nil {
		return 100
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.Key))
	if err != nil {
		return 100
	}
	t.Host.HostKey = key
	code, err := remote.ConnectSSH(context.Background(), t.Host, knownhosts.File{Path: t.Known}, t.Session)
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
	}
	return code
}
