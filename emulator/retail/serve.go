package retail

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Path is where the service answers, in lower case.
const Path = "/api/retail/prices"

// pageSize is how many items come at once.
const pageSize = 1000

// Serve answers GET /api/retail/prices: the items that fit $filter, from $skip on. It has US dollars only.
func Serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	q := r.URL.Query()
	f, err := parseFilter(q.Get("$filter"))
	if err != nil || f.unknown() != "" {
		refuse(w) // the service does not tell why
		return
	}
	var fits []Item
	for _, i := range items() {
		if f.matches(i) {
			fits = append(fits, i)
		}
	}
	skip, err := strconv.Atoi(q.Get("$skip"))
	if err != nil || skip < 0 {
		skip = 0
	}
	skip = min(skip, len(fits))
	end := min(skip+pageSize, len(fits))
	var next any // null on the last page
	if end < len(fits) {
		q.Set("$skip", strconv.Itoa(end))
		next = link(cmp.Or(r.Host, r.URL.Host), r.URL.Path, q)
	}
	page := make([]Item, end-skip) // not nil: [] in JSON
	copy(page, fits[skip:end])
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has gone: nothing to be done
		"BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
		"Items": page, "NextPageLink": next, "Count": len(page),
	})
}

// link is the address of a page, written as the service does: with its port, and %20 for a space.
func link(host, path string, q url.Values) string {
	if !strings.Contains(host, ":") {
		host += ":443"
	}
	query := strings.NewReplacer("+", "%20", "%24", "$").Replace(q.Encode())
	return (&url.URL{Scheme: "https", Host: host, Path: path, RawQuery: query}).String()
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"Error": map[string]string{"Code": "BadRequest", "Message": "Invalid OData parameters supplied"}}) // as in Serve
}
