package retail

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// Path is where the service answers, in lower case.
const Path = "/api/retail/prices"

// pageSize is how many items come at once.
const pageSize = 100

// Serve answers GET /api/retail/prices: the items that fit $filter, from $skip on. It has US dollars only.
func Serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	q := r.URL.Query()
	f, err := parseFilter(q.Get("$filter"))
	if err != nil {
		refuse(w, err.Error())
		return
	}
	if name := f.unknown(); name != "" {
		refuse(w, "Invalid OData parameters supplied: "+name)
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
		next = (&url.URL{Scheme: "https", Host: cmp.Or(r.Host, r.URL.Host), Path: r.URL.Path, RawQuery: q.Encode()}).String()
	}
	page := make([]Item, end-skip) // not nil: [] in JSON
	copy(page, fits[skip:end])
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has gone: nothing to be done
		"BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
		"Items": page, "NextPageLink": next, "Count": len(page),
	})
}

func refuse(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"Error": map[string]string{"Code": "BadRequest", "Message": message}}) // as in Serve
}
