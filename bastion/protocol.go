package bastion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/azlin-dev/azlin/errkind"
)

// tokens is the answer to a connection request.
type tokens struct {
	Auth      string `json:"authToken"`
	Node      string `json:"nodeId"`
	WebSocket string `json:"websocketToken"`
}

// Limits for a Bastion's answers.
const (
	maxAnswer = 1 << 20
	maxToken  = 16 << 10
)

// parseTokens parses the answer. It checks that its parts are safe to use in URLs and headers.
func parseTokens(data []byte) (tokens, error) {
	var t tokens
	if err := json.Unmarshal(data, &t); err != nil {
		return tokens{}, errors.New("the Bastion's answer is not JSON") // not quoted, because the answer holds secrets
	}
	if t.Auth == "" || t.WebSocket == "" {
		return tokens{}, errors.New("the Bastion's answer has no token")
	}
	for _, s := range []string{t.Auth, t.Node, t.WebSocket} {
		if len(s) > maxToken || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || unicode.IsControl(r) }) {
			return tokens{}, errors.New("the Bastion's answer has a token that cannot be one")
		}
	}
	return t, nil
}

// parseHost checks that a name in an answer is only a host, with or without a port, because an access token is sent to it.
func parseHost(s string) (string, error) {
	name := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("%q is not a host", clip(s))
		}
		name = h
	}
	valid := name != "" && len(name) <= 253 && !strings.HasPrefix(name, "-")
	for _, r := range name {
		valid = valid && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-')
	}
	if !valid {
		return "", fmt.Errorf("%q is not a host", clip(s))
	}
	return s, nil
}

// clip shortens foreign text for a message and removes control characters.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}

// post sends a body and returns the answer's. The body holds the access token, so it is never part of an error.
func (s *Service) post(ctx context.Context, host, path, contentType string, body []byte, node string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the Bastion's address %q is not valid", clip(host))
	}
	req.Header.Set("Content-Type", contentType)
	if node != "" {
		req.Header.Set("X-Node-Id", node)
	}
	resp, err := s.client().Do(req)
	if err != nil {
		return nil, unanswered(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, unanswered(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp.StatusCode, data)
	}
	return data, nil
}

// client follows no redirects, because the access token is only for the Bastion.
func (s *Service) client() *http.Client {
	c := *s.http
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// refusal is the error for an answer with a status other than 200.
func refusal(status int, data []byte) error {
	var body struct {
		Message string `json:"message"`
	}
	text := ""
	if json.Unmarshal(data, &body) == nil {
		text = clip(body.Message)
	}
	if text == "" {
		text = "the Bastion answered with status " + strconv.Itoa(status)
	}
	kind := errkind.Unreachable
	switch status {
	case http.StatusUnauthorized:
		kind = errkind.Auth
	case http.StatusForbidden:
		kind = errkind.Permission
	case http.StatusNotFound:
		kind = errkind.NotFound
	case http.StatusBadRequest:
		kind = errkind.Invalid
	case http.StatusConflict:
		kind = errkind.Conflict
	case http.StatusTooManyRequests:
		kind = errkind.Throttled
	}
	return &errkind.Error{Kind: kind, Err: errors.New(text)}
}

// unanswered is the error for a request without an answer. It leaves out the URL, which may hold a token.
func unanswered(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &errkind.Error{Kind: errkind.Unreachable, Err: err}
}
