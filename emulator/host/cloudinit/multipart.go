package cloudinit

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
)

func isMultipart(head string) bool {
	head = strings.ToLower(head)
	return strings.HasPrefix(head, "content-type: multipart/") || strings.HasPrefix(head, "mime-version:")
}

func (c *Config) multipart(data []byte, depth int) error {
	in := bufio.NewReader(bytes.NewReader(bytes.TrimLeft(data, " \t\r\n")))
	header, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return fmt.Errorf("user data: multipart header: %w", err)
	}
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return fmt.Errorf("user data: %q is no multipart", header.Get("Content-Type"))
	}
	parts := multipart.NewReader(in, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("user data: multipart: %w", err)
		}
		var body io.Reader = p
		if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		content, err := io.ReadAll(io.LimitReader(body, MaxSize))
		if err != nil {
			return fmt.Errorf("user data: part: %w", err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")) // without one the content decides
		about := partHeader{kind: kind, name: p.FileName(), merge: p.Header.Get("Merge-Type")}
		if about.merge == "" {
			about.merge = p.Header.Get("X-Merge-Type")
		}
		if err := c.part(content, about, depth+1); err != nil {
			return err
		}
	}
}
