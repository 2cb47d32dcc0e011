package arm

import "strings"

// Registered reports whether the subscription has registered a namespace. One that is being registered counts: it
// takes requests.
func (s *Server) Registered(namespace string) bool {
	_, off := s.reg[strings.ToLower(namespace)]
	return !off
}

// Registration is what a namespace's registration is called.
func (s *Server) Registration(namespace string) string {
	key := strings.ToLower(namespace)
	never, off := s.reg[key]
	changing := s.now.Before(s.changing[key])
	switch {
	case off && changing:
		return "Unregistering"
	case off && never:
		return "NotRegistered"
	case off:
		return "Unregistered"
	case changing:
		return "Registering"
	}
	return "Registered"
}

// SetRegistered registers a namespace or takes the registration back, and reports whether that changes anything.
func (s *Server) SetRegistered(namespace string, on bool) bool {
	if s.Registered(namespace) == on {
		return false
	}
	key := strings.ToLower(namespace)
	if on {
		delete(s.reg, key)
	} else {
		s.reg[key] = false
	}
	s.changing[key] = s.now.Add(s.Lasting("registration"))
	s.touched()
	return true
}
