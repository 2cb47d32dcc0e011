package entra

import (
	"net/http"
	"strings"
	"time"
)

// DevicePolicy says what becomes of device codes without a browser. The zero value signs the user in at
// the first poll.
type DevicePolicy struct {
	Hold  bool // codes wait until Decide, or until the user signs in at the page
	Polls int  // a poll after this many signs the user in
}

// device is a device code on its way.
type device struct {
	user, client string
	scope        string
	until        time.Time
	polls        int
	decided      bool
	approved     bool
}

// deviceLife is how long a device code is good for.
const deviceLife = 15 * time.Minute

// SetDevices sets what becomes of device codes from now on.
func (s *Server) SetDevices(p DevicePolicy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Devices = p
}

// Decide does what the person at the browser does: approve or decline a user code. It reports whether
// the code waits. An empty code means the only one that does: where several wait, somebody else may have asked for one.
func (s *Server) Decide(userCode string, approve bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waiting []*device
	for _, d := range s.devices {
		if (userCode == "" || strings.EqualFold(d.user, userCode)) && !d.decided && time.Now().Before(d.until) {
			waiting = append(waiting, d)
		}
	}
	if len(waiting) != 1 {
		return false
	}
	waiting[0].decided, waiting[0].approved = true, approve
	return true
}

func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body could not be read.")
		return
	}
	code := random()
	user := strings.ToUpper(strings.NewReplacer("-", "A", "_", "B").Replace(code[:9]))
	s.mu.Lock()
	s.devices[code] = &device{user: user, client: r.PostForm.Get("client_id"), scope: r.PostForm.Get("scope"), until: time.Now().Add(deviceLife)}
	waits := s.opt.Devices.Hold
	s.mu.Unlock()
	url := "https://" + r.Host + "/common/" + devicePage
	message := "To sign in, use a web browser to open the page " + url + " and enter the code " + user + " to authenticate."
	if !waits {
		message += " (The emulator signs you in without it.)"
	}
	o := map[string]any{
		"device_code": code, "user_code": user, "verification_uri": url,
		"expires_in": int(deviceLife / time.Second), "interval": 1, "message": message,
	}
	if strings.HasPrefix(strings.ToLower(r.URL.Path), "/adfs/") {
		o["verification_url"], o["verification_uri_complete"] = url, url+"?user_code="+user
	}
	send(w, http.StatusOK, o)
}

// poll answers a client that asks whether the user has signed in. It reports whether that is so.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, client string) bool {
	code := r.PostForm.Get("device_code")
	if code == "" {
		code = r.PostForm.Get("code")
	}
	s.mu.Lock()
	d := s.devices[code]
	var no *refusal
	switch {
	case d == nil:
		no = refused("bad_verification_code", 70018, "The device code was not recognized, or was used already.")
	case d.client != client:
		no = refused("invalid_grant", 700016, "The device code was given to another application.")
	case time.Now().After(d.until):
		no = refused("expired_token", 70019, "Verification code expired.")
	case d.decided && !d.approved:
		no = refused("authorization_declined", 70017, "The end user denied the authorization request.")
	case !d.decided && (s.opt.Devices.Hold || d.polls < s.opt.Devices.Polls):
		d.polls++
		s.mu.Unlock()
		fail(w, http.StatusBadRequest, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
		return false
	}
	delete(s.devices, code)
	s.mu.Unlock()
	if no != nil {
		fail(w, http.StatusBadRequest, no.code, no.number, no.text)
		return false
	}
	if r.PostForm.Get("scope") == "" {
		r.PostForm.Set("scope", d.scope) // what the code was asked for
	}
	return true
}
