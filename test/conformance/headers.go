package conformance

import (
	"net/http"
	"strings"
)

// beside are the headers of the services beside the resource manager, as recorded. Nil: the path is none of theirs.
func beside(path string) map[string]string {
	const (
		json   = "application/json; charset=utf-8"
		secure = "max-age=31536000; includeSubDomains"
	)
	has := func(part string) bool { return strings.Contains(path, part) }
	switch {
	case has("/msi/token"):
		return map[string]string{"Content-Type": "application/json"}
	case has(".serialconsole.log?"): // a blob
		return map[string]string{"Content-Type": "re:text/plain|application/octet-stream", "X-Ms-Blob-Type": "re:(Block|Page|Append)Blob"}
	case has("/metadata/"), has("/aliases.json"), has("/api/retail/"):
		return map[string]string{"Content-Type": json}
	case has("/api/tokens"), has("/api/connection"), has("/webtunnel"): // of a Bastion: nothing is known
		return map[string]string{}
	case has("/adfs/"):
		h := map[string]string{"Content-Type": "application/json; charset=UTF-8", "Strict-Transport-Security": "max-age = 31536000", "X-Content-Type-Options": "nosniff"}
		if has("/oauth2/") {
			h["Cache-Control"], h["Pragma"] = "no-store", "no-cache"
		}
		return h
	case has("/oauth2/"):
		return map[string]string{
			"Content-Type": json, "Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1",
			"Strict-Transport-Security": secure, "X-Content-Type-Options": "nosniff", "X-Ms-Request-Id": "<guid>",
		}
	case has("/.well-known/"), has("/discovery/"):
		return map[string]string{
			"Content-Type": json, "Cache-Control": "max-age=86400, private",
			"Strict-Transport-Security": secure, "X-Content-Type-Options": "nosniff", "X-Ms-Request-Id": "<guid>",
		}
	}
	return nil
}

// standard are the headers that every answer of a service carries, as recorded.
func standard(c Case, method, path string, body bool) map[string]string {
	if h := beside(path); h != nil {
		return h
	}
	h := map[string]string{}
	h["Date"], h["Cache-Control"], h["Pragma"], h["Expires"] = "<date>", "no-cache", "no-cache", "-1"
	h["Strict-Transport-Security"], h["X-Content-Type-Options"] = "max-age=31536000; includeSubDomains", "nosniff"
	h["X-Ms-Request-Id"], h["X-Ms-Correlation-Request-Id"] = "<guid>", "<guid>"
	h["X-Ms-Routing-Request-Id"] = `re:[A-Z0-9]+:\d{8}T\d{6}Z:<guid>`
	kind := map[string]string{"GET": "Reads", "HEAD": "Reads", "DELETE": "Deletes"}[method]
	if kind == "" {
		kind = "Writes"
	}
	if strings.HasPrefix(path, "/subscriptions/") || strings.HasPrefix(path, "https://") {
		h["X-Ms-Ratelimit-Remaining-Subscription-"+kind] = "<count>"
		h["X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind] = "<count>"
	}
	if path == "/subscriptions" || strings.HasPrefix(path, "/subscriptions?") || strings.HasPrefix(path, "/tenants?") {
		h["X-Ms-Ratelimit-Remaining-Tenant-"+kind] = "<count>"
	}
	last, _, _ := strings.Cut(strings.ToLower(path), "?") // the provider of what the request is about, not of what that belongs to
	last = last[max(0, strings.LastIndex(last, "/providers/")):]
	refused := c.Status >= 400
	if body {
		h["Content-Type"] = "application/json; charset=utf-8"
	}
	switch {
	case strings.HasPrefix(last, "/providers/microsoft.network/"):
		if c.Headers["X-Ms-Failure-Cause"] != "gateway" { // which did not ask the service
			h["X-Ms-Arm-Service-Request-Id"] = "<guid>"
		}
		if strings.HasPrefix(path, "/") && !strings.Contains(strings.ToLower(path), "/resourcegroups/") {
			h["X-Ms-Arm-Service-Request-Id"] += " ?" // a list of several regions is put together in front of the service
		}
	case strings.HasPrefix(last, "/providers/microsoft.storage/") && !refused:
		h["Server"] = "Microsoft-Azure-Storage-Resource-Provider/1.0,Microsoft-HTTPAPI/2.0 Microsoft-HTTPAPI/2.0"
		h["Content-Type"] = "application/json"
		if !body {
			h["Content-Type"] = "text/plain; charset=utf-8"
		}
		if c.Status == http.StatusNoContent {
			delete(h, "Content-Type")
		}
	}
	if c.Rate != "" {
		h["X-Ms-Ratelimit-Remaining-Resource"] = "Microsoft.Compute/" + c.Rate + "3Min;<count>,Microsoft.Compute/" + c.Rate + "30Min;<count>"
	}
	return h
}
