package keys

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

// maxAuthorized limits how many bytes of an authorized_keys file are read.
const maxAuthorized = 1 << 20

// absent replaces the checksum of an absent file.
const absent = "absent"

// The scripts' output when they cannot make the change.
const (
	exitAbsent  = 44
	exitChanged = 45
	exitCutOff  = 46
)

const readScript = `f=$HOME/.ssh/authorized_keys; [ -e "$f" ] || exit 44; exec cat "$f"`

// writeScript replaces authorized_keys by standard input if its checksum is still $1; $2 is the checksum of the new file.
// Other runs of this script wait, and readers see either the old or the new file.
const writeScript = `set -eu
umask 077
d=$HOME/.ssh
[ -d "$d" ] || mkdir "$d"
exec 9<"$d"
if command -v flock >/dev/null 2>&1; then
	flock -w 30 9
	rm -f "$d"/.azlin-keys.*
fi
f=$d/authorized_keys
if [ -L "$f" ]; then f=$(readlink -f "$f"); fi
have=absent
if [ -e "$f" ]; then have=$(sha256sum <"$f"); have=${have%% *}; fi
[ "$have" = "$1" ] || exit 45
t=$(mktemp "${f%/*}/.azlin-keys.XXXXXX")
trap 'rm -f "$t"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$t"
sum=$(sha256sum <"$t")
[ "${sum%% *}" = "$2" ] || exit 46
if [ -e "$f" ]; then chmod --reference="$f" "$t"; fi
sync "$t" 2>/dev/null || sync
mv -f "$t" "$f"
`

func checksum(content []byte, there bool) string {
	if !there {
		return absent
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// limited keeps the beginning of its input and counts all bytes.
type limited struct {
	bytes.Buffer

	total int
}

func (l *limited) Write(p []byte) (int, error) {
	l.total += len(p)
	if room := maxAuthorized - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// readAuthorized reads the authorized_keys file of the signed-in user.
func readAuthorized(ctx context.Context, c *remote.Client) (content []byte, there bool, err error) {
	var out limited
	var complaint bytes.Buffer
	code, err := c.Run(ctx, remote.Command{Script: readScript, Stdout: &out, Stderr: &complaint})
	switch {
	case err != nil:
		return nil, false, err
	case code == exitAbsent:
		return nil, false, nil
	case code != 0:
		return nil, false, errkind.New(errkind.Unreachable, "read authorized_keys: %s", said(complaint.String(), code))
	case out.total > maxAuthorized:
		return nil, false, errkind.New(errkind.Invalid, "authorized_keys has %d bytes, which is more than anybody's keys", out.total)
	}
	return out.Bytes(), true, nil
}

func said(complaint string, code int) string {
	if text := strings.TrimSpace(complaint); text != "" {
		return text
	}
	return fmt.Sprintf("exit code %d", code)
}

// writeAttempts limits retries after simultaneous changes by others.
const writeAttempts = 5

// editAuthorized changes the signed-in user's authorized_keys atomically, without losing simultaneous changes. It returns
// the previous content.
func editAuthorized(ctx context.Context, c *remote.Client, edit func(content []byte) ([]byte, error)) (before []byte, err error) {
	for range writeAttempts {
		content, there, err := readAuthorized(ctx, c)
		if err != nil {
			return nil, err
		}
		after, err := edit(content)
		if err != nil {
			return content, err
		}
		if bytes.Equal(after, content) {
			return content, nil
		}
		var complaint bytes.Buffer
		sums := []string{checksum(content, there), checksum(after, true)}
		code, err := c.Run(ctx, remote.Command{Script: writeScript, Args: sums, Stdin: bytes.NewReader(after), Stderr: &complaint})
		switch {
		case err != nil:
			return content, err
		case code == 0:
			return content, nil
		case code == exitCutOff:
			return content, errkind.New(errkind.Unreachable, "the new authorized_keys did not arrive whole; the old one is in place")
		case code != exitChanged:
			return content, errkind.New(errkind.Unreachable, "write authorized_keys: %s; the old one is in place", said(complaint.String(), code))
		}
	}
	return nil, errkind.New(errkind.Conflict, "authorized_keys was changed by others each time it was about to be written")
}

// probe signs in with exactly one key and runs a no-op, to test the login.
func probe(ctx context.Context, h remote.Host, key ssh.PublicKey) error {
	h.Only = key
	c, err := remote.Dial(ctx, h)
	if err != nil {
		return err
	}
	defer c.Close()
	code, err := c.Run(ctx, remote.Command{Line: "true"})
	if err == nil && code != 0 {
		err = errors.New("it lets the key in, but runs nothing for it")
	}
	return err
}

// addScript runs as root through Azure's agent on the VM: it adds the line $line, with the key $blob, for $user.
const addScript = `set -eu
home=$(getent passwd "$user" | cut -d: -f6)
[ -n "$home" ] || { echo "there is no user $user" >&2; exit 1; }
d=$home/.ssh; f=$d/authorized_keys
[ -d "$d" ] || { mkdir -m 700 "$d"; chown --reference="$home" "$d"; }
exec 9<"$d"
if command -v flock >/dev/null 2>&1; then flock -w 30 9; fi
if ! { [ -e "$f" ] && grep -v '^[[:space:]]*#' "$f" | grep -qF -- "$blob"; }; then
	t=$(mktemp "$d/.azlin-keys.XXXXXX")
	trap 'rm -f "$t"' EXIT
	if [ -e "$f" ]; then
		cat "$f" >"$t"
		chmod --reference="$f" "$t"
		if [ -s "$t" ] && [ -n "$(tail -c1 "$t")" ]; then echo >>"$t"; fi
	fi
	printf '%s\n' "$line" >>"$t"
	chown --reference="$d" "$t"
	mv -f "$t" "$f"
fi
echo azlin-key-is-there
`

// addThroughAzure is the script with its parameters.
func addThroughAzure(user string, next Key) string {
	blob := strings.Fields(next.Line)[1]
	return fmt.Sprintf("user=%s\nline=%s\nblob=%s\n", remote.Quote(user), remote.Quote(next.Line), remote.Quote(blob)) + addScript
}
