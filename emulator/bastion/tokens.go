package bastion

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network"
)

// Serve answers a request at a host.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, host string) {
	b, entry, ok := s.cloud.At(host)
	if !ok {
		http.Error(w, "no Bastion answers here", http.StatusNotFound)
		return
	}
	token, deleting := strings.CutPrefix(r.URL.Path, "/api/tokens/")
	ticket, tunnel := strings.CutPrefix(r.URL.Path, "/webtunnelv2/")
	developer, pod := strings.CutPrefix(r.URL.Path, "/omni/webtunnel/")
	onPod := b.SKU == network.DeveloperSKU
	switch {
	case entry && r.Method == http.MethodPost && r.URL.Path == "/api/connection":
		s.connection(w, r, b)
	case entry:
		refuse(w, Refusal{http.StatusNotFound, "Not found."})
	case r.Method == http.MethodPost && r.URL.Path == "/api/tokens":
		s.issue(w, r, b)
	case r.Method == http.MethodDelete && deleting:
		s.revoke(w, r, b, token)
	case r.Method == http.MethodGet && tunnel && !onPod:
		s.tunnel(w, r, b, ticket, r.URL.Query().Get("X-Node-Id"), true)
	case r.Method == http.MethodGet && pod && onPod:
		s.tunnel(w, r, b, developer, r.URL.Query().Get("X-Node-Id"), false)
	default:
		refuse(w, Refusal{http.StatusNotFound, "Not found."})
	}
}

func refuse(w http.ResponseWriter, no Refusal) {
	send(w, no.Status, map[string]string{"message": no.Message})
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nothing to be done
}

// maxBody is room for an access token with many groups.
const maxBody = 64 << 10

// issue gives a client the tokens for one connection.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, b network.Bastion) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, Refusal{http.StatusBadRequest, "The request body could not be read."})
		return
	}
	f := r.PostForm
	port, err := strconv.ParseUint(f.Get("workloadHostPort"), 10, 16)
	t := Target{Resource: f.Get("resourceId"), Address: f.Get("hostname"), Port: int(port)}
	switch {
	case f.Get("protocol") != "tcptunnel":
		refuse(w, Refusal{http.StatusBadRequest, "The protocol '" + f.Get("protocol") + "' is not supported."})
		return
	case err != nil || port == 0:
		refuse(w, Refusal{http.StatusBadRequest, "The port '" + f.Get("workloadHostPort") + "' is not valid."})
		return
	}
	if no := s.cloud.Refused(f.Get("aztoken"), b, t); no != nil {
		refuse(w, *no)
		return
	}
	x, no := s.session(b, t, f.Get("token"), r.Header.Get("X-Node-Id"))
	if no != nil {
		refuse(w, *no)
		return
	}
	name := random()
	s.mu.Lock()
	now := time.Now()
	for k, old := range s.tickets {
		if now.After(old.until) {
			delete(s.tickets, k)
		}
	}
	s.tickets[name] = ticket{x, now.Add(ticketLife)}
	s.mu.Unlock()
	send(w, http.StatusOK, map[string]any{
		"authToken": x.auth, "username": "", "dataSource": "ard", "nodeId": x.node, "availableDataSources": []string{"ard"}, "websocketToken": name,
	})
}

// session goes on with the one of an earlier token for the same target, or begins one.
func (s *Server) session(b network.Bastion, t Target, last, node string) (*session, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[last]; x != nil && x.bastion == resourceid.Key(b.ID) {
		if node != "" && node != x.node {
			return nil, noNode()
		}
		if x.target == t {
			return x, nil
		}
	}
	x := &session{auth: random(), node: strings.ReplaceAll(uuid.NewString(), "-", ""), bastion: resourceid.Key(b.ID), target: t}
	x.ctx, x.end = contextFrom(s.ctx)
	s.sessions[x.auth] = x
	return x, nil
}

func noNode() *Refusal {
	return &Refusal{http.StatusNotFound, "The session is not on this node."}
}

// revoke ends a session and its tunnels.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request, b network.Bastion, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[token]
	switch node := r.Header.Get("X-Node-Id"); {
	case x == nil || x.bastion != resourceid.Key(b.ID):
		refuse(w, Refusal{http.StatusNotFound, "The token was not found."})
	case node != "" && node != x.node:
		refuse(w, *noNode())
	default:
		x.end()
		delete(s.sessions, token)
		w.WriteHeader(http.StatusNoContent)
	}
}

// connection tells a client of the Developer SKU which host carries its connection.
func (s *Server) connection(w http.ResponseWriter, r *http.Request, b network.Bastion) {
	var in struct {
		ResourceID        string `json:"resourceId"`
		BastionResourceID string `json:"bastionResourceId"`
		VMPort            int    `json:"vmPort"`
		AzToken           string `json:"azToken"`
		ConnectionType    string `json:"connectionType"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
		refuse(w, Refusal{http.StatusBadRequest, "The request body could not be read."})
		return
	}
	switch {
	case in.ConnectionType != "nativeclient":
		refuse(w, Refusal{http.StatusBadRequest, "The connection type '" + in.ConnectionType + "' is not supported."})
		return
	case resourceid.Key(in.BastionResourceID) != resourceid.Key(b.ID):
		refuse(w, Refusal{http.StatusNotFound, "The Bastion '" + in.BastionResourceID + "' was not found."})
		return
	}
	if no := s.cloud.Refused(in.AzToken, b, Target{Resource: in.ResourceID, Port: in.VMPort}); no != nil {
		refuse(w, *no)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(s.cloud.Pod(b))) // the client has gone: nothing to be done
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // does not fail
	return base64.RawURLEncoding.EncodeToString(b)
}
