package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/retail"
)

// site serves what lies beside the resource manager: the cloud's metadata, the alias document of az, the
// price service, and two services that echo the caller's public address. It reports whether the path was one of them.
func (e *Emulator) site(w http.ResponseWriter, r *http.Request) bool {
	switch strings.ToLower(strings.TrimRight(r.URL.Path, "/")) {
	case "/metadata/endpoints":
		e.metadata(w, r)
	case "/aliases.json":
		writeJSON(w, catalogue.Aliases())
	case retail.Path:
		retail.Serve(w, r)
	case "/echo/ipv4/1", "/echo/ipv4/2":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, e.operator.String()+"\n") // the client has gone: nothing to be done
	default:
		return false
	}
	return true
}

// metadata describes the cloud, in the old form (one object) and the new (a list of clouds).
func (e *Emulator) metadata(w http.ResponseWriter, r *http.Request) {
	base := "https://" + r.Host
	login := map[string]any{"loginEndpoint": base + "/adfs", "audiences": []string{base + "/"}}
	if r.URL.Query().Get("api-version") < "2019-05-01" {
		writeJSON(w, map[string]any{"galleryEndpoint": base, "graphEndpoint": base + "/graph", "portalEndpoint": base, "authentication": login})
		return
	}
	o := map[string]any{
		"name": "AzureLocal", "portal": base, "gallery": base, "resourceManager": base, "graph": base + "/graph", "graphAudience": base + "/graph",
		"vmImageAliasDoc": base + "/aliases.json", "sqlManagement": base, "batch": base, "media": base, "activeDirectoryDataLake": base,
		"authentication": map[string]any{"loginEndpoint": base + "/adfs", "audiences": []string{base + "/"}, "tenant": "common", "identityProvider": "ADFS"},
		"suffixes":       map[string]any{"storage": "core.local", "keyVaultDns": "vault.local", "acrLoginServer": "azurecr.local", "sqlServerHostname": "database.local"},
	}
	if r.URL.Query().Get("api-version") >= "2022-09-01" {
		o["microsoftGraphResourceId"] = base + "/graph"
	}
	writeJSON(w, []any{o})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nothing to be done
}
