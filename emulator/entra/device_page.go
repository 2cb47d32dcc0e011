package entra

import (
	"html/template"
	"net/http"
	"strings"
)

// devicePage is where a person signs a device in, below a tenant.
const devicePage = "oauth2/deviceauth"

var devicePageHTML = template.Must(template.New("").Parse(`<!doctype html>
<title>Sign in a device</title>
<h1>Sign in a device</h1>
<p>{{.Note}}</p>
<form method="post">
<p><label>Code <input name="user_code" value="{{.Code}}" autocomplete="off"></label>
<p><label>Client secret of the emulator <input name="password" type="password"></label>
<p><button name="action" value="approve">Sign in</button> <button name="action" value="decline">Decline</button>
</form>
`))

// devicePage is the page that a device code names. The client secret stands for the user's password: without it, everybody
// on this machine could sign in as the user.
func (s *Server) devicePage(w http.ResponseWriter, r *http.Request) {
	show := func(status int, code, note string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_ = devicePageHTML.Execute(w, struct{ Code, Note string }{code, note}) // the client has gone: nothing to be done
	}
	switch r.Method {
	case http.MethodGet:
		show(http.StatusOK, r.URL.Query().Get("user_code"), "Enter the code that the device shows.")
		return
	case http.MethodPost:
	default:
		show(http.StatusMethodNotAllowed, "", "Only GET and POST are supported.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		show(http.StatusBadRequest, "", "The request body could not be read.")
		return
	}
	code := strings.TrimSpace(r.PostForm.Get("user_code"))
	switch {
	case !same(r.PostForm.Get("password"), s.opt.ClientSecret):
		show(http.StatusUnauthorized, code, "The client secret is wrong.")
	case code == "" || !s.Decide(code, r.PostForm.Get("action") != "decline"):
		show(http.StatusBadRequest, code, "No device waits with this code.")
	default:
		show(http.StatusOK, "", "Done. You can close this page.")
	}
}
