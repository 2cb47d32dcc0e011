package cost

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// DefaultEndpoint is Microsoft's retail price service. It requires no sign-in.
const DefaultEndpoint = "https://prices.azure.com/api/retail/prices"

const (
	apiVersion     = "2023-01-01-preview" // compares values case-sensitively
	requestTimeout = 5 * time.Second      // per page: an estimate must not cause a long wait
	maxPages       = 400
	maxPageBytes   = 16 << 20
)

// condition is one comparison of a filter.
type condition struct{ field, value string }

// filterOf joins conditions with "and".
func filterOf(conditions []condition) string {
	parts := make([]string, len(conditions))
	for n, c := range conditions {
		parts[n] = c.field + " eq '" + strings.ReplaceAll(c.value, "'", "''") + "'"
	}
	return strings.Join(parts, " and ")
}

// retail sends the requests.
type retail struct {
	endpoint, currency string
	http               *http.Client
}

// items reads all pages.
func (r retail) items(ctx context.Context, conditions ...condition) ([]item, error) {
	first, err := url.Parse(r.endpoint)
	if err != nil {
		return nil, fmt.Errorf("ask for prices: %w", err)
	}
	q := url.Values{
		"api-version": {apiVersion}, "currencyCode": {"'" + r.currency + "'"},
		"$filter": {filterOf(append(conditions, condition{"priceType", "Consumption"}))},
	}
	first.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	var all []item
	next := first
	for range maxPages {
		p, err := r.page(ctx, next)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			return all, nil
		}
		if next, err = url.Parse(p.Next); err != nil {
			return nil, fmt.Errorf("ask for prices: the next page: %w", err)
		}
		if next.Hostname() != first.Hostname() || next.Scheme != first.Scheme {
			return nil, fmt.Errorf("ask for prices: the next page is on another server, %s", next.Host)
		}
	}
	return nil, fmt.Errorf("ask for prices: more than %d pages", maxPages)
}

func (r retail) page(ctx context.Context, at *url.URL) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return page{}, fmt.Errorf("ask for prices: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return page{}, errkind.New(errkind.Unreachable, "ask %s for prices: %w", at.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		kind := errkind.Unknown
		if resp.StatusCode == http.StatusTooManyRequests {
			kind = errkind.Throttled
		}
		return page{}, errkind.New(kind, "ask %s for prices: %s", at.Host, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxPageBytes))
	if err != nil {
		return page{}, errkind.New(errkind.Unreachable, "ask %s for prices: %w", at.Host, err)
	}
	return parsePage(data)
}
