package arm

import "strings"

// Registered reports whether the subscription has registered a namespace.
func (s *Server) Registered(namespace string) bool { return !s.reg[strings.ToLower(namespace)] }

// SetRegistered registers a namespace or takes the registration back.
func (s *Server) SetRegistered(namespace string, on bool) {
	if on {
		delete(s.reg, strings.ToLower(namespace))
	} else {
		s.reg[strings.ToLower(namespace)] = true
	}
	s.touched()
}
