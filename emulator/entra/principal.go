package entra

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
)

// Principal is an application that may sign in, by any of the means that are registered for it.
type Principal struct {
	Name         string // of the application, for refusals
	ClientID     string
	ObjectID     string
	Secrets      []string
	Certificates []*x509.Certificate // whose keys sign its assertions
	Federated    []Federation
	// Managed makes it a managed identity: it signs in at the identity endpoints and nowhere else. The
	// first one without Assigned is what is given when no client id is asked for.
	Managed  bool
	Assigned bool // user-assigned: its client id must be asked for
}

// Federation is a foreign issuer whose tokens stand for an application.
type Federation struct {
	Issuer   string
	Subject  string
	Audience string           // empty: api://AzureADTokenExchange
	Key      crypto.PublicKey // of the issuer, instead of its published keys
}

// Put adds a principal, or replaces the one of that client id.
func (s *Server) Put(p Principal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.principals = slices.DeleteFunc(s.principals, func(o Principal) bool { return strings.EqualFold(o.ClientID, p.ClientID) })
	s.principals = append(s.principals, p)
	delete(s.disabled, p.ObjectID)
}

// Disable keeps a principal or the user, by object id, from getting further tokens. Those given out
// stay valid.
func (s *Server) Disable(objectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled[objectID] = true
}

func (s *Server) isDisabled(objectID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disabled[objectID]
}

func (s *Server) find(clientID string) (Principal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.principals {
		if strings.EqualFold(p.ClientID, clientID) && !p.Managed {
			return p, true
		}
	}
	return Principal{}, false
}

// managed finds a managed identity by client or object id; both empty mean the system-assigned one.
func (s *Server) managed(clientID, objectID string) (Principal, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.principals {
		if !p.Managed {
			continue
		}
		switch {
		case clientID != "":
			if strings.EqualFold(p.ClientID, clientID) {
				return p, true
			}
		case objectID != "":
			if strings.EqualFold(p.ObjectID, objectID) {
				return p, true
			}
		case !p.Assigned:
			return p, true
		}
	}
	return Principal{}, false
}
