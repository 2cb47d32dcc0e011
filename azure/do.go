package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/azlin-dev/azlin/azure/transport"
	"github.com/azlin-dev/azlin/errkind"
)

// Response is the answer to Do.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	raw *http.Response
}

// Decode reads the body as JSON into v. An empty body is an error.
func (r *Response) Decode(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return fmt.Errorf("azure's answer is not the JSON that was expected: %w", err)
	}
	return nil
}

// Do sends one request to Azure Resource Manager through the pipeline of the typed clients, for services of which only one
// call is used. path begins with a slash and may have a query; apiVersion is added to it. A nil body sends none, a []byte is
// sent unchanged, anything else as JSON. header entries are added unchanged. Every status from 400 is an error with its
// kind.
func (c *Client) Do(ctx context.Context, method, path, apiVersion string, body any, header ...Header) (*Response, error) {
	target, err := c.address(path, apiVersion)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, method, target, body, header)
}

// Header is one request header, for Do.
type Header struct{ Name, Value string }

// Page is Do for a list: it calls f with the body of each page, following nextLink.
func (c *Client) Page(ctx context.Context, path, apiVersion string, f func(page []byte) error) error {
	target, err := c.address(path, apiVersion)
	if err != nil {
		return err
	}
	ctx = transport.OnePass(ctx)
	for target != "" {
		resp, err := c.send(ctx, http.MethodGet, target, nil, nil)
		if err != nil {
			return err
		}
		var list struct {
			NextLink string `json:"nextLink"`
		}
		if err := resp.Decode(&list); err != nil {
			return Wrap("list", path, err)
		}
		if err := f(resp.Body); err != nil {
			return err
		}
		if target, err = c.sameHost(list.NextLink); err != nil {
			return Wrap("list", path, err)
		}
	}
	return nil
}

// sameHost returns an error for a link to another host, because the token would be sent with the request.
func (c *Client) sameHost(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	if base, err := url.Parse(c.endpoint); err != nil || u.Scheme != base.Scheme || u.Host != base.Host {
		return "", errkind.New(errkind.Invalid, "a list continues at another host (%s)", u.Host)
	}
	return link, nil
}

func (c *Client) address(path, apiVersion string) (string, error) {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "", errkind.New(errkind.Invalid, "%q is not a path of Azure Resource Manager", path)
	}
	u, err := url.Parse(c.endpoint + path)
	if err != nil {
		return "", errkind.New(errkind.Invalid, "%q is not a path of Azure Resource Manager", path)
	}
	q := u.Query()
	q.Set("api-version", apiVersion)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // Azure's filters accept spaces, not plus signs
	return u.String(), nil
}

func (c *Client) send(ctx context.Context, method, target string, body any, header []Header) (*Response, error) {
	fail := func(err error) (*Response, error) {
		path := target
		if u, perr := url.Parse(target); perr == nil {
			path = u.Path
		}
		return nil, Wrap(strings.ToLower(method), path, err)
	}
	req, err := runtime.NewRequest(ctx, method, target)
	if err != nil {
		return fail(err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	for _, h := range header {
		req.Raw().Header.Set(h.Name, h.Value)
	}
	if body != nil {
		data, raw := body.([]byte)
		if !raw {
			if data, err = json.Marshal(body); err != nil {
				return fail(err)
			}
		}
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(data)), "application/json"); err != nil {
			return fail(err)
		}
	}
	resp, err := c.pipeline.Do(req) //nolint:bodyclose // the pipeline has read and closed it
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fail(runtime.NewResponseError(resp))
	}
	data, err := runtime.Payload(resp)
	if err != nil {
		return fail(err)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: data, raw: resp}, nil
}
