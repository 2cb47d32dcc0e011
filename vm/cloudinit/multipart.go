package cloudinit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	mimepart "mime/multipart"
	"net/textproto"
)

// The kinds of parts.
const (
	typeConfig  = "text/cloud-config"
	typeScript  = "text/x-shellscript"          // runs once, last
	typePerBoot = "text/x-shellscript-per-boot" // runs at every boot, before those
)

// addToOurs makes cloud-init append the operator's lists to azlin's; its default is to replace them.
const addToOurs = "list(append)+dict(no_replace,recurse_list)+str()"

// part is one part of a multipart document.
type part struct {
	kind, name string
	merge      string // cloud-init's Merge-Type; empty: its default
	content    []byte
}

// multipart packs parts. Equal parts produce equal bytes.
func multipart(parts []part) ([]byte, error) {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p.content)
	}
	boundary := "azlin-" + hex.EncodeToString(sum.Sum(nil)[:16]) // a hash of the content, so that no content can contain it
	var b bytes.Buffer
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\nMIME-Version: 1.0\n\n", boundary)
	w := mimepart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, fmt.Errorf("cloud-init: %w", err)
	}
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		header.Set("Content-Type", p.kind+`; charset="utf-8"`)
		header.Set("Content-Disposition", `attachment; filename="`+p.name+`"`)
		if p.merge != "" {
			header.Set("Merge-Type", p.merge)
		}
		content := p.content
		if plain(string(content)) {
			header.Set("Content-Transfer-Encoding", "7bit")
		} else {
			header.Set("Content-Transfer-Encoding", "base64")
			content = lines(base64.StdEncoding.EncodeToString(content))
		}
		out, err := w.CreatePart(header)
		if err != nil {
			return nil, fmt.Errorf("cloud-init: %w", err)
		}
		if _, err := out.Write(content); err != nil {
			return nil, fmt.Errorf("cloud-init: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cloud-init: %w", err)
	}
	return b.Bytes(), nil
}

// lines wraps base64 at the line length that MIME requires.
func lines(s string) []byte {
	var b bytes.Buffer
	for len(s) > 76 {
		b.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	b.WriteString(s + "\n")
	return b.Bytes()
}
