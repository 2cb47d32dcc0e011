package keys

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// keyOf makes the same key from the same letter.
func keyOf(t testing.TB, letter byte) (ssh.PublicKey, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{letter}, ed25519.SeedSize))
	key, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func TestAuthorizedKeysAreEditedLineByLine(t *testing.T) {
	t.Parallel()
	old, oldLine := keyOf(t, 'o')
	next, nextLine := keyOf(t, 'n')
	_, foreign := keyOf(t, 'f')
	const options = `from="10.0.0.0/8,!10.1.1.1",command="echo \"a, b\" c",no-pty `
	for name, test := range map[string]struct{ before, added, removed string }{
		"alone":           {oldLine + " me\n", oldLine + " me\n" + nextLine + " new\n", nextLine + " new\n"},
		"no end of line":  {oldLine, oldLine + "\n" + nextLine + " new\n", nextLine + " new\n"},
		"empty":           {"", nextLine + " new\n", nextLine + " new\n"},
		"old is not here": {foreign, foreign + "\n" + nextLine + " new\n", foreign + "\n" + nextLine + " new\n"},
		"options are kept": {
			"# head\r\n\n\t" + options + oldLine + " me\n" + foreign + "  two  words \r\n",
			"# head\r\n\n\t" + options + oldLine + " me\n" + options + nextLine + " new\n" + foreign + "  two  words \r\n",
			"# head\r\n\n" + options + nextLine + " new\n" + foreign + "  two  words \r\n",
		},
		"rubbish and comments stay": {
			"rubbish\x00\xff\n#" + oldLine + "\n" + oldLine + "\n \n" + foreign,
			"rubbish\x00\xff\n#" + oldLine + "\n" + oldLine + "\n" + nextLine + " new\n \n" + foreign,
			"rubbish\x00\xff\n#" + oldLine + "\n" + nextLine + " new\n \n" + foreign,
		},
		"twice":             {oldLine + "\nno-pty " + oldLine + "\n", oldLine + "\n" + nextLine + " new\nno-pty " + oldLine + "\nno-pty " + nextLine + " new\n", nextLine + " new\nno-pty " + nextLine + " new\n"},
		"a certifying key":  {"cert-authority " + oldLine + "\n", "cert-authority " + oldLine + "\n" + nextLine + " new\n", "cert-authority " + oldLine + "\n" + nextLine + " new\n"},
		"new is there, too": {nextLine + " first\n" + oldLine, nextLine + " first\n" + oldLine, nextLine + " first\n"},
	} {
		added := add([]byte(test.before), old, next, nextLine+" new")
		if string(added) != test.added {
			t.Errorf("%s: added\n%q, want\n%q", name, added, test.added)
		}
		if again := add(added, old, next, nextLine+" other"); !bytes.Equal(again, added) {
			t.Errorf("%s: added twice\n%q", name, again)
		}
		if got := remove(added, old); string(got) != test.removed {
			t.Errorf("%s: removed\n%q, want\n%q", name, got, test.removed)
		}
	}
}

func FuzzAuthorizedKeys(f *testing.F) {
	old, oldLine := keyOf(f, 'o')
	next, nextLine := keyOf(f, 'n')
	f.Add("a=\"b,c\" " + oldLine + " x\n# c\n\n" + oldLine)
	f.Add(`command="\"` + oldLine)
	f.Add("cert-authority " + oldLine + "\r\n")
	f.Fuzz(func(t *testing.T, content string) {
		if got := join(parseAuthorized([]byte(content))); string(got) != content {
			t.Fatalf("%q became %q", content, got)
		}
		had, hasNext := lets([]byte(content), old), lets([]byte(content), next)
		added := add([]byte(content), old, next, nextLine)
		if !lets(added, next) || lets(added, old) != had {
			t.Fatalf("added to %q: %q", content, added)
		}
		removed := remove(added, old)
		if !lets(removed, next) || lets(removed, old) {
			t.Fatalf("removed from %q: %q", added, removed)
		}
		// What belongs to neither key is as it was.
		if rest := remove(removed, next); !hasNext && strings.TrimSuffix(string(rest), "\n") != strings.TrimSuffix(string(remove([]byte(content), old)), "\n") {
			t.Fatalf("%q lost something: %q", content, rest)
		}
	})
}
