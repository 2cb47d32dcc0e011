package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/azlin-dev/azlin/errkind"
)

// FetchSigned reads a file at a signed address, such as those of boot diagnostics and disk exports. It sends no token, and
// keeps the address out of errors. It reads at most limit bytes.
func (c *Client) FetchSigned(ctx context.Context, address string, limit int64) (_ []byte, err error) {
	fail := func(err error) ([]byte, error) { return nil, Wrap("fetch", "a signed address", withoutURL(err)) }
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return fail(errkind.New(errkind.Invalid, "it is not an https address"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return fail(&errkind.Error{Kind: kindOfStatus(resp.StatusCode), Err: fmt.Errorf("the answer is %s", resp.Status)})
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return fail(err)
	}
	return data, nil
}
