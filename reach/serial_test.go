package reach

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

const (
	ed25519Line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKWrETPqkGRWzTKzeA9ydOqGkVO1Vzy3aXV5NvtcVFeZ root@dev"
	otherLine   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA root@dev"
	rsaLine     = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQDTAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB root@dev"
)

func TestParseSerialKeys(t *testing.T) {
	t.Parallel()
	block := func(lines ...string) string {
		return "boot\n" + keysBegin + "\n" + strings.Join(lines, "\n") + "\n" + keysEnd + "\nlogin:\n"
	}
	for name, test := range map[string]struct {
		log  string
		want string
	}{
		"one key":                  {block(ed25519Line), ed25519Line},
		"ed25519 among others":     {block("ecdsa-sha2-nistp256 garbage", ed25519Line), ed25519Line},
		"a time stamp before it":   {block("[   12.3] cloud-init[99]: " + ed25519Line), ed25519Line},
		"the last boot counts":     {block(otherLine) + block(ed25519Line), ed25519Line},
		"carriage returns":         {strings.ReplaceAll(block(ed25519Line), "\n", "\r\n"), ed25519Line},
		"no block":                 {ed25519Line, ""},
		"a block cut off":          {keysBegin + "\n" + ed25519Line, ""},
		"nothing but garbage":      {block("ssh-ed25519 x", "ssh-"), ""},
		"an empty log":             {"", ""},
		"the last block was empty": {block(ed25519Line) + block(), ""},
	} {
		key := parseSerialKeys(test.log)
		got := ""
		if key != nil {
			got = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " root@dev"
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func FuzzParseSerialKeys(f *testing.F) {
	f.Add(keysBegin + "\n" + ed25519Line + "\n" + keysEnd)
	f.Add(keysBegin + rsaLine + keysEnd + keysBegin)
	f.Fuzz(func(t *testing.T, log string) {
		if key := parseSerialKeys(log); key != nil && !strings.Contains(log, key.Type()[:3]) {
			t.Errorf("a key of type %s came from nowhere", key.Type())
		}
	})
}
