package bastion

import (
	"bytes"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestParseTokens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		ok   bool
	}{
		"all of it":        {`{"authToken":"a","nodeId":"n","websocketToken":"w","username":"","dataSource":"ard","availableDataSources":["ard"]}`, true},
		"without a node":   {`{"authToken":"a","websocketToken":"w"}`, true},
		"no token":         {`{"nodeId":"n","websocketToken":"w"}`, false},
		"no websocket":     {`{"authToken":"a","nodeId":"n"}`, false},
		"a line break":     {`{"authToken":"a\r\nX: y","websocketToken":"w"}`, false},
		"a space":          {`{"authToken":"a","websocketToken":"w w"}`, false},
		"a very long one":  {`{"authToken":"` + strings.Repeat("a", maxToken+1) + `","websocketToken":"w"}`, false},
		"a number":         {`{"authToken":1,"websocketToken":"w"}`, false},
		"a page of HTML":   {`<html>`, false},
		"nothing":          {``, false},
		"a list":           {`[]`, false},
		"null":             {`null`, false},
		"not ASCII":        {`{"authToken":"ä","websocketToken":"w"}`, false},
		"a slash is meant": {`{"authToken":"a/b","websocketToken":"../../api"}`, true}, // it is escaped where it is used
	} {
		got, err := parseTokens([]byte(test.text))
		if (err == nil) != test.ok {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err != nil && got != (tokens{}) {
			t.Errorf("%s: an error and %+v", name, got)
		}
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte(`{"authToken":"a","nodeId":"n","websocketToken":"w"}`))
	f.Add([]byte(`{"authToken":"a\u0000","websocketToken":"../w?x=y#z"}`))
	f.Add([]byte(`{"message":"no"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseTokens(data)
		if err != nil {
			return
		}
		// Whatever it is, it must not get out of its place in the URL.
		u, err := url.Parse("https://host/webtunnelv2/" + url.PathEscape(got.WebSocket) + "?X-Node-Id=" + url.QueryEscape(got.Node))
		if err != nil || u.Host != "host" || u.Path != "/webtunnelv2/"+got.WebSocket || u.Query().Get("X-Node-Id") != got.Node || u.Fragment != "" {
			t.Errorf("%+v becomes %v, %v", got, u, err)
		}
	})
}

func TestParseHost(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"bst-1.bastion.azure.com": true, "127.77.1.2": true, "127.77.1.2:8443": true, "HOST": true, "a.b:443": true,
		"": false, "-a": false, "a/b": false, "a@b": false, "a b": false, "a:0": false, "a:x": false, "a:70000": false, "a?b": false,
		"https://a": false, "a\n": false, "a#b": false, "[::1]": false, strings.Repeat("a", 254): false,
	} {
		if got, err := parseHost(text); (err == nil) != ok || ok && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	f.Add("127.77.1.2:8443")
	f.Add("a@b:1/c?d#e")
	f.Fuzz(func(t *testing.T, s string) {
		host, err := parseHost(s)
		if err != nil {
			return
		}
		if u, err := url.Parse("https://" + host + "/api/tokens"); err != nil || u.Host != host || u.Path != "/api/tokens" || u.User != nil {
			t.Errorf("%q becomes %v, %v", s, u, err)
		}
	})
}

// messages keeps what is written, one write after the other.
type messages struct {
	net.Conn

	all [][]byte
}

func (m *messages) Write(p []byte) (int, error) {
	m.all = append(m.all, slices.Clone(p))
	return len(p), nil
}

// TestWritesFitIntoOneFrame sees that no message is longer than what Bastion takes.
func TestWritesFitIntoOneFrame(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789"), 1000)
	sent := &messages{}
	n, err := (&conn{Conn: sent}).Write(data)
	if n != len(data) || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if !bytes.Equal(slices.Concat(sent.all...), data) {
		t.Error("what arrives is not what was sent")
	}
	for _, m := range sent.all {
		if len(m) > 4096 || len(m) == 0 {
			t.Errorf("a message of %d bytes", len(m))
		}
	}
}
