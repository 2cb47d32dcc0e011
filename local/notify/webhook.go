package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// post sends {"title", "text"}. The address may contain a secret and is left out of errors.
func (n *Notifier) post(ctx context.Context, message, title string) error {
	u, err := url.Parse(n.config.URL)
	if err != nil {
		return errors.New("the webhook's address cannot be read")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && onThisMachine(u.Hostname())) {
		return errors.New("the webhook's address is not https")
	}
	body, err := json.Marshal(map[string]string{"title": title, "text": message})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.config.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := cmp.Or(n.config.HTTP, http.DefaultClient).Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the address
		}
		return fmt.Errorf("%s: %w", u.Hostname(), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", u.Hostname(), resp.Status)
	}
	return nil
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
